//! Loads and invalidations on threads of their own, that end together.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

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
            assert!(task.step().is_ready());
            bench.background.step();
            turn.wait();
            let mut after: Task<_> = call(kind, &source, n % 3);
            assert_eq!(after.done(), Ok(truth.load(SeqCst)), "schedule {n}");
            if n % 5 == 0 {
                bench.cache.advance(crate::common::secs(45));
            }
            let _ = call(kind, &source, n % 3).step();
        }
    });
}

fn spin(n: u64) {
    (0..n).for_each(|_| std::hint::spin_loop());
}
