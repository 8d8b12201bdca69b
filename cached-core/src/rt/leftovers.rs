//! What callers leave behind that is still to be done, and that nobody waits for.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use super::{BoxFuture, all, block_on, thread};
use crate::sync::lock;

/// So much is kept; what is beyond that is left undone.
const MOST: usize = 16 * 1024;
/// So much is done at once.
const AT_ONCE: usize = 256;

/// Tasks of one kind, done in the background by one thread, which is there while there are some.
pub(crate) struct Leftovers {
    /// The thread's.
    name: &'static str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<BoxFuture<'static, ()>>,
    running: bool,
}

impl Leftovers {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Leftovers {
            name,
            state: Mutex::default(),
        })
    }

    /// Does a task soon, unless there are too many: it must be one that can be left undone.
    pub(crate) fn add(self: &Arc<Self>, task: BoxFuture<'static, ()>) {
        let begins = {
            let mut state = lock(&self.state);
            if state.tasks.len() >= MOST {
                return;
            }
            state.tasks.push_back(task);
            !std::mem::replace(&mut state.running, true)
        };
        let this = Arc::clone(self);
        if begins && thread(self.name, move || this.run()).is_none() {
            let undone = std::mem::take(&mut *lock(&self.state));
            // Not under the lock: whatever hangs on it.
            drop(undone);
        }
    }

    fn run(&self) {
        while let Some(tasks) = self.next() {
            // One that panics takes those beside it along, and no more.
            let _ = catch_unwind(AssertUnwindSafe(|| block_on(all(tasks))));
        }
    }

    fn next(&self) -> Option<Vec<BoxFuture<'static, ()>>> {
        let mut state = lock(&self.state);
        let some = state.tasks.len().min(AT_ONCE);
        state.running = some > 0;
        (some > 0).then(|| state.tasks.drain(..some).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    fn who(to: &Sender<ThreadId>) -> BoxFuture<'static, ()> {
        let to = to.clone();
        Box::pin(async move {
            let _ = to.send(std::thread::current().id());
        })
    }

    /// Holds the thread back until something is said.
    fn held(until: Receiver<()>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let _ = until.recv();
        })
    }

    #[test]
    fn however_much_there_is_one_thread_does_it() {
        let leftovers = Leftovers::new("leftovers-test");
        let (go, gone) = channel();
        leftovers.add(held(gone));
        let (say, said) = channel();
        (0..1000).for_each(|_| leftovers.add(who(&say)));
        go.send(()).unwrap();
        drop(say);
        let threads: Vec<ThreadId> = said.iter().collect();
        assert_eq!(threads.len(), 1000);
        assert_eq!(threads.iter().collect::<HashSet<_>>().len(), 1);
    }

    #[test]
    fn what_is_beyond_the_bound_is_left_undone() {
        let leftovers = Leftovers::new("leftovers-test");
        let (go, gone) = channel();
        leftovers.add(held(gone));
        while !lock(&leftovers.state).tasks.is_empty() {
            std::thread::yield_now();
        }
        let (say, said) = channel();
        (0..MOST + 10).for_each(|_| leftovers.add(who(&say)));
        go.send(()).unwrap();
        drop(say);
        assert_eq!(said.iter().count(), MOST);
    }

    #[test]
    fn a_task_that_panics_does_not_end_the_others() {
        let leftovers = Leftovers::new("leftovers-test");
        leftovers.add(Box::pin(async { panic!("as it was told to") }));
        while lock(&leftovers.state).running {
            std::thread::yield_now();
        }
        let (say, said) = channel();
        leftovers.add(who(&say));
        drop(say);
        assert_eq!(said.iter().count(), 1);
    }
}
