//! A counter that threads add to without getting in each other's way.
//!
//! Every thread has a stripe of its own, as long as there are enough: as many as the machine has
//! processors, and some. It alone writes there, so that adding is a load and a store. The threads
//! beyond share the last stripe. A thread that ends leaves its stripe to the next.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::available_parallelism;

use crate::sync::lock;

#[derive(Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

/// A sum kept in several places.
pub(crate) struct Striped {
    stripes: Box<[Stripe]>,
}

/// How many threads have a stripe of their own.
fn owned() -> usize {
    static OWNED: OnceLock<usize> = OnceLock::new();
    *OWNED.get_or_init(|| available_parallelism().map_or(4, |n| n.get()).clamp(4, 60) + 4)
}

/// The stripes that no thread has.
static FREE: Mutex<Free> = Mutex::new(Free {
    next: 0,
    returned: Vec::new(),
});

struct Free {
    next: usize,
    returned: Vec<usize>,
}

/// Not asked yet.
const UNKNOWN: usize = usize::MAX;
/// None of its own.
const SHARED: usize = usize::MAX - 1;

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(UNKNOWN) };
    static LEASE: Lease = Lease::take();
}

/// A thread's right to its stripe.
struct Lease(usize);

impl Lease {
    fn take() -> Lease {
        let mut free = lock(&FREE);
        let mine = free.returned.pop().unwrap_or_else(|| {
            let next = free.next;
            if next < owned() {
                free.next += 1;
                next
            } else {
                SHARED
            }
        });
        Lease(mine)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        MINE.set(SHARED);
        if self.0 != SHARED {
            lock(&FREE).returned.push(self.0);
        }
    }
}

#[cold]
fn ask() -> usize {
    let mine = LEASE.try_with(|lease| lease.0).unwrap_or(SHARED);
    MINE.set(mine);
    mine
}

impl Default for Striped {
    fn default() -> Self {
        Striped {
            stripes: (0..=owned()).map(|_| Stripe::default()).collect(),
        }
    }
}

impl Striped {
    /// Adds one, and says how many there are in this stripe.
    #[inline]
    pub(crate) fn one(&self) -> u64 {
        // What it costs is measured against a build that does not do it.
        if cfg!(dewar_uncounted) {
            return 1;
        }
        let mine = MINE.get();
        // The last stripe is nobody's.
        if mine < self.stripes.len() - 1 {
            let count = &self.stripes[mine].0;
            let sum = count.load(Ordering::Relaxed) + 1;
            count.store(sum, Ordering::Relaxed);
            return sum;
        }
        self.one_more(mine)
    }

    #[cold]
    fn one_more(&self, mine: usize) -> u64 {
        if mine == UNKNOWN && ask() != SHARED {
            return self.one();
        }
        match self.stripes.last() {
            Some(last) => last.0.fetch_add(1, Ordering::Relaxed) + 1,
            None => 0,
        }
    }

    pub(crate) fn sum(&self) -> u64 {
        let stripes = self.stripes.iter();
        stripes.fold(0, |sum: u64, stripe| {
            sum.wrapping_add(stripe.0.load(Ordering::Relaxed))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Striped, owned};

    #[test]
    fn threads_one_after_the_other_and_side_by_side_lose_nothing() {
        let count = Striped::default();
        for _ in 0..3 {
            std::thread::scope(|scope| {
                for _ in 0..owned() * 2 {
                    scope.spawn(|| {
                        for _ in 0..1000 {
                            count.one();
                        }
                    });
                }
            });
        }
        assert_eq!(count.sum(), owned() as u64 * 2 * 3 * 1000);
    }
}
