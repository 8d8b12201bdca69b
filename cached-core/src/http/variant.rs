//! The loads of one URL's variants, told apart where it is known what tells the variants apart.

use std::any::{Any, TypeId};
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName};

use super::vary::Selecting;
use crate::key::AnyKey;

/// Stands for a load of one variant: what the request says in the fields that select.
struct VariantKey {
    url: Arc<dyn AnyKey>,
    hash: u64,
    selecting: Selecting,
}

/// What requests that can be given the same response have in common, as far as `names` are the fields
/// that select.
pub(crate) fn key(
    url: Arc<dyn AnyKey>,
    request: &HeaderMap,
    names: &[HeaderName],
) -> Arc<dyn AnyKey> {
    static SEED: OnceLock<foldhash::fast::RandomState> = OnceLock::new();
    if names.is_empty() {
        return url;
    }
    let selecting = Selecting::of(request, names.to_vec());
    let seed = SEED.get_or_init(Default::default);
    Arc::new(VariantKey {
        hash: url.hash() ^ seed.hash_one(&selecting),
        url,
        selecting,
    })
}

impl AnyKey for VariantKey {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn marker(&self) -> TypeId {
        self.url.marker()
    }

    fn parts(&self) -> &dyn Any {
        self
    }

    fn same(&self, other: &dyn AnyKey) -> bool {
        let other: Option<&Self> = other.parts().downcast_ref();
        other.is_some_and(|other| self.selecting == other.selecting && self.url.same(&*other.url))
    }
}
