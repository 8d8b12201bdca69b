//! A load that began before an invalidation is never served after it: every way to invalidate,
//! for every kind of load.

mod common;
#[path = "fence/product.rs"]
mod product;
#[path = "fence/race.rs"]
mod race;

use common::{End, Failed, Task};
use product::{How, Kind, each};

#[test]
fn a_load_that_was_invalidated_half_way_is_not_stored() {
    each(|bench| {
        let mut caller = bench.begin();
        bench.source.set(2);
        bench.invalidate();
        bench.finish(End::Well);
        assert_eq!(caller.as_mut().map(Task::done), bench.waited(Ok(1)));
        assert_eq!(
            bench.read(),
            Ok(2),
            "the value from before the invalidation"
        );
        assert_eq!(bench.source.begun(), bench.loads + 1);
    });
}

#[test]
fn a_caller_after_the_invalidation_does_not_wait_for_the_old_load() {
    each(|bench| {
        let _old = bench.begin();
        bench.source.set(2);
        bench.invalidate();
        let mut new = bench.call();
        new.pending();
        assert_eq!(
            bench.source.begun(),
            bench.loads + 1,
            "it joined the old load"
        );
        bench.source.end(bench.loads + 1, End::Well);
        assert_eq!(new.done(), Ok(2));
        assert_eq!(
            bench.source.ended() + 1,
            bench.source.begun(),
            "the old load still runs"
        );
        bench.finish(End::Well);
        assert_eq!(bench.read(), Ok(2));
        assert_eq!(
            bench.source.begun(),
            bench.loads + 1,
            "the new value is a hit"
        );
    });
}

#[test]
fn callers_from_before_the_invalidation_get_the_old_value() {
    each(|bench| {
        let mut first = bench.begin();
        let mut second = first.is_some().then(|| bench.call().waiting());
        bench.source.set(2);
        bench.invalidate();
        bench.finish(End::Well);
        assert_eq!(first.as_mut().map(Task::done), bench.waited(Ok(1)));
        assert_eq!(second.as_mut().map(Task::done), bench.waited(Ok(1)));
        assert_eq!(bench.source.begun(), bench.loads, "they shared one load");
    });
}

#[test]
fn two_loads_and_two_invalidations_in_reverse_order_leave_neither_value() {
    each(|bench| {
        let _first = bench.begin();
        bench.source.set(2);
        bench.invalidate();
        let mut second = bench.call().waiting();
        bench.source.set(3);
        bench.invalidate();
        bench.source.end(bench.loads + 1, End::Well);
        assert_eq!(
            second.done(),
            Ok(2),
            "it asked before the second invalidation"
        );
        bench.finish(End::Well);
        assert_eq!(bench.read(), Ok(3));
    });
}

#[test]
fn an_old_load_that_ends_after_a_newer_one_changes_nothing() {
    each(|bench| {
        let _old = bench.begin();
        bench.source.set(2);
        bench.invalidate();
        bench.source.end(bench.loads + 1, End::Well);
        assert_eq!(bench.call().done(), Ok(2));
        bench.finish(End::Well);
        assert_eq!(bench.read(), Ok(2));
        assert_eq!(bench.source.begun(), bench.loads + 1);
    });
}

#[test]
fn a_storm_of_invalidations_starves_nobody() {
    each(|bench| {
        let mut caller = bench.begin();
        for _ in 0..100 {
            bench.invalidate();
            if let Some(caller) = &mut caller {
                caller.pending();
            }
        }
        bench.finish(End::Well);
        assert_eq!(caller.as_mut().map(Task::done), bench.waited(Ok(1)));
        assert_eq!(
            bench.source.begun(),
            bench.loads,
            "one try, its value returned unstored"
        );
        for n in 1..=10 {
            let mut next = bench.call().waiting();
            bench.invalidate();
            bench.source.end(bench.loads + n, End::Well);
            assert_eq!(next.done(), Ok(1));
            assert_eq!(bench.source.begun(), bench.loads + n);
        }
    });
}

#[test]
fn a_failed_or_panicked_load_leaves_nothing_behind() {
    for end in [End::Badly, End::Panicking] {
        each(|bench| {
            let mut caller = bench.begin();
            bench.source.set(2);
            bench.invalidate();
            bench.finish(end);
            match (&mut caller, end) {
                (Some(caller), End::Badly) => assert_eq!(caller.done(), Err(Failed)),
                (Some(caller), _) => assert!(common::panics(|| caller.done())),
                (None, _) => {}
            }
            assert_eq!(bench.read(), Ok(2));
            assert_eq!(bench.read(), Ok(2));
            assert_eq!(
                bench.source.begun(),
                bench.loads + 1,
                "loaded once, then a hit"
            );
        });
    }
}

#[test]
fn a_cancelled_load_leaves_nothing_behind() {
    each(|bench| {
        drop(bench.begin());
        bench.source.set(2);
        bench.invalidate();
        bench.background.shut_down();
        assert_eq!(bench.read(), Ok(2));
        assert_eq!(bench.read(), Ok(2));
        assert_eq!(bench.source.begun(), bench.loads + 1);
    });
}

#[test]
fn a_cancelled_load_that_goes_on_in_the_background_is_fenced_too() {
    each(|bench| {
        drop(bench.begin());
        assert_eq!(bench.background.len(), 1);
        bench.source.set(2);
        bench.invalidate();
        bench.finish(End::Well);
        assert_eq!(bench.read(), Ok(2));
    });
}

#[test]
fn an_invalidation_that_was_forgotten_still_holds() {
    each(|bench| {
        let _old = bench.begin();
        bench.source.set(2);
        bench.invalidate();
        for n in 0..20 {
            bench.cache.invalidation().tag(format!("other:{n}")).run();
        }
        bench.finish(End::Well);
        assert_eq!(bench.read(), Ok(2));
    });
}

#[test]
fn an_entry_evicted_in_between_does_not_let_the_old_value_back() {
    each(|bench| {
        let _old = bench.begin();
        bench.source.set(2);
        bench.invalidate();
        bench.source.end(bench.loads + 1, End::Well);
        assert_eq!(bench.call().done(), Ok(2));
        bench.evict();
        bench.finish(End::Well);
        assert_eq!(
            bench.read(),
            Ok(2),
            "a miss, or the new value, never the old one"
        );
    });
}

#[test]
fn every_pair_is_in_the_product() {
    let mut pairs = Vec::new();
    each(|bench| pairs.push((bench.kind, bench.how)));
    assert_eq!(pairs.len(), 28);
    assert!(pairs.contains(&(Kind::SoftTimeout, How::TagOfTheValue)));
}
