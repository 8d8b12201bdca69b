//! Running a model: threads, wakers, and a record of what was seen in all schedules.

use std::collections::BTreeSet;
use std::sync::Mutex as Real;
use std::sync::atomic::AtomicUsize;
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
/// some, and nothing else: a model in which nothing ever happens would prove nothing.
///
/// `preemptions` bounds how often a schedule interrupts a thread that could go on; without it
/// nothing is left out.
pub(crate) fn explore(
    preemptions: Option<usize>,
    expected: &[&str],
    model: impl Fn(&Seen) + Send + Sync + 'static,
) {
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    let seen = schedules(false, preemptions, model);
    assert_eq!(seen, expected, "what was seen, and what was to be seen");
}

/// The same, and then once more with loads that may find older values than the newest, and one
/// preemption less.
pub(crate) fn explore_twice(
    preemptions: Option<usize>,
    expected: &[&str],
    model: impl Fn(&Seen) + Send + Sync + 'static,
) {
    let model = Arc::new(model);
    let again = Arc::clone(&model);
    explore(preemptions, expected, move |seen| model(seen));
    schedules(true, preemptions.map(|n| n - 1), move |seen| again(seen));
}

fn schedules(
    weak: bool,
    preemptions: Option<usize>,
    model: impl Fn(&Seen) + Send + Sync + 'static,
) -> BTreeSet<String> {
    sync::weak(weak);
    let (seen, count) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    let inside = (seen.clone(), Arc::clone(&count));
    builder.check(move || {
        inside.1.fetch_add(1, Ordering::Relaxed);
        model(&inside.0);
    });
    let loads = if weak { "any" } else { "the newest" };
    println!(
        "{} schedules, loads find {loads}",
        count.load(Ordering::Relaxed)
    );
    real(&seen.0).clone()
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
pub(crate) struct Job<T>(Arc<Ending<T>>);

struct Ending<T> {
    result: Real<Option<T>>,
    ended: AtomicBool,
    asks: Thread,
}

/// Starts a thread of the model, whose result the caller asks for.
pub(crate) fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Job<T> {
    let ending = Arc::new(Ending {
        result: Real::new(None),
        ended: AtomicBool::new(false),
        asks: loom::thread::current(),
    });
    let job = Job(Arc::clone(&ending));
    loom::thread::spawn(move || {
        let value = run();
        sync::release(&ending.ended);
        *real(&ending.result) = Some(value);
        ending.asks.unpark();
    });
    job
}

impl<T> Job<T> {
    pub(crate) fn join(self) -> T {
        loop {
            if let Some(value) = real(&self.0.result).take() {
                sync::acquire(&self.0.ended);
                return value;
            }
            loom::thread::park();
        }
    }
}
