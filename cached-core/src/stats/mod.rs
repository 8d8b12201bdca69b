//! Counters, per function and per cache.
//!
//! A hit adds to one counter, striped over threads so that two of them do not share a cache line.
//! Everything else is rare enough for a plain atomic.

mod striped;

use striped::Striped;

use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            /// Served from the cache, fresh.
            pub hits: u64,
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The counters behind one [`Stats`].
        #[derive(Default)]
        pub(crate) struct Counters {
            pub(crate) hits: Striped,
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            /// The figures now; each is exact, together they are as of slightly different moments.
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { hits: self.hits.sum(), $($name: self.$name.get(),)* }
            }

            /// Back to zero.
            pub(crate) fn reset(&self) {
                self.hits.reset();
                $(self.$name.0.store(0, Ordering::Relaxed);)*
            }
        }

        impl AddAssign for Stats {
            fn add_assign(&mut self, other: Stats) {
                self.hits += other.hits;
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    /// Served past its timeout at once, while a load refreshes it or shortly after one failed.
    stale,
    /// Misses that were answered with the value past its timeout after all, because the load
    /// failed or was slow. They are counted among the misses too.
    fallbacks,
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
    /// Misses: the entry could not be read.
    undecodable,
    /// Times a body was run in order to fill the cache, to whatever end; for a batch, the keys that
    /// it was run for. Not counted: calls that went past the cache, and those from inside their own
    /// load.
    loads,
    /// Bodies that returned an error, panicked or ran into the hard timeout; they are counted among
    /// the loads too. For a batch, the keys of a body that did so as a whole.
    load_errors,
    /// Time spent in bodies, in nanoseconds; for a batch, once for each key.
    load_nanos,
    /// Callers that waited for another's load instead of starting one.
    coalesced,
    /// Results stored.
    stores,
    /// Results not stored: `None`, `Err`, refused by `cache_if`, invalidated meanwhile, or several
    /// of a batch for one key. The error of a whole batch is not counted here: it is none of a key.
    rejections,
    /// Entries that left to make room.
    evictions,
    /// Invalidations: counted for the cache, not for its functions.
    invalidations,
    /// Misses that a shared store answered: no body ran.
    fetched,
    /// Failures of a shared store: counted for the cache, not for its functions.
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
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stats {
    /// Reads that found nothing to serve.
    pub fn misses(&self) -> u64 {
        self.absent
            + self.expired
            + self.invalidated
            + self.bypassed
            + self.refreshed
            + self.undecodable
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
        Duration::from_nanos(self.load_nanos.checked_div(self.loads).unwrap_or(0))
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} lookups: {} hits, {} stale, {} misses ({:.1} % served from the cache)",
            self.lookups(),
            self.hits,
            self.stale,
            self.misses(),
            self.hit_ratio() * 100.0
        )?;
        writeln!(
            f,
            "misses: {} absent, {} expired, {} invalidated, {} bypassed, {} refreshed, {} undecodable",
            self.absent,
            self.expired,
            self.invalidated,
            self.bypassed,
            self.refreshed,
            self.undecodable
        )?;
        writeln!(
            f,
            "loads: {} ({:?} each), {} failed, {} answered stale instead, {} callers waited",
            self.loads,
            self.mean_load(),
            self.load_errors,
            self.fallbacks,
            self.coalesced
        )?;
        write!(
            f,
            "stores: {}, {} not stored, {} evicted, {} invalidations, {} store errors",
            self.stores, self.rejections, self.evictions, self.invalidations, self.store_errors
        )?;
        if self.fetched + self.messages + self.undecodable_messages > 0 {
            write!(
                f,
                "\nshared: {} fetched, {} invalidations heard of, {} messages undecodable",
                self.fetched, self.messages, self.undecodable_messages
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Counters, Stats};

    #[test]
    fn zero_traffic_shows_zeros() {
        let stats = Stats::default();
        assert_eq!(stats.hit_ratio(), 0.0);
        assert_eq!(stats.mean_load(), std::time::Duration::ZERO);
        assert!(stats.to_string().starts_with("0 lookups: 0 hits"));
    }

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
}
