//! Loads and invalidations on threads of their own, that end together.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::Poll;

use crate::common::{Source, Task};
use crate::product::{Bench, call, each, invalidate};

/// 28 pairs of 360 schedules each.
const SCHEDULES: u64 = 360;

#[test]
fn ten_thousand_races_between_a_load_and_an_invalidation_leave_no_old_value() {
    each(race);
}

fn race(bench: &mut Bench) {
    let (kind, how) = (bench.kind, bench.how);
    let cache = bench.cache.clone();
    let turn = Barrier::new(2);
    let source = Source::open(0);
    let truth = AtomicU64::new(0);
    let mut wrong = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..SCHEDULES {
                turn.wait();
                spin(n.wrapping_mul(2_654_435_761) % 97);
                truth.store(n, SeqCst);
                source.set(n);
                cache.run(|| invalidate(kind, how, n % 3));
                turn.wait();
            }
        });
        for n in 0..SCHEDULES {
            turn.wait();
            spin(n.wrapping_mul(40_503) % 89);
            let mut task = call(kind, &source, n % 3);
            let _ = task.step();
            bench.background.step();
            turn.wait();
            let mut after: Task<_> = call(kind, &source, n % 3);
            // Said once all is over: a panic here would leave the other thread waiting.
            wrong += u64::from(after.step() != Poll::Ready(Ok(truth.load(SeqCst))));
            if n % 5 == 0 {
                bench.cache.advance(crate::common::secs(45));
            }
            let _ = call(kind, &source, n % 3).step();
        }
    });
    assert_eq!(wrong, 0, "old values in {SCHEDULES} schedules");
}

fn spin(n: u64) {
    (0..n).for_each(|_| std::hint::spin_loop());
}
