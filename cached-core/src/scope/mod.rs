//! What an invalidation can name: a function, one call, a level of a prefix, a tag, everything.
//!
//! All of them are *scopes*, a number each. An entry remembers the scopes it belongs to;
//! [`ticks`] remembers when a scope was last invalidated. Nothing is ever searched.

mod glob;
pub(crate) mod label;
pub(crate) mod ticks;

pub(crate) use glob::Glob;
pub use label::Label;

use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, OnceLock};

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

/// The scopes of one entry: its own, and those that it shares with others.
#[derive(Clone)]
pub(crate) struct Scopes {
    own: Scope,
    shared: Arc<Shared>,
}

/// Scopes of any number of entries.
#[derive(Clone)]
struct Shared {
    ids: Box<[Scope]>,
    /// The whole prefix, for patterns.
    prefix: Box<str>,
}

impl Scopes {
    /// The scopes of the key `own`: every level of its prefix, and more.
    pub(crate) fn new(own: Scope, prefix: &str, more: impl IntoIterator<Item = Scope>) -> Self {
        let ids = levels(prefix).map(of_level).chain(more).collect();
        let prefix = prefix.into();
        let shared = Arc::new(Shared { ids, prefix });
        Scopes { own, shared }
    }

    /// The same scopes for another key.
    pub(crate) fn of(&self, own: Scope) -> Self {
        let shared = Arc::clone(&self.shared);
        Scopes { own, shared }
    }

    /// These scopes and more.
    pub(crate) fn and(&self, more: impl IntoIterator<Item = Scope>) -> Self {
        let mut more = more.into_iter().peekable();
        if more.peek().is_none() {
            return self.clone();
        }
        let shared = Shared {
            ids: self.shared.ids.iter().copied().chain(more).collect(),
            prefix: self.shared.prefix.clone(),
        };
        Scopes {
            own: self.own,
            shared: Arc::new(shared),
        }
    }

    /// All numbers.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Scope> + Clone {
        std::iter::once(self.own).chain(self.others())
    }

    /// All numbers but that of the key.
    pub(crate) fn others(&self) -> impl Iterator<Item = Scope> + Clone {
        self.shared.ids.iter().copied()
    }

    /// The whole prefix.
    pub(crate) fn prefix(&self) -> &str {
        &self.shared.prefix
    }

    /// How many bytes they take, as far as they are not shared.
    pub(crate) fn bytes(&self) -> usize {
        if Arc::strong_count(&self.shared) > 1 {
            return 0;
        }
        size_of_val(&*self.shared.ids) + self.shared.prefix.len()
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
