//! What goes wrong in other caches, one test for each. What a whole file is about elsewhere
//! (`fence`, `flight`, `cancel`, `recursion`) has its shortest form here.

mod common;

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use common::{End, Failed, Source, Task, secs, stepped};
use dewar::testing::{TestCache, isolated};
use dewar::{Cache, cached, invalidate};

#[cached(skip(source))]
async fn item(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load().await
}

fn call(source: &Arc<Source>, id: u64) -> Task<Result<u64, Failed>> {
    Task::new(item(Arc::clone(source), id))
}

#[test]
fn a_load_from_before_an_invalidation_does_not_store_its_old_value() {
    isolated(|_| {
        let source = Source::shut(1);
        let mut old = call(&source, 1).waiting();
        source.set(2);
        invalidate!(item(_, 1)).wait().unwrap();
        source.end_all(End::Well);
        assert_eq!((old.done(), call(&source, 1).done()), (Ok(1), Ok(2)));
    });
}

type Answer<T> = Result<T, String>;
type Deeper = Answer<u64>;
type Perhaps = Option<u64>;

#[test]
fn the_error_of_a_result_behind_an_alias_is_not_cached() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    #[cached]
    fn aliased(id: u64) -> Deeper {
        match RUNS.fetch_add(1, SeqCst) {
            0 => Err("not yet".into()),
            _ => Ok(id),
        }
    }
    #[cached]
    fn perhaps(id: u64) -> Perhaps {
        (RUNS.fetch_add(1, SeqCst) > 2).then_some(id)
    }
    isolated(|_| {
        assert_eq!(
            (aliased(7).is_err(), aliased(7), aliased(7)),
            (true, Ok(7), Ok(7))
        );
        assert_eq!(
            (perhaps(7), perhaps(7), perhaps(7)),
            (None, Some(7), Some(7))
        );
        assert_eq!(RUNS.load(SeqCst), 4);
    });
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Scale(u64);

trait Doubled {
    fn doubled(&self, by: u64) -> u64;
}

impl Scale {
    #[cached]
    fn times(&self, by: u64) -> u64 {
        self.0 * by
    }

    #[cached]
    fn of(by: u64) -> u64 {
        by + 1
    }
}

impl Doubled for Scale {
    #[cached]
    fn doubled(&self, by: u64) -> u64 {
        self.0 * by * 2
    }
}

#[test]
fn a_method_of_one_value_does_not_answer_for_another() {
    isolated(|cache| {
        assert_eq!((Scale(1).times(2), Scale(100).times(2)), (2, 200));
        assert_eq!((Scale(1).doubled(2), Scale(100).doubled(2)), (4, 400));
        assert_eq!((Scale::of(1), Scale::of(1)), (2, 2));
        assert_eq!((Scale(1).times(2), Scale(1).doubled(2)), (2, 4));
        assert_eq!((cache.stats().loads, cache.stats().hits), (5, 3));
    });
}

#[test]
fn instantiations_of_a_generic_function_do_not_share_values() {
    #[cached]
    fn size<T: Default + Hash + Eq + Clone + Send + Sync + 'static>(n: u64) -> usize {
        let _ = n;
        size_of::<T>()
    }
    isolated(|_| assert_eq!((size::<u8>(1), size::<u64>(1), size::<u8>(1)), (1, 8, 1)));
}

#[test]
fn texts_that_run_together_are_different_keys() {
    #[cached]
    fn joined(a: &str, b: &str) -> String {
        format!("<{a}><{b}>")
    }
    isolated(|cache| {
        for (a, b) in [
            ("1", "23"),
            ("12", "3"),
            ("a|b", "c"),
            ("a", "b|c"),
            ("", "123"),
            ("123", ""),
        ] {
            assert_eq!(joined(a, b), format!("<{a}><{b}>"));
        }
        assert_eq!(cache.stats().loads, 6);
    });
}

/// A user whose `Debug` text hides who it is.
#[derive(Clone, PartialEq, Eq, Hash)]
struct User(u64);

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("User { .. }")
    }
}

#[test]
fn a_debug_text_is_no_key() {
    #[cached]
    fn account(user: &User) -> u64 {
        user.0
    }
    isolated(|_| assert_eq!((account(&User(1)), account(&User(2))), (1, 2)));
}

#[test]
fn a_hit_does_not_wait_for_the_load_of_another_key() {
    isolated(|_| {
        let source = Source::open(1);
        assert_eq!(call(&source, 1).done(), Ok(1));
        source.close();
        let _slow: Vec<_> = (2..66).map(|id| call(&source, id).waiting()).collect();
        assert_eq!(call(&source, 1).done(), Ok(1));
        assert_eq!(source.begun(), 65, "and 64 slow keys load side by side");
    });
}

#[test]
fn a_cancelled_or_panicked_leader_does_not_leave_the_waiters_hanging() {
    isolated(|_| {
        let source = Source::shut(1);
        let (leader, mut waiter) = (call(&source, 1).waiting(), call(&source, 1).waiting());
        let mut other = call(&source, 1).waiting();
        drop(leader);
        source.end(1, End::Panicking);
        assert!(common::panics(|| waiter.done()));
        source.end_all(End::Well);
        assert_eq!(other.done(), Ok(1));
    });
}

#[test]
fn eight_failing_callers_do_not_run_eight_times() {
    isolated(|_| {
        let source = Source::shut(1);
        let mut calls: Vec<_> = (0..8).map(|_| call(&source, 1).waiting()).collect();
        source.end(1, End::Badly);
        assert!(calls.iter_mut().all(|call| call.done() == Err(Failed)));
        assert_eq!(source.begun(), 1);
    });
}

#[test]
fn callers_that_give_up_do_not_start_the_load_again_and_again() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(1);
        (0..5).for_each(|_| drop(call(&source, 1).waiting()));
        source.end(1, End::Well);
        background.step();
        assert_eq!((call(&source, 1).done(), source.begun()), (Ok(1), 1));
    });
}

#[test]
fn a_literal_prefix_does_not_make_the_arguments_count_for_nothing() {
    #[cached(key_prefix = "all_users")]
    fn named(id: u64) -> u64 {
        id
    }
    #[cached(key_prefix = "all_users")]
    fn numbered(id: u64) -> u64 {
        id + 100
    }
    isolated(|_| {
        assert_eq!((named(1), named(2)), (1, 2));
        assert_eq!((numbered(1), numbered(2)), (101, 102));
    });
}

#[test]
fn two_applications_in_one_process_do_not_share_entries() {
    #[cached(skip(state))]
    fn greeting(state: &str, id: u64) -> String {
        format!("{state} {id}")
    }
    let (one, other) = (
        Cache::builder().build().unwrap(),
        Cache::builder().build().unwrap(),
    );
    assert_eq!(one.scope_blocking(|| greeting("one", 1)), "one 1");
    assert_eq!(other.scope_blocking(|| greeting("other", 1)), "other 1");
    assert_eq!(one.scope_blocking(|| greeting("?", 1)), "one 1");
}

#[test]
fn a_float_is_an_argument_like_any_other() {
    #[cached]
    fn half(x: f64) -> f64 {
        x / 2.0
    }
    isolated(|cache| {
        assert_eq!((half(3.0), half(3.0), half(5.0)), (1.5, 1.5, 2.5));
        assert_eq!(cache.stats().loads, 2);
    });
}

#[test]
fn an_invalidation_leaves_no_entry_readable() {
    #[cached(key_prefix = "all:{id}")]
    fn one(id: u64) -> u64 {
        id
    }
    let cache = TestCache::with(Cache::builder().max_entries(20_000)).unwrap();
    cache.run(|| {
        (0..10_000).for_each(|id| {
            one(id);
        });
        cache.reset_stats();
        invalidate!(prefix = "all").wait().unwrap();
        (0..10_000).for_each(|id| {
            one(id);
        });
        assert_eq!((cache.stats().hits, cache.stats().invalidated), (0, 10_000));
    });
}

#[test]
fn expired_entries_go_without_traffic() {
    let cache = TestCache::new();
    cache.run(|| {
        (0..100).for_each(|id| {
            Scale(id).times(1);
        })
    });
    cache.advance(secs(301));
    assert_eq!((cache.len(), cache.sweep(), cache.len()), (100, 100, 0));
}
