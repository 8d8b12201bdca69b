//! Batches that overlap: one run answers everybody who waits for one of its keys, however it ends.

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use common::{End, Failed, Source, Steps, Task, panics, secs, stepped};
use dewar::testing::isolated;
use dewar::{Cache, cached, invalidate, testing::TestCache};

type Values = HashMap<u64, u64>;

/// What a body has of the keys below 100: the source's value.
fn values(ids: &[u64], value: u64) -> Values {
    let there = ids.iter().filter(|id| **id < 100);
    there.map(|id| (*id, value)).collect()
}

#[cached(timeout = 60, key_prefix = "shared:{ids}", batch = ids, skip(source))]
async fn shared(source: &Source, ids: &[u64]) -> Result<Values, Failed> {
    Ok(values(ids, source.load().await?))
}

/// An error that nobody can give twice.
#[derive(Debug)]
struct Once;

#[cached(batch = ids, skip(source))]
async fn unshared(source: &Source, ids: &[u64]) -> Result<Values, Once> {
    let value = source.load().await.map_err(|_| Once)?;
    Ok(values(ids, value))
}

#[cached(timeout = 60, stale_if_error = 600, batch = ids, skip(source))]
async fn kept(source: &Source, ids: &[u64]) -> Result<Values, Failed> {
    Ok(values(ids, source.load().await?))
}

#[cached(batch = ids, skip(source))]
async fn optional(source: &Source, ids: &[u64]) -> Option<Result<Values, Failed>> {
    match source.load().await {
        Ok(value) => Some(Ok(values(ids, value))),
        Err(_) => None,
    }
}

#[cached(batch = ids, skip(source))]
async fn owned(source: Arc<Source>, ids: Vec<u64>) -> Result<Values, Failed> {
    Ok(values(&ids, source.load().await?))
}

#[cached(batch = ids, skip(source))]
async fn owned_slice(source: Arc<Source>, ids: &[u64]) -> Result<Values, Failed> {
    Ok(values(ids, source.load().await?))
}

#[cached(batch = ids, skip(source), detach = false)]
async fn attached(source: Arc<Source>, ids: Vec<u64>) -> Result<Values, Failed> {
    Ok(values(&ids, source.load().await?))
}

/// Eight calls of a batch that are under way: one leads.
macro_rules! eight {
    ($function:ident, $source:ident, $ids:expr) => {
        Vec::from_iter((0..8).map(|_| {
            let source = Arc::clone(&$source);
            Task::new(async move { $function(&source, $ids).await }).waiting()
        }))
    };
}

/// A call that owns its arguments.
macro_rules! call {
    ($function:ident, $source:ident, $ids:expr) => {
        Task::new($function(Arc::clone(&$source), $ids))
    };
}

fn finish<T>(mut task: Task<T>) -> T {
    for _ in 0..10 {
        if let Poll::Ready(result) = task.step() {
            return result;
        }
    }
    panic!("the call does not end");
}

#[test]
fn an_error_is_shared_by_all_who_wait() {
    isolated(|cache| {
        let source = Source::shut(1);
        let tasks = eight!(shared, source, &[1, 2]);
        source.end_all(End::Badly);
        for task in tasks {
            assert_eq!(finish(task), Err(Failed));
        }
        assert_eq!(source.begun(), 1);
        assert!(cache.is_empty());
    });
}

#[test]
fn so_is_the_none_of_the_whole() {
    isolated(|_| {
        let source = Source::shut(1);
        let tasks = eight!(optional, source, &[1]);
        source.end_all(End::Badly);
        for task in tasks {
            assert_eq!(finish(task), None);
        }
        assert_eq!(source.begun(), 1);
    });
}

#[test]
fn after_an_error_that_cannot_be_shared_all_load_side_by_side() {
    isolated(|_| {
        let source = Source::shut(1);
        let mut tasks = eight!(unshared, source, &[1, 2]);
        source.end(1, End::Badly);
        assert!(tasks[0].done().is_err());
        tasks[1..].iter_mut().for_each(Task::pending);
        assert_eq!(source.begun(), 8, "none of them waits for another");
        source.end_all(End::Badly);
        tasks[1..]
            .iter_mut()
            .for_each(|task| assert!(task.done().is_err()));
        assert_eq!(source.begun(), 8);
    });
}

#[test]
fn those_who_wait_have_stale_values_too() {
    isolated(|cache| {
        let source = Source::open(1);
        let ask = Arc::clone(&source);
        finish(Task::new(async move { kept(&ask, &[1, 2]).await })).unwrap();
        cache.advance(secs(61));
        source.close();
        let tasks = eight!(kept, source, &[1, 2]);
        let ask = Arc::clone(&source);
        let without = Task::new(async move { kept(&ask, &[1, 3]).await }).waiting();
        source.end_all(End::Badly);
        for task in tasks {
            assert_eq!(finish(task).unwrap(), values(&[1, 2], 1));
        }
        assert_eq!(finish(without), Err(Failed), "there is none for 3");
        assert_eq!(source.begun(), 3);
    });
}

#[test]
fn a_key_without_a_value_is_looked_for_once() {
    isolated(|cache| {
        let source = Source::shut(7);
        let tasks = eight!(shared, source, &[404, 1]);
        source.end_all(End::Well);
        for task in tasks {
            assert_eq!(finish(task).unwrap(), values(&[1], 7));
        }
        assert_eq!((source.begun(), cache.len()), (1, 1));
        let source = Arc::clone(&source);
        finish(Task::new(async move {
            shared(&source, &[404]).await.map(|_| ())
        }))
        .unwrap();
    });
}

#[test]
fn a_panic_reaches_its_caller_alone_and_one_of_the_others_loads() {
    isolated(|_| {
        let source = Source::shut(3);
        let mut tasks = eight!(shared, source, &[1, 2]);
        source.end(1, End::Panicking);
        assert!(panics(|| tasks.remove(0).step()));
        tasks.iter_mut().for_each(Task::pending);
        assert_eq!(source.begun(), 2, "one of them loads, the others wait");
        source.end_all(End::Well);
        for task in tasks {
            assert_eq!(finish(task).unwrap(), values(&[1, 2], 3));
        }
        assert_eq!(source.begun(), 2);
    });
}

#[test]
fn a_panic_leaves_nothing_locked_and_nothing_stored() {
    isolated(|cache| {
        let source = Source::shut(3);
        source.end(1, End::Panicking);
        let ask = Arc::clone(&source);
        let mut task = Task::new(async move { shared(&ask, &[1, 2]).await });
        assert!(panics(|| task.step()));
        assert!(cache.is_empty());
        source.end_all(End::Well);
        let ask = Arc::clone(&source);
        let mut again = Task::new(async move { shared(&ask, &[2, 3]).await });
        assert_eq!(again.done().unwrap().len(), 2);
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.load_errors), (4, 2));
    });
}

#[test]
fn stale_values_stand_in_for_a_batch_that_panics() {
    isolated(|cache| {
        let source = Source::open(1);
        let ask = Arc::clone(&source);
        finish(Task::new(async move { kept(&ask, &[1, 2]).await })).unwrap();
        cache.advance(secs(61));
        source.end_all(End::Panicking);
        let ask = Arc::clone(&source);
        let result = finish(Task::new(async move { kept(&ask, &[1, 2]).await }));
        assert_eq!(result.unwrap(), values(&[1, 2], 1));
    });
}

#[test]
fn an_invalidation_during_a_batch_keeps_all_who_come_later_from_its_old_values() {
    isolated(|_| {
        let source = Source::shut(1);
        let before = eight!(shared, source, &[1, 2]);
        source.set(2);
        invalidate!(prefix = "shared:2").wait().unwrap();
        let ask = Arc::clone(&source);
        let mut after = Task::new(async move { shared(&ask, &[1, 2]).await }).waiting();
        assert_eq!(source.begun(), 2, "2 is loaded afresh");
        source.end(2, End::Well);
        after.pending();
        source.end(1, End::Well);
        for task in before {
            assert_eq!(finish(task).unwrap(), values(&[1, 2], 1));
        }
        assert_eq!(finish(after).unwrap(), Values::from([(1, 1), (2, 2)]));
        let ask = Arc::clone(&source);
        let result = finish(Task::new(async move { shared(&ask, &[1, 2]).await }));
        assert_eq!(result.unwrap(), Values::from([(1, 1), (2, 2)]));
        assert_eq!(source.begun(), 2);
    });
}

#[test]
fn a_load_whose_caller_gives_up_goes_on_in_the_background() {
    let (cache, steps) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(5);
        for _ in 0..5 {
            drop(call!(owned, source, vec![1, 2]).waiting());
        }
        assert_eq!((source.begun(), steps.len()), (1, 1));
        source.end_all(End::Well);
        steps.step();
        assert_eq!((cache.len(), steps.len()), (2, 0));
        let mut later = call!(owned, source, vec![1, 2]);
        assert_eq!(later.done().unwrap(), values(&[1, 2], 5));
        assert_eq!(source.begun(), 1);
    });
}

#[test]
fn a_slice_of_keys_is_no_obstacle() {
    let (cache, steps) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(5);
        let ask = Arc::clone(&source);
        drop(Task::new(async move { owned_slice(ask, &[1, 2]).await }).waiting());
        source.end_all(End::Well);
        steps.step();
        assert_eq!((source.begun(), cache.len()), (1, 2));
    });
}

#[test]
fn without_a_background_one_who_waits_for_any_key_takes_the_load_over() {
    isolated(|cache| {
        let source = Source::shut(5);
        let leader = call!(owned, source, vec![1, 2, 3]).waiting();
        let mut waiter = call!(owned, source, vec![3, 4]).waiting();
        let mut other = call!(owned, source, vec![2]).waiting();
        assert_eq!(source.begun(), 2, "the second loads 4 and waits for 3");
        source.end(2, End::Well);
        waiter.pending();
        drop(leader);
        waiter.pending();
        other.pending();
        assert_eq!(source.begun(), 2);
        source.end_all(End::Well);
        assert_eq!(finish(waiter).unwrap(), values(&[3, 4], 5));
        assert_eq!(finish(other).unwrap(), values(&[2], 5));
        assert_eq!((source.begun(), cache.len()), (2, 4), "all is stored");
    });
}

#[test]
fn one_who_took_over_and_gives_up_leaves_the_load_to_the_next() {
    let (cache, steps) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(5);
        let leader = call!(owned, source, vec![1, 2]).waiting();
        let mut tasks = [1, 2].map(|id| call!(owned, source, vec![id]).waiting());
        drop(leader);
        tasks.iter_mut().for_each(Task::pending);
        let [first, mut second] = tasks;
        drop(first);
        second.pending();
        assert_eq!((source.begun(), steps.len()), (1, 0));
        drop(second);
        assert_eq!((source.begun(), steps.len()), (1, 1), "and then to no one");
        source.end_all(End::Well);
        steps.step();
        assert_eq!((source.begun(), cache.len()), (1, 2));
    });
}

#[test]
fn what_is_borrowed_ends_with_its_caller_and_so_does_what_is_not_to_be_detached() {
    let (cache, steps) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(5);
        let mut tasks = eight!(shared, source, &[1, 2]);
        drop(tasks.remove(0));
        assert_eq!(steps.len(), 0);
        tasks.iter_mut().for_each(Task::pending);
        assert_eq!(source.begun(), 2, "one of the others starts afresh");
        drop(call!(attached, source, vec![1]).waiting());
        assert_eq!((source.begun(), steps.len()), (3, 0));
    });
}

#[test]
fn a_background_that_shuts_down_leaves_its_keys_free() {
    let (cache, steps) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(5);
        drop(call!(owned, source, vec![1, 2]).waiting());
        let mut waiter = call!(owned, source, vec![2]).waiting();
        steps.shut_down();
        waiter.pending();
        source.end_all(End::Well);
        assert_eq!(waiter.done().unwrap(), values(&[2], 5));
        assert_eq!((source.begun(), steps.len()), (1, 0), "it took over");
    });
}

#[test]
fn a_background_that_shuts_down_while_nobody_waits_ends_the_load() {
    let (cache, steps) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::shut(5);
        drop(call!(owned, source, vec![1, 2]).waiting());
        steps.shut_down();
        source.end_all(End::Well);
        let later = call!(owned, source, vec![1]);
        assert_eq!(finish(later).unwrap(), values(&[1], 5));
        assert_eq!((source.begun(), source.ended()), (2, 1));
    });
}

#[test]
fn a_dropped_batch_waits_for_no_waiter_in_particular() {
    isolated(|_| {
        let source = Source::shut(5);
        let leader = call!(owned, source, vec![1, 2, 3]).waiting();
        let mut tasks = [1, 2, 3].map(|id| call!(owned, source, vec![id]).waiting());
        drop(leader);
        source.end_all(End::Well);
        // The first two are not polled: their callers are busy elsewhere.
        assert_eq!(tasks[2].done().unwrap(), values(&[3], 5));
        assert_eq!(tasks[0].done().unwrap(), values(&[1], 5));
        assert_eq!(tasks[1].done().unwrap(), values(&[2], 5));
        assert_eq!(source.begun(), 1);
    });
}

#[test]
fn one_who_comes_to_a_dropped_batch_can_run_it_too() {
    isolated(|_| {
        let source = Source::shut(5);
        let leader = call!(owned, source, vec![1, 2]).waiting();
        let mut asleep = call!(owned, source, vec![1]).waiting();
        drop(leader);
        source.end_all(End::Well);
        let mut late = call!(owned, source, vec![2]);
        assert_eq!(late.done().unwrap(), values(&[2], 5));
        assert_eq!(asleep.done().unwrap(), values(&[1], 5));
        assert_eq!(source.begun(), 1);
    });
}

#[test]
fn those_who_wait_for_a_dropped_batch_may_leave_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
        let (cache, steps) = stepped(|cache| cache);
        cache.run(|| {
            let source = Source::shut(5);
            let leader = call!(owned, source, vec![1, 2, 3]).waiting();
            let mut tasks = [1, 2, 3].map(|id| Some(call!(owned, source, vec![id]).waiting()));
            drop(leader);
            for gone in order {
                assert_eq!(steps.len(), 0, "{order:?}");
                tasks[gone] = None;
            }
            assert_eq!(steps.len(), 1, "{order:?}: and then to no one");
            source.end_all(End::Well);
            steps.step();
            assert_eq!((source.begun(), cache.len(), steps.len()), (1, 3, 0));
        });
    }
}

#[test]
fn a_panic_of_a_batch_that_was_taken_over_frees_the_others() {
    isolated(|_| {
        let source = Source::shut(5);
        let leader = call!(owned, source, vec![1, 2]).waiting();
        let mut taker = call!(owned, source, vec![1]).waiting();
        let mut other = call!(owned, source, vec![2]).waiting();
        drop(leader);
        source.end(1, End::Panicking);
        source.end_all(End::Well);
        // Nobody is left whose panic it is: whoever ran it loads for itself, and so does the other.
        assert_eq!(taker.done().unwrap(), values(&[1], 5));
        assert_eq!(other.done().unwrap(), values(&[2], 5));
        assert_eq!(source.begun(), 3);
    });
}

#[test]
fn a_load_in_the_background_that_fails_tells_those_who_wait() {
    for (end, result, runs) in [
        (End::Badly, Err(Failed), 1),
        (End::Panicking, Ok(values(&[1], 5)), 2),
    ] {
        let (cache, steps) = stepped(|cache| cache);
        cache.run(|| {
            let source = Source::shut(5);
            drop(call!(owned, source, vec![1, 2]).waiting());
            let waiter = call!(owned, source, vec![1]).waiting();
            source.end(1, end);
            steps.step();
            source.end_all(End::Well);
            assert_eq!(finish(waiter), result);
            assert_eq!(source.begun(), runs);
        });
    }
}

#[test]
fn a_load_that_takes_too_long_is_waited_for_no_longer() {
    let cache = TestCache::with(Cache::builder().max_wait(secs(10))).unwrap();
    cache.run(|| {
        let source = Source::shut(5);
        let mut tasks = eight!(shared, source, &[1, 2]);
        cache.advance(secs(11));
        tasks.iter_mut().for_each(Task::pending);
        assert_eq!(source.begun(), 8);
        source.end_all(End::Well);
        tasks.into_iter().for_each(|task| {
            finish(task).unwrap();
        });
    });
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[cached(batch = ids)]
fn countdown(ids: &[u64]) -> HashMap<u64, u64> {
    let depth = RUNS.fetch_add(1, SeqCst);
    match depth {
        0 => countdown(ids),
        _ => values(ids, depth as u64),
    }
}

#[test]
fn a_batch_that_calls_itself_for_the_same_keys_ends() {
    isolated(|_| assert_eq!(countdown(&[1]), values(&[1], 1)));
}

#[test]
fn the_future_of_a_batch_is_send_where_its_body_is() {
    fn is_send<F: Send>(_: &F) {}
    isolated(|_| {
        let source = Source::open(1);
        is_send(&owned(Arc::clone(&source), vec![1]));
        is_send(&shared(&source, &[1]));
    });
}

#[cached(batch = ids)]
async fn on_this_thread(ids: Vec<u64>) -> Values {
    let here = std::rc::Rc::new(1);
    futures::pending!();
    values(&ids, *here)
}

#[test]
fn a_body_that_stays_on_its_thread_is_a_batch_too() {
    let (cache, steps) = stepped(|cache| cache);
    cache.run(|| {
        drop(Task::new(on_this_thread(vec![1])).waiting());
        assert_eq!(steps.len(), 0);
        assert_eq!(finish(Task::new(on_this_thread(vec![1]))).len(), 1);
    });
}

#[test]
fn nothing_runs_in_the_background_unasked() {
    let (cache, steps): (_, Steps) = stepped(|cache| cache);
    cache.run(|| {
        let source = Source::open(1);
        finish(call!(owned, source, vec![1])).unwrap();
        drop(call!(owned, source, vec![2]));
        assert_eq!((steps.len(), source.begun()), (0, 1));
    });
}
