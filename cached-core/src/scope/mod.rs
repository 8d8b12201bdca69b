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
use std::sync::OnceLock;

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

/// The scopes of one entry.
#[derive(Default, Clone)]
pub(crate) struct Scopes {
    /// Their numbers.
    pub(crate) ids: Vec<Scope>,
    /// The whole prefix, for patterns.
    pub(crate) prefix: Box<str>,
}

impl Scopes {
    /// Adds every level of a prefix.
    pub(crate) fn add_prefix(&mut self, prefix: &str) {
        self.ids.extend(levels(prefix).map(of_level));
        self.prefix = prefix.into();
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
