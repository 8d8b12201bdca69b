//! How long something took, as a distribution.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Nanos, nanos};

/// Up to where each bucket goes, that place included; what takes longer is in one more.
const BOUNDS: [Duration; 23] = [
    Duration::from_micros(1),
    Duration::from_micros(5),
    Duration::from_micros(10),
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

const BUCKETS: usize = BOUNDS.len() + 1;

/// How long something took: how many took how long, and all of it together.
///
/// ```
/// # #[dewar::cached] fn answer(question: u64) -> u64 { question * 2 }
/// dewar::testing::isolated(|cache| {
///     answer(21);
///     let times = cache.stats().load_times;
///     assert_eq!(times.count(), 1);
///     println!("95 % of loads take less than {:?}", times.quantile(0.95));
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    nanos: u64,
}

impl Histogram {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The mean; zero where there were none.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.nanos.checked_div(self.count()).unwrap_or(0))
    }

    /// How long that part of them took at most, 0.5 for the median: estimated within a bucket, and
    /// zero where there were none. What took longer than a minute counts as a minute.
    pub fn quantile(&self, part: f64) -> Duration {
        let rank = part.clamp(0.0, 1.0) * self.count() as f64;
        let (mut below, mut from) = (0_u64, Duration::ZERO);
        for (bound, count) in BOUNDS.iter().zip(self.counts) {
            if count > 0 && (below + count) as f64 >= rank {
                let within = ((rank - below as f64) / count as f64).clamp(0.0, 1.0);
                return from + (*bound - from).mul_f64(within);
            }
            below += count;
            from = *bound;
        }
        if below == self.count() {
            Duration::ZERO
        } else {
            from
        }
    }

    /// How many took so long or less, for each bound from a microsecond to a minute.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let mut sum = 0;
        BOUNDS.iter().zip(self.counts).map(move |(bound, count)| {
            sum += count;
            (*bound, sum)
        })
    }

    pub(super) fn add(&mut self, other: &Histogram) {
        self.combine(other, u64::wrapping_add);
    }

    pub(super) fn subtract(&mut self, other: &Histogram) {
        self.combine(other, u64::saturating_sub);
    }

    fn combine(&mut self, other: &Histogram, with: fn(u64, u64) -> u64) {
        for (count, other) in self.counts.iter_mut().zip(other.counts) {
            *count = with(*count, other);
        }
        self.nanos = with(self.nanos, other.nanos);
    }
}

/// What is behind one [`Histogram`].
#[derive(Default)]
pub(crate) struct Timings {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Timings {
    pub(crate) fn record(&self, gone: Nanos) {
        let bucket = BOUNDS.partition_point(|bound| nanos(*bound) < gone);
        self.nanos.fetch_add(gone, Ordering::Relaxed);
        self.counts[bucket].fetch_add(1, Ordering::Release);
    }

    pub(super) fn snapshot(&self) -> Histogram {
        Histogram {
            counts: std::array::from_fn(|bucket| self.counts[bucket].load(Ordering::Acquire)),
            nanos: self.nanos.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BOUNDS, Histogram, Timings};
    use std::time::Duration;

    fn recorded(times: impl IntoIterator<Item = Duration>) -> Histogram {
        let timings = Timings::default();
        times
            .into_iter()
            .for_each(|time| timings.record(crate::clock::nanos(time)));
        timings.snapshot()
    }

    #[test]
    fn nothing_recorded_is_zero_throughout() {
        let none = Histogram::default();
        assert_eq!(
            (none.count(), none.mean(), none.quantile(0.99)),
            Default::default()
        );
        assert!(none.buckets().all(|(_, count)| count == 0));
    }

    #[test]
    fn a_bound_belongs_to_its_bucket_and_longer_ones_to_none() {
        let times = recorded([BOUNDS[0], BOUNDS[22], Duration::from_secs(3600)]);
        let counts: Vec<_> = times.buckets().map(|(_, count)| count).collect();
        assert_eq!(
            (counts[0], counts[21], counts[22], times.count()),
            (1, 1, 2, 3)
        );
        assert_eq!(times.sum(), Duration::from_secs(3660) + BOUNDS[0]);
    }

    #[test]
    fn quantiles_are_those_of_the_bucket() {
        let slow = recorded((0..100).map(|n| Duration::from_millis(if n < 90 { 8 } else { 800 })));
        let (median, most) = (slow.quantile(0.5), slow.quantile(0.95));
        assert!(median > Duration::from_millis(5) && median <= Duration::from_millis(10));
        assert!(most > Duration::from_millis(500) && most <= Duration::from_secs(1));
        assert_eq!(
            recorded([Duration::from_secs(999)]).quantile(1.0),
            BOUNDS[22]
        );
    }
}
