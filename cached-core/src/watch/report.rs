//! What one request, or any other piece of work, has asked of the caches.
//!
//! A report belongs to a thread while the work runs on it: work that is polled here and there enters
//! it with every poll.

use std::cell::RefCell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::Event;
use crate::sync::lock;

/// How many events a report takes in.
const MOST: usize = 1_000;

static WANTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HERE: RefCell<Option<Report>> = const { RefCell::new(None) };
}

/// What a piece of work has asked of the caches, and how each call went: for development.
///
/// Layers make one for each request; by hand it is good for tests and scripts. It takes in what
/// happens while the work runs, on the thread where it runs; loads that go on in the background are
/// not part of it, and of more than a thousand events the first count.
///
/// ```
/// # #[dewar::cached] fn price(product: u64) -> u64 { product * 100 }
/// let report = dewar::Report::new();
/// report.run(|| price(1));
/// report.run(|| price(1));
/// let outcomes: Vec<_> = report.events().iter().map(|event| event.kind.name()).collect();
/// assert_eq!(outcomes, ["miss", "loaded", "stored", "hit"]);
/// ```
#[derive(Clone, Default)]
pub struct Report(Arc<Mutex<(Vec<Event>, u64)>>);

/// Whether there are reports in this process at all.
#[inline]
pub(crate) fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Adds to the report of what runs here, if there is one.
pub(super) fn note(event: &Event) {
    let here = HERE.try_with(|here| here.borrow().clone()).ok().flatten();
    let Some(Report(report)) = here else { return };
    let mut report = lock(&report);
    if report.0.len() < MOST {
        report.0.push(event.clone());
    } else {
        report.1 += 1;
    }
}

impl Report {
    /// An empty one.
    ///
    /// With the first of a process, the default cache and those that have a name begin to tell of
    /// hits as well; each costs half a microsecond or so from then on.
    pub fn new() -> Self {
        if !WANTED.swap(true, Ordering::Relaxed) {
            let caches = crate::cache::registry::all();
            caches.iter().for_each(|cache| cache.engine().note_hits());
        }
        Report::default()
    }

    /// What is done inside belongs to this report.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _left = Left(set(Some(self.clone())));
        work()
    }

    /// The same for a future.
    pub fn run_async<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let report = self.clone();
        let mut work = Box::pin(work);
        std::future::poll_fn(move |cx| report.run(|| work.as_mut().poll(cx)))
    }

    /// What has happened so far.
    pub fn events(&self) -> Vec<Event> {
        lock(&self.0).0.clone()
    }

    /// Events beyond those that it takes in.
    pub fn dropped(&self) -> u64 {
        lock(&self.0).1
    }
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.events()).finish()
    }
}

fn set(report: Option<Report>) -> Option<Report> {
    HERE.try_with(|here| here.replace(report)).ok().flatten()
}

/// Goes back to the report from before, whatever the work ends in.
struct Left(Option<Report>);

impl Drop for Left {
    fn drop(&mut self) {
        drop(set(self.0.take()));
    }
}
