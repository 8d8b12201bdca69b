//! Running a model: threads, wakers, and a record of what was seen in all schedules.

use std::collections::BTreeSet;
use std::sync::Mutex as Real;
use std::task::Wake;

use loom::sync::atomic::AtomicBool;
use loom::thread::Thread;

use crate::sync::{self, Arc, Ordering, real};

/// What was seen in some schedule.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Real<BTreeSet<String>>>);

impl Seen {
    pub(crate) fn note(&self, what: impl ToString) {
        real(&self.0).insert(what.to_string());
    }
}

/// Runs a model through every schedule, and sees to it that all that is `expected` was seen in
/// some, and nothing else: a model in which nothing ever happens would prove nothing. Then once
/// more, with loads that may find old values.
///
/// `preemptions` bounds how often a schedule interrupts a thread that could go on; without it
/// nothing is left out.
pub(crate) fn explore(
    preemptions: Option<usize>,
    expected: &[&str],
    model: impl Fn(&Seen) + Send + Sync + 'static,
) {
    let model = Arc::new(model);
    let run = |weak| {
        sync::weak(weak);
        let (model, seen) = (Arc::clone(&model), Seen::default());
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(preemptions);
        let inside = seen.clone();
        builder.check(move || model(&inside));
        real(&seen.0).clone()
    };
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(run(false), expected, "what was seen, and what was to be seen");
    run(true);
}

/// One thread waiting to be woken.
pub(crate) struct Bell {
    rung: AtomicBool,
    thread: Thread,
}

impl Bell {
    /// Wakes the thread that calls this.
    pub(crate) fn here() -> Arc<Bell> {
        Arc::new(Bell {
            rung: AtomicBool::new(false),
            thread: loom::thread::current(),
        })
    }

    /// Waits until it has been rung; one ring is good for one wait.
    pub(crate) fn wait(&self) {
        while !self.rung.swap(false, Ordering::Acquire) {
            loom::thread::park();
        }
    }

    fn ring(&self) {
        self.rung.swap(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

/// A thread whose result will be asked for.
pub(crate) struct Job<T> {
    result: Arc<Real<Option<T>>>,
    ended: Arc<Bell>,
}

/// Starts a thread of the model, whose result the caller asks for.
pub(crate) fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Job<T> {
    let job = Job {
        result: Arc::default(),
        ended: Bell::here(),
    };
    let (result, ended) = (Arc::clone(&job.result), Arc::clone(&job.ended));
    loom::thread::spawn(move || {
        let value = run();
        *real(&result) = Some(value);
        ended.ring();
    });
    job
}

impl<T> Job<T> {
    pub(crate) fn join(self) -> T {
        self.ended.wait();
        real(&self.result).take().expect("the thread has ended")
    }
}
