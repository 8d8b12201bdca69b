//! A counter that threads add to without getting in each other's way.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const STRIPES: usize = 8;

#[derive(Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

/// A sum kept in several places, one for each of a few threads.
#[derive(Default)]
pub(crate) struct Striped([Stripe; STRIPES]);

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        mine.get()
    })
}

impl Striped {
    #[inline]
    pub(crate) fn one(&self) {
        self.0[mine()].0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn sum(&self) -> u64 {
        self.0
            .iter()
            .map(|stripe| stripe.0.load(Ordering::Relaxed))
            .sum()
    }

    pub(crate) fn reset(&self) {
        self.0
            .iter()
            .for_each(|stripe| stripe.0.store(0, Ordering::Relaxed));
    }
}
