//! Taking out what is no longer true: how long that takes, and what readers notice of it.

mod around;
mod levels;
mod storm;

use crate::cli::Effort;
use crate::report::Section;

const ABOUT: &str = "Of a cache with 1,000,000 entries, those of one level of a prefix, or those \
    with one tag, or one entry, are invalidated. moka has predicates (`invalidate_entries_if`), \
    which are kept and asked by later reads, or can be gone through; cached and quick_cache go \
    through all (`retain`). The reads are of 10,000 entries that stay valid: before any \
    invalidation, in the first pass after each, and in the passes after that. In the storm, another thread \
    invalidates 10,000 times a second what the reader does not read.";

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    let mut tables = levels::run(effort);
    tables.extend(around::run(effort));
    tables.push(storm::run(effort));
    Section {
        about: ABOUT,
        tables,
    }
}

/// Keys below so many levels, so that each level has as many.
#[derive(Clone, Copy)]
struct Levels {
    entries: u64,
    each: u64,
}

impl Levels {
    fn count(self) -> u64 {
        self.entries / self.each
    }

    fn keys(self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.entries).map(move |id| (id % self.count(), id))
    }

    /// The keys of one level.
    fn of(self, level: u64) -> Vec<(u64, u64)> {
        self.keys().filter(|key| key.0 == level).collect()
    }
}

/// The nanoseconds that something takes.
fn nanos(run: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    run();
    start.elapsed().as_nanos() as f64
}

/// Our function with a level and a tag, and peers that hold the same.
mod held {
    use cached::{Cached, LruTtlCache};
    use dewar::{Cache, Label, cached};

    use super::Levels;
    use crate::peers::TIMEOUT;
    use crate::peers::dewar::cache;

    #[cached(timeout = "1h", key_prefix = "level:{level}", tags("tag:{level}"))]
    pub(super) fn ours(level: u64, id: u64) -> u64 {
        crate::peers::body::number(level + id)
    }

    pub(super) fn dewar(levels: Levels) -> Cache {
        let cache = cache(levels.entries as usize);
        cache.scope_blocking(|| {
            for (level, id) in levels.keys() {
                ours(level, id);
            }
        });
        cache
    }

    pub(super) fn prefix(cache: &Cache, level: u64) {
        let label = Label::new().text("level:").value(level);
        let done = cache.invalidation().prefix(label).run().wait();
        done.expect("a cache in memory");
    }

    pub(super) fn tag(cache: &Cache, level: u64) {
        let label = Label::new().text("tag:").value(level);
        let done = cache.invalidation().tag(label).run().wait();
        done.expect("a cache in memory");
    }

    pub(super) type Moka = moka::sync::Cache<(u64, u64), u64>;

    pub(super) fn moka(levels: Levels) -> Moka {
        let cache = Moka::builder()
            .max_capacity(levels.entries)
            .time_to_live(TIMEOUT)
            .support_invalidation_closures()
            .build();
        levels.keys().for_each(|key| cache.insert(key, key.1));
        cache.run_pending_tasks();
        cache
    }

    pub(super) fn predicate(cache: &Moka, level: u64) {
        let registered = cache.invalidate_entries_if(move |key, _| key.0 == level);
        registered.expect("closures are supported");
    }

    pub(super) type QuickCache = quick_cache::sync::Cache<(u64, u64), u64>;

    pub(super) fn quick_cache(levels: Levels) -> QuickCache {
        let cache = QuickCache::new(levels.entries as usize);
        levels.keys().for_each(|key| cache.insert(key, key.1));
        cache
    }

    pub(super) fn lru(levels: Levels) -> LruTtlCache<(u64, u64), u64> {
        let mut cache = LruTtlCache::new(levels.entries as usize, TIMEOUT);
        for key in levels.keys() {
            cache.cache_set(key, key.1);
        }
        cache
    }
}
