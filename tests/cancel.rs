//! Callers that give up while a load runs: what was done of it is not lost, and nobody hangs.

mod common;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use common::{Steps, Task, stepped};
use dewar::{BoxFuture, Cache, Runtime, cached, invalidate, testing::TestCache};

/// A body in a hundred steps.
#[derive(Default)]
struct Work {
    runs: AtomicUsize,
    steps: AtomicUsize,
}

const STEPS: usize = 100;

impl Work {
    async fn run(&self) -> u64 {
        self.runs.fetch_add(1, SeqCst);
        for _ in 0..STEPS {
            self.steps.fetch_add(1, SeqCst);
            futures::pending!();
        }
        42
    }

    fn count(&self) -> (usize, usize) {
        (self.runs.load(SeqCst), self.steps.load(SeqCst))
    }
}

#[cached(skip(work))]
async fn owned(work: Arc<Work>) -> u64 {
    work.run().await
}

#[cached(skip(work))]
async fn borrowed(work: &Work) -> u64 {
    work.run().await
}

#[cached(skip(work), detach = false)]
async fn attached(work: Arc<Work>) -> u64 {
    work.run().await
}

fn finish<T>(task: &mut Task<T>) -> T {
    for _ in 0..=STEPS {
        if let std::task::Poll::Ready(value) = task.step() {
            return value;
        }
    }
    panic!("the call does not end");
}

fn steps(task: &mut Task<u64>, n: usize) {
    (0..n).for_each(|_| task.pending());
}

/// No background at all, as outside of tokio.
struct Nowhere;

impl Runtime for Nowhere {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        Err(task)
    }
}

fn without_background() -> TestCache {
    TestCache::with(Cache::builder().runtime(Nowhere)).unwrap()
}

#[test]
fn a_leader_dropped_half_way_hands_its_load_to_a_waiter() {
    for done in [1, 50, 99] {
        without_background().run(|| {
            let work: Arc<Work> = Arc::default();
            let mut leader = Task::new(owned(Arc::clone(&work)));
            steps(&mut leader, done);
            let mut waiter = Task::new(owned(Arc::clone(&work))).waiting();
            assert_eq!(work.count(), (1, done));
            drop(leader);
            assert_eq!(finish(&mut waiter), 42);
            assert_eq!(
                work.count(),
                (1, STEPS),
                "dropped at {done} %: one load, no step twice"
            );
            assert_eq!(
                Task::new(owned(Arc::clone(&work))).done(),
                42,
                "and it is stored"
            );
        });
    }
}

#[test]
fn a_borrowed_load_ends_with_its_leader_and_a_waiter_starts_afresh() {
    for done in [1, 50, 99] {
        without_background().run(|| {
            let work: Arc<Work> = Arc::default();
            let call = || {
                let work = Arc::clone(&work);
                Task::new(async move { borrowed(&work).await })
            };
            let mut leader = call();
            steps(&mut leader, done);
            let (mut first, mut second) = (call().waiting(), call().waiting());
            drop(leader);
            assert_eq!((finish(&mut first), second.done()), (42, 42));
            assert_eq!(work.count(), (2, done + STEPS));
        });
    }
}

#[test]
fn with_detach_off_a_load_is_dropped_with_its_caller() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let work: Arc<Work> = Arc::default();
        let mut leader = Task::new(attached(Arc::clone(&work)));
        steps(&mut leader, 50);
        drop(leader);
        assert_eq!((background.len(), Arc::strong_count(&work)), (0, 1));
        assert_eq!(finish(&mut Task::new(attached(Arc::clone(&work)))), 42);
        assert_eq!(work.count(), (2, 50 + STEPS));
    });
}

#[test]
fn a_load_that_everybody_left_goes_on_in_the_background() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let work: Arc<Work> = Arc::default();
        let mut tasks: Vec<_> = (0..10)
            .map(|_| Task::new(owned(Arc::clone(&work))))
            .collect();
        tasks.iter_mut().for_each(Task::pending);
        drop(tasks);
        assert_eq!(background.len(), 1);
        (0..=STEPS).for_each(|_| background.step());
        assert_eq!(background.len(), 0);
        assert_eq!(Task::new(owned(Arc::clone(&work))).done(), 42);
        assert_eq!(work.count(), (1, STEPS));
        assert_eq!(cache.stats().loads, 1);
    });
}

#[test]
fn a_caller_joins_a_load_that_went_into_the_background() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let work: Arc<Work> = Arc::default();
        drop(Task::new(owned(Arc::clone(&work))).waiting());
        let mut late = Task::new(owned(Arc::clone(&work))).waiting();
        (0..=STEPS).for_each(|_| background.step());
        assert_eq!(late.done(), 42);
        assert_eq!(work.count(), (1, STEPS));
    });
}

#[test]
fn without_a_background_a_load_that_everybody_left_is_gone() {
    without_background().run(|| {
        let work: Arc<Work> = Arc::default();
        let mut tasks: Vec<_> = (0..10)
            .map(|_| Task::new(owned(Arc::clone(&work))))
            .collect();
        tasks.iter_mut().for_each(Task::pending);
        drop(tasks);
        assert_eq!(Arc::strong_count(&work), 1, "its arguments are free again");
        assert_eq!(finish(&mut Task::new(owned(Arc::clone(&work)))), 42);
        assert_eq!(work.runs.load(SeqCst), 2);
    });
}

#[test]
fn a_background_that_shuts_down_leaves_no_lock() {
    let (cache, background) = stepped(|cache| cache);
    cache.run(|| {
        let work: Arc<Work> = Arc::default();
        drop(Task::new(owned(Arc::clone(&work))).waiting());
        background.step();
        let mut waiter = Task::new(owned(Arc::clone(&work))).waiting();
        background.shut_down();
        assert_eq!(finish(&mut waiter), 42);
        assert_eq!(work.runs.load(SeqCst), 1, "the half-run body was handed on");
    });
}

#[test]
fn whoever_of_ten_is_dropped_the_others_share_one_run() {
    for dropped in 0..1_u32 << 10 {
        split(dropped, &without_background());
    }
}

/// Drops those callers whose bit is set, a few steps after each other.
fn split(dropped: u32, cache: &TestCache) {
    cache.run(|| {
        let work: Arc<Work> = Arc::default();
        let call = || Some(Task::new(owned(Arc::clone(&work))).waiting());
        let mut tasks: Vec<_> = (0..10).map(|_| call()).collect();
        for n in 0..10 {
            if dropped & 1 << n != 0 {
                tasks[n] = None;
            }
            tasks.iter_mut().flatten().for_each(|task| steps(task, 3));
        }
        let mut left = tasks.into_iter().flatten();
        let Some(mut first) = left.next() else {
            return;
        };
        assert_eq!(finish(&mut first), 42);
        assert!(left.all(|mut task| task.done() == 42), "{dropped:b}");
        assert_eq!(work.count(), (1, STEPS), "{dropped:b}");
    });
}

#[test]
fn a_load_handed_from_one_to_the_next_is_one_load() {
    without_background().run(|| {
        let work: Arc<Work> = Arc::default();
        let call = || Task::new(owned(Arc::clone(&work))).waiting();
        let mut tasks: Vec<_> = (0..10).map(|_| call()).collect();
        let mut last = tasks.pop().unwrap();
        for mut task in tasks {
            steps(&mut task, 10);
        }
        assert_eq!(work.count(), (1, 91));
        assert_eq!(finish(&mut last), 42);
        assert_eq!(work.count(), (1, STEPS));
    });
}

#[test]
fn a_load_handed_over_is_still_fenced() {
    without_background().run(|| {
        let work: Arc<Work> = Arc::default();
        let leader = Task::new(owned(Arc::clone(&work))).waiting();
        let mut waiter = Task::new(owned(Arc::clone(&work))).waiting();
        drop(leader);
        invalidate!(owned).wait().unwrap();
        assert_eq!(finish(&mut waiter), 42);
        let mut next = Task::new(owned(Arc::clone(&work))).waiting();
        assert_eq!(finish(&mut next), 42);
        assert_eq!(work.runs.load(SeqCst), 2, "the first result was not stored");
    });
}

#[test]
fn a_caller_dropped_before_it_was_polled_is_nobody() {
    let steps = Steps::default();
    let cache = TestCache::with(Cache::builder().runtime(steps.clone())).unwrap();
    cache.run(|| {
        let work: Arc<Work> = Arc::default();
        drop(Task::new(owned(Arc::clone(&work))));
        assert_eq!((work.count(), steps.len()), ((0, 0), 0));
        assert_eq!(cache.stats().lookups(), 0);
    });
}

#[test]
fn a_waiter_that_nobody_polls_does_not_hold_up_the_others() {
    let cache = TestCache::new();
    cache.run(|| {
        let work = Arc::new(Work::default());
        let mut leader = Task::new(owned(Arc::clone(&work))).waiting();
        let idle = Task::new(owned(Arc::clone(&work))).waiting();
        let woken = Arc::new(Woken::default());
        let waker = std::task::Waker::from(Arc::clone(&woken));
        let mut busy = Box::pin(owned(Arc::clone(&work)));
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(busy.as_mut().poll(&mut cx).is_pending());
        leader.pending();
        drop(leader);
        assert!(woken.0.load(SeqCst) > 0, "it is not told");
        let result = (0..=STEPS).find_map(|_| match busy.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(result) => Some(result),
            std::task::Poll::Pending => None,
        });
        assert_eq!((result, work.count().0), (Some(42), 1));
        drop(idle);
    });
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}
