//! A store that notes in what order it is asked for things, and has writes wait at a gate.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use dewar::store::{Found, Item, Push, Store};
use dewar::testing::FaultyStore;
use dewar::{BoxFuture, Error};

/// What the store was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something is about to be read. It is not noted.
    Look,
    /// Something was read; who waits has the answer already. It is not noted.
    Read,
    /// Something was stored under the key of an entry.
    Value,
    /// A scope was given a version.
    Version,
    /// A lease was taken, or given back.
    Lease,
    /// All processes were told that something is invalid.
    ToldInvalid,
    /// All processes were told that a load has ended.
    ToldLoaded,
}

type Done<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// A [`FaultyStore`] with a gate in front of it; clones are handles on the same.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) store: FaultyStore,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What has to wait.
    shut: Option<Step>,
    /// Who waits, each with whether it may go on.
    waiting: Vec<(Arc<AtomicBool>, Waker)>,
    steps: Vec<Step>,
    /// The keys of each read.
    reads: Vec<Vec<String>>,
    messages: Vec<Vec<u8>>,
}

impl Gate {
    pub(crate) fn before(store: FaultyStore) -> Gate {
        let state = Arc::default();
        Gate { store, state }
    }

    /// From now on these have to wait.
    pub(crate) fn shut(&self, what: Step) {
        self.state.lock().unwrap().shut = Some(what);
    }

    /// From now on nobody has to; who waits already does still, until it is asked again.
    pub(crate) fn let_others_pass(&self) {
        self.state.lock().unwrap().shut = None;
    }

    /// Nobody has to wait any more.
    pub(crate) fn open(&self) {
        self.state.lock().unwrap().shut = None;
        self.pass();
    }

    /// Whoever waits right now goes on.
    pub(crate) fn pass(&self) {
        let waiting = std::mem::take(&mut self.state.lock().unwrap().waiting);
        for (passes, waker) in waiting {
            passes.store(true, SeqCst);
            waker.wake();
        }
    }

    /// Whether somebody waits at the gate.
    pub(crate) fn is_waited_at(&self) -> bool {
        !self.state.lock().unwrap().waiting.is_empty()
    }

    /// What was done since this was asked last, in its order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.state.lock().unwrap().steps)
    }

    /// The keys of each read since this was asked last.
    pub(crate) fn reads(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.state.lock().unwrap().reads)
    }

    /// What was said to all processes so far.
    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().messages.clone()
    }

    /// Waits until these may pass.
    async fn wait(&self, step: Option<Step>) {
        let passes = Arc::new(AtomicBool::new(false));
        let passed = poll_fn(|cx| {
            let mut state = self.state.lock().unwrap();
            if step.is_none() || state.shut != step || passes.load(SeqCst) {
                return Poll::Ready(());
            }
            state
                .waiting
                .retain(|(other, _)| !Arc::ptr_eq(other, &passes));
            state
                .waiting
                .push((Arc::clone(&passes), cx.waker().clone()));
            Poll::Pending
        });
        passed.await;
    }

    /// Does something that is one of these steps.
    async fn run<T>(&self, step: Option<Step>, operation: Done<'_, T>) -> Result<T, Error> {
        self.wait(step).await;
        let done = operation.await?;
        self.state.lock().unwrap().steps.extend(step);
        Ok(done)
    }
}

fn writes(items: &[Item]) -> Option<Step> {
    let key = &items.first()?.key;
    match key.split(':').nth(1) {
        Some("l") => Some(Step::Lease),
        Some(version) if version.starts_with("v.") => Some(Step::Version),
        _ => Some(Step::Value),
    }
}

impl Store for Gate {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> Done<'a, Vec<Found>> {
        Box::pin(async move {
            self.wait(Some(Step::Look)).await;
            self.state.lock().unwrap().reads.push(keys.to_vec());
            let found = self.store.get_many(keys).await;
            self.wait(Some(Step::Read)).await;
            found
        })
    }

    fn set_many(&self, items: Vec<Item>) -> Done<'_, ()> {
        Box::pin(self.run(writes(&items), self.store.set_many(items)))
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> Done<'a, ()> {
        self.store.delete_many(keys)
    }

    fn add_many(&self, items: Vec<Item>) -> Done<'_, Vec<bool>> {
        Box::pin(self.run(writes(&items), self.store.add_many(items)))
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> Done<'_, bool> {
        let step = writes(std::slice::from_ref(&item));
        Box::pin(self.run(step, self.store.swap(expected, item)))
    }

    fn extend_many<'a>(&'a self, keys: &'a [String], ttl: Duration) -> Done<'a, ()> {
        self.store.extend_many(keys, ttl)
    }

    fn push(&self) -> Option<&dyn Push> {
        self.store.push().map(|_| self as &dyn Push)
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}

impl Push for Gate {
    fn publish<'a>(&'a self, channel: &'a str, message: &'a [u8]) -> Done<'a, ()> {
        // The second byte says what it is about.
        let step = match message.get(1) {
            Some(0 | 1) => Some(Step::ToldInvalid),
            Some(3) => Some(Step::ToldLoaded),
            _ => None,
        };
        let messages = &mut self.state.lock().unwrap().messages;
        messages.push(message.to_vec());
        match self.store.push() {
            Some(push) => Box::pin(self.run(step, push.publish(channel, message))),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn listen<'a>(
        &'a self,
        channel: &'a str,
        hear: &'a (dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> BoxFuture<'a, Error> {
        match self.store.push() {
            Some(push) => push.listen(channel, hear),
            None => Box::pin(std::future::pending()),
        }
    }
}
