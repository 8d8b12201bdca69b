//! What an invalidation can name: a function, one call, a level of a prefix, a tag, everything.
//!
//! All of them are *scopes*, a number each. An entry remembers the scopes it belongs to;
//! [`ticks`] remembers when a scope was last invalidated. Nothing is ever searched.

mod glob;
pub(crate) mod label;
pub(crate) mod moment;
pub(crate) mod ticks;

pub(crate) use glob::Glob;
pub use label::Label;

use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, OnceLock};

use crate::policy::Windows;

/// The number of a scope.
///
/// Two scopes may share a number by chance; one then is invalidated along with the other, which
/// costs a load and is never wrong.
pub(crate) type Scope = u64;

fn hash(parts: impl Hash) -> u64 {
    static SEED: OnceLock<foldhash::fast::RandomState> = OnceLock::new();
    SEED.get_or_init(Default::default).hash_one(parts)
}

/// The scope of all entries below a level of a prefix, `user:42` for instance.
pub(crate) fn of_level(level: &str) -> Scope {
    hash(("level", level))
}

/// The scope of a tag.
pub(crate) fn of_tag(tag: &str) -> Scope {
    hash(("tag", tag))
}

/// The scope of a load whose tags are known only from its value: it ends with any tag, so that
/// nobody joins it who asked after its tag was invalidated.
pub(crate) fn of_any_tag() -> Scope {
    hash("any tag")
}

/// The scope of every entry of one function.
pub(crate) fn of_function(site: usize) -> Scope {
    hash(("function", site))
}

/// The scope of one key.
pub(crate) fn of_key(marker: std::any::TypeId, key: u64) -> Scope {
    hash(("key", marker, key))
}

/// The scope of all responses for a URL, by its name: one on a host, or on any.
#[cfg(any(feature = "tower", feature = "stores"))]
pub(crate) fn of_url(url: &str) -> Scope {
    hash(("url", url))
}

/// The scope of all responses for a path, whatever the query.
#[cfg(any(feature = "tower", feature = "stores"))]
pub(crate) fn of_path(path: &str) -> Scope {
    hash(("path", path))
}

/// The scope of all responses of a layer, by what other processes call it.
#[cfg(feature = "stores")]
pub(crate) fn of_layer(name: &str) -> Scope {
    hash(("layer", name))
}

/// The scope of one key, by its hash on a shared store: what other processes call it.
#[cfg(feature = "stores")]
pub(crate) fn of_shared_key(shared: &str) -> Scope {
    hash(("shared key", shared))
}

/// The scopes of one entry: its own, and those that it shares with others.
#[derive(Clone)]
pub(crate) struct Scopes {
    own: Scope,
    /// That of its key as other processes name it, where they do.
    told: Option<Scope>,
    shared: Arc<Shared>,
}

/// What entries may have in common: their scopes but those of their keys, and the windows of one
/// that has any.
pub(crate) struct Shared {
    ids: Box<[Scope]>,
    /// The whole prefix, for patterns.
    prefix: Box<str>,
    windows: Option<Box<Windows>>,
}

impl Scopes {
    /// The scopes of the key `own`: every level of its prefix, and more.
    pub(crate) fn new(own: Scope, prefix: &str, more: impl IntoIterator<Item = Scope>) -> Self {
        let ids = levels(prefix).map(of_level).chain(more).collect();
        let prefix = prefix.into();
        Scopes {
            own,
            told: None,
            shared: Shared::of(ids, prefix),
        }
    }

    /// The same scopes for another key.
    pub(crate) fn of(&self, own: Scope) -> Self {
        let shared = Arc::clone(&self.shared);
        let told = None;
        Scopes { own, told, shared }
    }

    /// These scopes and that of the key as other processes name it.
    #[cfg(feature = "stores")]
    pub(crate) fn told_as(self, told: Option<Scope>) -> Self {
        Scopes { told, ..self }
    }

    /// These scopes and more.
    pub(crate) fn and(&self, more: impl IntoIterator<Item = Scope>) -> Self {
        let mut more = more.into_iter().peekable();
        if more.peek().is_none() {
            return self.clone();
        }
        let ids = self.shared.ids().chain(more).collect();
        Scopes {
            own: self.own,
            told: self.told,
            shared: Shared::of(ids, self.shared.prefix.clone()),
        }
    }

    /// All numbers.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Scope> + Clone {
        let of_key = std::iter::once(self.own).chain(self.told);
        of_key.chain(self.shared.ids())
    }

    /// The whole prefix.
    pub(crate) fn prefix(&self) -> &str {
        &self.shared.prefix
    }

    /// What an entry has of them, and its windows.
    pub(crate) fn shared(self, windows: Option<Box<Windows>>) -> Arc<Shared> {
        if windows.is_none() && self.told.is_none() {
            return self.shared;
        }
        let ids = self.shared.ids().chain(self.told).collect();
        let prefix = self.shared.prefix.clone();
        Arc::new(Shared {
            ids,
            prefix,
            windows,
        })
    }
}

impl Shared {
    fn of(ids: Box<[Scope]>, prefix: Box<str>) -> Arc<Self> {
        Arc::new(Shared {
            ids,
            prefix,
            windows: None,
        })
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Scope> + Clone {
        self.ids.iter().copied()
    }

    /// The whole prefix.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    #[inline]
    pub(crate) fn windows(&self) -> Option<&Windows> {
        self.windows.as_deref()
    }

    /// How many bytes it takes, if it belongs to one entry alone.
    pub(crate) fn bytes(shared: &Arc<Self>) -> usize {
        if Arc::strong_count(shared) > 1 {
            return 0;
        }
        let windows = shared.windows.as_ref().map_or(0, |_| size_of::<Windows>());
        size_of::<Self>() + size_of_val(&*shared.ids) + shared.prefix.len() + windows
    }
}

/// The levels of a prefix: `a`, `a:b` and `a:b:c` for `a:b:c`.
pub(crate) fn levels(prefix: &str) -> impl Iterator<Item = &str> {
    let ends = prefix
        .match_indices(':')
        .map(|(at, _)| at)
        .chain([prefix.len()]);
    ends.map(|end| &prefix[..end])
        .filter(|level| !level.is_empty() && !level.ends_with(':'))
}
