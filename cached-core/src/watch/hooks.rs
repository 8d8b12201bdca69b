//! Hooks, away from the calls they are told of.
//!
//! Events go through a bounded queue to a thread of their own, which is started with the first of
//! them and ends with the cache. A caller never waits: where the queue is full, as a hook is slower
//! than the cache, the event is dropped and counted. A hook that panics is called again with the
//! next event.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{Event, Hook};

/// How many events may wait for the hooks.
pub(crate) const QUEUE: usize = 1024;

pub(crate) struct Hooks {
    hooks: Arc<[Hook]>,
    /// None where no thread could be had.
    queue: OnceLock<Option<SyncSender<Event>>>,
    dropped: AtomicU64,
}

impl Hooks {
    pub(crate) fn new(hooks: Vec<Hook>) -> Self {
        Hooks {
            hooks: hooks.into(),
            queue: OnceLock::new(),
            dropped: AtomicU64::new(0),
        }
    }

    pub(crate) fn tell(&self, event: Event) {
        let queue = self.queue.get_or_init(|| start(&self.hooks));
        let sent = queue
            .as_ref()
            .is_some_and(|queue| queue.try_send(event).is_ok());
        if !sent {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn start(hooks: &Arc<[Hook]>) -> Option<SyncSender<Event>> {
    let (queue, events) = sync_channel(QUEUE);
    let hooks = Arc::clone(hooks);
    crate::rt::thread("dewar-events", move || run(&hooks, events)).map(|_| queue)
}

fn run(hooks: &[Hook], events: Receiver<Event>) {
    for event in events {
        for hook in hooks {
            if catch_unwind(AssertUnwindSafe(|| hook(&event))).is_err() {
                crate::trace::hook_panicked();
            }
        }
    }
}
