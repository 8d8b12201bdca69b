//! Where the bodies of cached functions take their data from.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// What a load may fail with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// How a load ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Well,
    Badly,
    Panicking,
}

/// A value that changes, and loads that read it at their beginning and end when they are let go.
#[derive(Default)]
pub(crate) struct Source(Mutex<State>);

#[derive(Default)]
struct State {
    value: u64,
    begun: usize,
    ended: usize,
    shut: bool,
    ends: HashMap<usize, End>,
    always: Option<End>,
    waiting: Vec<Waker>,
}

impl Source {
    /// Loads end at once.
    pub(crate) fn open(value: u64) -> Arc<Self> {
        let source = Arc::new(Source::default());
        source.set(value);
        source
    }

    /// Loads end when they are let go.
    pub(crate) fn shut(value: u64) -> Arc<Self> {
        let source = Self::open(value);
        source.close();
        source
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.lock().unwrap().value = value;
    }

    /// From now on loads end when they are let go.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap().shut = true;
    }

    /// Ends the `n`th load, the first being 1; one that has not begun will end at once.
    pub(crate) fn end(&self, n: usize, end: End) {
        self.change(|state| {
            state.ends.insert(n, end);
        });
    }

    /// Ends all loads, also those to come.
    pub(crate) fn end_all(&self, end: End) {
        self.change(|state| {
            state.shut = false;
            state.always = Some(end);
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let woken = {
            let mut state = self.0.lock().unwrap();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// How many loads have begun.
    pub(crate) fn begun(&self) -> usize {
        self.0.lock().unwrap().begun
    }

    /// How many loads have run to their end.
    pub(crate) fn ended(&self) -> usize {
        self.0.lock().unwrap().ended
    }

    /// What the body of a cached function does.
    pub(crate) async fn load(&self) -> Result<u64, Failed> {
        let (n, value) = self.begin();
        let end = poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            match state.end_of(n) {
                Some(end) => Poll::Ready(end),
                None => {
                    state.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        });
        let end = end.await;
        self.0.lock().unwrap().ended += 1;
        match end {
            End::Well => Ok(value),
            End::Badly => Err(Failed),
            End::Panicking => panic!("the load panics, as it was told to"),
        }
    }

    /// The same for a synchronous body.
    pub(crate) fn load_blocking(&self) -> Result<u64, Failed> {
        smol::future::block_on(self.load())
    }

    /// Waits, on a thread, until so many loads have begun.
    pub(crate) fn await_begun(&self, n: usize) {
        while self.begun() < n {
            std::thread::yield_now();
        }
    }

    fn begin(&self) -> (usize, u64) {
        let mut state = self.0.lock().unwrap();
        state.begun += 1;
        (state.begun, state.value)
    }
}

impl State {
    fn end_of(&self, n: usize) -> Option<End> {
        let open = (!self.shut).then(|| self.always.unwrap_or(End::Well));
        self.ends.get(&n).copied().or(open)
    }
}
