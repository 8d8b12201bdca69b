//! Counters, per function and per cache.
//!
//! A hit adds to one counter, striped over threads so that two of them do not share a cache line.
//! Everything else is rare enough for a plain atomic.

mod histogram;
mod show;
mod striped;

pub use histogram::Histogram;
pub(crate) use histogram::Timings;
use striped::Striped;

use std::ops::{AddAssign, SubAssign};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::Nanos;
use crate::sync::lock;
use crate::watch::{EventKind, MissReason, Named, Watch};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What a cache, or one function in it, has done so far.
        ///
        /// Every read ends in exactly one of `hits`, `stale` and the misses, so
        /// [`lookups`](Stats::lookups) is their sum.
        ///
        /// In a batch each key counts as a call of its own: a read of ten keys is ten lookups, and
        /// one run of the body for four of them is four loads. Where it fails as a whole, or
        /// panics, it is four load errors too; a key that it returns no value for is a load without
        /// a store. A key that another call loads at the time is a coalesced wait, as ever.
        ///
        /// ```
        /// # #[dewar::cached] fn answer(question: u64) -> u64 { question * 2 }
        /// dewar::testing::isolated(|cache| {
        ///     answer(21);
        ///     answer(21);
        ///     let stats = cache.stats();
        ///     assert_eq!((stats.hits, stats.misses(), stats.loads), (1, 1, 1));
        /// });
        /// ```
        ///
        /// Read while others write, a snapshot shows no effect without its cause: never more
        /// results stored or refused than loads (and values written by hand), nor more loads that
        /// failed than loads. That is of the figures since the beginning: of what is under way when
        /// they are reset, only the rest is seen, such as a load whose miss was before.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            /// Served from the cache, fresh.
            pub hits: u64,
            $($(#[$doc])* pub $name: u64,)*
            /// How long the loads took; for a batch, once for each key.
            pub load_times: Histogram,
            /// How long operations of a shared store took; counted for the cache.
            pub store_times: Histogram,
            /// Entries in memory now. Expired and invalidated ones count until they are swept,
            /// which happens every few seconds. A reset leaves it as it is.
            pub entries: u64,
            /// What they take in bytes, as far as that is known: what their types say, texts, and
            /// what a weigher adds. A reset leaves it as it is.
            pub bytes: u64,
        }

        /// The counters behind one [`Stats`].
        pub(crate) struct Counters {
            pub(crate) hits: Striped,
            $(pub(crate) $name: Counter,)*
            load_times: Timings,
            store_times: Timings,
            pub(crate) memory: Kept,
            /// What was counted before the last reset.
            before: Mutex<Stats>,
            /// `crate::module::function`.
            function: &'static str,
            watch: Option<Arc<Watch>>,
            #[cfg(feature = "metrics")]
            times: crate::metrics::Times,
        }

        impl Default for Counters {
            fn default() -> Self {
                Counters::of("", None)
            }
        }

        impl Counters {
            /// Those of a function in a cache.
            pub(crate) fn of(function: &'static str, watch: Option<Arc<Watch>>) -> Self {
                Counters {
                    hits: Striped::default(),
                    $($name: Counter::default(),)*
                    load_times: Timings::default(),
                    store_times: Timings::default(),
                    memory: Kept::default(),
                    before: Mutex::default(),
                    function,
                    watch,
                    #[cfg(feature = "metrics")]
                    times: Default::default(),
                }
            }
        }

        impl Counters {
            /// All figures since the beginning. What follows from something is read before it.
            pub(crate) fn total(&self) -> Stats {
                let mut stats = Stats::default();
                $(stats.$name = self.$name.get();)*
                stats.load_times = self.load_times.snapshot();
                stats.store_times = self.store_times.snapshot();
                stats.hits = self.hits.sum();
                stats.entries = self.memory.entries();
                stats.bytes = self.memory.bytes();
                stats
            }
        }

        impl AddAssign for Stats {
            fn add_assign(&mut self, other: Stats) {
                self.hits += other.hits;
                $(self.$name += other.$name;)*
                self.load_times.add(&other.load_times);
                self.store_times.add(&other.store_times);
                self.entries += other.entries;
                self.bytes += other.bytes;
            }
        }

        /// What was counted between two snapshots; entries and bytes stay those of the later one.
        impl SubAssign for Stats {
            fn sub_assign(&mut self, earlier: Stats) {
                self.hits = self.hits.saturating_sub(earlier.hits);
                $(self.$name = self.$name.saturating_sub(earlier.$name);)*
                self.load_times.subtract(&earlier.load_times);
                self.store_times.subtract(&earlier.store_times);
            }
        }

        impl Stats {
            /// Every counter with its name.
            pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [("hits", self.hits), $((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Results stored.
    stores,
    /// Results not stored: `None`, `Err`, refused by `cache_if`, invalidated meanwhile, or several
    /// of a batch for one key. The error of a whole batch is not counted here: it is none of a key.
    rejections,
    /// Misses that were answered with the value past its timeout after all, because the load
    /// failed or was slow, or the shared store had that value and it is refreshed meanwhile. They
    /// are counted among the misses too.
    fallbacks,
    /// Bodies that returned an error, panicked or ran into the hard timeout; they are counted among
    /// the loads too. For a batch, the keys of a body that did so as a whole.
    load_errors,
    /// Times a body was run in order to fill the cache, to whatever end; for a batch, the keys that
    /// it was run for. Not counted: calls that went past the cache, and those from inside their own
    /// load.
    loads,
    /// Misses that the shared store answered: no body ran.
    fetched,
    /// Callers that waited for another's load instead of starting one, or found that it had just
    /// ended.
    coalesced,
    /// Served past its timeout at once, while a load refreshes it or shortly after one failed.
    stale,
    /// Entries that could not be read: of another type, or damaged on a shared store. These reads
    /// are misses too, for whatever reason memory had.
    undecodable,
    /// Misses: there was no entry.
    absent,
    /// Misses: the entry was past its timeout, or `stale_if` said so.
    expired,
    /// Misses: the entry had been invalidated.
    invalidated,
    /// Calls that went past the cache, by `unless`.
    bypassed,
    /// Calls that were to compute afresh, by `refresh_if` or `entry!(…).refresh()`.
    refreshed,
    /// Entries that left to make room.
    evictions,
    /// Invalidations: counted for the cache, not for its functions.
    invalidations,
    /// Failures of a shared store: counted for the cache, not for its functions. What is not asked
    /// of it while it is left alone has not failed.
    store_errors,
    /// Invalidations heard of from other processes: counted for the cache.
    messages,
    /// Messages that could not be read.
    undecodable_messages,
}

/// One number that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Release);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// What is in memory now. Coming and going may be told in either order.
#[derive(Default)]
pub(crate) struct Kept {
    entries: AtomicI64,
    bytes: AtomicI64,
}

impl Kept {
    pub(crate) fn came(&self, bytes: u32) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(i64::from(bytes), Ordering::Relaxed);
    }

    pub(crate) fn went(&self, bytes: u32) {
        self.entries.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(i64::from(bytes), Ordering::Relaxed);
    }

    fn entries(&self) -> u64 {
        u64::try_from(self.entries.load(Ordering::Relaxed)).unwrap_or(0)
    }

    fn bytes(&self) -> u64 {
        u64::try_from(self.bytes.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

impl Counters {
    /// The figures since the last reset.
    pub(crate) fn snapshot(&self) -> Stats {
        // The lock first: a reset between the two would leave less than nothing.
        let before = lock(&self.before);
        let mut stats = self.total();
        stats -= *before;
        stats
    }

    /// Back to zero. The counters themselves go on: their writers are not to be stopped.
    pub(crate) fn reset(&self) {
        let mut before = lock(&self.before);
        *before = self.total();
    }

    /// Whether anybody is told what happens.
    #[inline]
    pub(crate) fn watched(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.is_on())
    }

    /// Tells of a hit, where anybody here wants to know; says whether anybody anywhere does.
    pub(crate) fn tell_hit(&self, key: Named<'_>) -> bool {
        let Some(watch) = &self.watch else {
            return false;
        };
        if watch.is_told_of_hits() {
            watch.tell(self.function, Some(key), EventKind::Hit);
        }
        watch.is_told_by_us() || crate::trace::may_be_told_of_hits()
    }

    /// Tells whoever wants to know what happened, to one entry or to none in particular.
    pub(crate) fn tell<'a>(
        &self,
        key: impl Into<Option<Named<'a>>>,
        kind: impl FnOnce() -> EventKind,
    ) {
        if let Some(watch) = self.watch.as_deref().filter(|watch| watch.is_on()) {
            watch.tell(self.function, key.into(), kind());
        }
    }

    /// The cache's name.
    #[cfg(feature = "stores")]
    pub(crate) fn cache(&self) -> &str {
        self.watch.as_ref().map_or("", |watch| watch.cache())
    }

    /// What the cache is called where it is published.
    #[cfg(feature = "metrics")]
    fn published(&self) -> Option<&str> {
        self.watch.as_ref()?.published()
    }

    /// An operation of the shared store has ended.
    #[cfg(feature = "stores")]
    pub(crate) fn operated(&self, gone: Nanos) {
        self.store_times.record(gone);
        #[cfg(feature = "metrics")]
        if let Some(cache) = self.published() {
            self.times.store(cache, gone);
        }
    }

    /// A read found nothing to serve.
    pub(crate) fn missed<'a>(&self, key: impl Into<Option<Named<'a>>>, reason: MissReason) {
        match reason {
            MissReason::Absent => self.absent.one(),
            MissReason::Expired => self.expired.one(),
            MissReason::Invalidated => self.invalidated.one(),
            MissReason::Bypassed => self.bypassed.one(),
            MissReason::Refreshed => self.refreshed.one(),
            MissReason::Undecodable => {
                self.absent.one();
                self.undecodable.one();
            }
        }
        self.tell(key, || EventKind::Miss(reason));
    }

    /// A caller has another's load to thank, or will.
    pub(crate) fn waited<'a>(&self, key: impl Into<Option<Named<'a>>>) {
        self.coalesced.one();
        self.tell(key, || EventKind::Waited);
    }

    /// A result was stored, or it was not.
    pub(crate) fn kept<'a>(&self, key: impl Into<Option<Named<'a>>>, stored: bool) {
        if stored {
            self.stores.one();
            self.tell(key, || EventKind::Stored);
        } else {
            self.rejections.one();
            self.tell(key, || EventKind::Rejected);
        }
    }

    /// A value past its timeout was served.
    #[cold]
    pub(crate) fn served_stale<'a>(&self, key: impl Into<Option<Named<'a>>>) {
        self.stale.one();
        self.tell(key, || EventKind::Stale);
    }

    /// A body has been run, to whatever end.
    pub(crate) fn loaded<'a>(&self, key: impl Into<Option<Named<'a>>>, gone: Nanos, failed: bool) {
        self.load_times.record(gone);
        #[cfg(feature = "metrics")]
        if let Some(cache) = self.published() {
            self.times.loaded(cache, self.function, gone);
        }
        self.loads.one();
        if failed {
            self.load_errors.one();
        }
        let time = Duration::from_nanos(gone);
        self.tell(key, || EventKind::Loaded { time, failed });
    }
}

impl Stats {
    /// Reads that found nothing to serve.
    pub fn misses(&self) -> u64 {
        self.absent + self.expired + self.invalidated + self.bypassed + self.refreshed
    }

    /// All reads.
    pub fn lookups(&self) -> u64 {
        self.hits + self.stale + self.misses()
    }

    /// Reads served from the cache, from 0 to 1; 0 where there were no reads.
    pub fn hit_ratio(&self) -> f64 {
        match self.lookups() {
            0 => 0.0,
            all => (self.hits + self.stale) as f64 / all as f64,
        }
    }

    /// The mean time of a load; zero where there was none.
    pub fn mean_load(&self) -> Duration {
        self.load_times.mean()
    }

    /// The time that callers were spared: what was served from the cache, at the mean time of a
    /// load.
    pub fn time_saved(&self) -> Duration {
        let nanos = self.load_times.mean().as_nanos() * u128::from(self.hits + self.stale);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::{Counters, Stats};

    #[test]
    fn no_count_is_lost_between_threads() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        counters.hits.one();
                    }
                });
            }
        });
        assert_eq!(counters.snapshot().hits, 8000);
        counters.reset();
        assert_eq!(counters.snapshot(), Stats::default());
    }

    #[test]
    fn a_snapshot_shows_no_effect_without_its_cause() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for _ in 0..20_000 {
                    counters.absent.one();
                    counters.loaded(None, 1, false);
                    counters.stores.one();
                }
            });
            while !writer.is_finished() {
                let stats = counters.snapshot();
                assert!(stats.stores <= stats.loads, "{stats:?}");
                assert!(stats.loads <= stats.absent, "{stats:?}");
            }
        });
        let stats = counters.snapshot();
        assert_eq!((stats.stores, stats.load_times.count()), (20_000, 20_000));
    }

    #[test]
    fn a_reset_while_others_count_loses_nothing() {
        const LOADS: u64 = 20_000;
        let counters = Counters::default();
        let load = || {
            counters.absent.one();
            counters.loaded(None, 3, false);
            counters.stores.one();
        };
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..LOADS).for_each(|_| load()));
            while !writer.is_finished() {
                counters.reset();
                let (earlier, later) = (counters.snapshot(), counters.snapshot());
                let all = earlier.counts().zip(later.counts());
                for ((name, earlier), (_, later)) in all {
                    // Never less than nothing, and nothing is taken back.
                    assert!(earlier <= later && later <= LOADS, "{name}: {later}");
                }
            }
        });
        let all = counters.total();
        let counted = (all.absent, all.loads, all.load_times.count(), all.stores);
        assert_eq!(counted, (LOADS, LOADS, LOADS, LOADS));
        // Nothing is under way: what is seen from now on is whole.
        counters.reset();
        assert_eq!(counters.snapshot(), Stats::default());
        load();
        let since = counters.snapshot();
        let counted = (since.absent, since.loads, since.load_times.count());
        assert_eq!((counted, since.stores), ((1, 1, 1), 1));
    }

    #[test]
    fn of_what_is_under_way_at_a_reset_the_rest_is_seen() {
        let counters = Counters::default();
        counters.absent.one();
        counters.reset();
        counters.loaded(None, 3, false);
        let since = counters.snapshot();
        assert_eq!((since.absent, since.loads), (0, 1));
    }
}
