//! A body on its way to the client and into the cache.
//!
//! One client reads it; others may wait for its end. Whoever is polled goes on with it, so a client
//! that reads slowly, or goes away, keeps nobody waiting. What is held is bounded by the body limit:
//! past it the rest streams to the client, and those who wait are told that there is nothing for
//! them.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll, Wake, Waker};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use super::body::{BoxError, Inner};
use super::stored::Stored;
use crate::sync::{Arc, Mutex, lock};

/// Stores the whole; is given none where the body was cut short.
type Finish = Box<dyn FnOnce(Option<Bytes>) -> Option<Arc<Stored>> + Send>;

/// A body that is being read.
pub(crate) struct Fill {
    state: Mutex<State>,
    waiting: Mutex<BTreeMap<u64, Waker>>,
    limit: usize,
    /// How long it says that it is. What says nothing may have no end.
    length: Option<u64>,
}

struct State {
    /// None while somebody polls it, and after its end.
    inner: Option<Inner>,
    /// All of it so far; the client has yet to read what comes from `read` on.
    chunks: Vec<Bytes>,
    read: usize,
    size: usize,
    /// What the client has yet to read of a body that is not stored.
    rest: VecDeque<Frame<Bytes>>,
    phase: Phase,
    finish: Option<Finish>,
    /// For the next one who waits.
    tickets: u64,
}

enum Phase {
    Reading,
    /// Too long to be stored, or not of a kind that is: it goes to the client alone.
    Passing,
    Complete(Whole),
    /// Cut short; the client is told why, once.
    Failed(Option<BoxError>),
}

/// What became of a body, for those who wait for its end.
#[derive(Clone)]
pub(crate) enum Whole {
    Stored(Arc<Stored>),
    /// It is the client's alone.
    Unstored,
    /// It ended in an error, or before it was as long as it said.
    Cut,
}

impl Phase {
    /// What is known of the whole, once something is.
    fn whole(&self) -> Option<Whole> {
        match self {
            Phase::Reading => None,
            Phase::Passing => Some(Whole::Unstored),
            Phase::Complete(whole) => Some(whole.clone()),
            Phase::Failed(_) => Some(Whole::Cut),
        }
    }
}

/// What polling the handler's body came to.
enum Step {
    /// There is more to look at.
    Progress,
    Pending,
}

impl Fill {
    /// Begins to read a body of this length, if that is known; `finish` stores the whole.
    pub(crate) fn new(
        inner: Inner,
        length: Option<u64>,
        limit: usize,
        finish: Finish,
    ) -> Arc<Self> {
        let state = State {
            inner: Some(inner),
            chunks: Vec::new(),
            read: 0,
            size: 0,
            rest: VecDeque::new(),
            phase: Phase::Reading,
            finish: Some(finish),
            tickets: 0,
        };
        Arc::new(Fill {
            state: Mutex::new(state),
            waiting: Mutex::default(),
            limit,
            length,
        })
    }

    /// Whether the body may have no end.
    pub(crate) fn is_open(&self) -> bool {
        self.length.is_none()
    }

    /// Reads what is there at once; the whole, if that is all, and it is stored.
    pub(crate) fn advance(self: Arc<Self>) -> Option<Arc<Stored>> {
        loop {
            match lock(&self.state).phase.whole() {
                Some(Whole::Stored(stored)) => return Some(stored),
                Some(_) => return None,
                None => {}
            }
            if let Step::Pending = self.step() {
                return None;
            }
        }
    }

    /// Whether nothing of it is kept, or may be waited for.
    pub(crate) fn is_the_clients_alone(&self) -> bool {
        matches!(lock(&self.state).phase.whole(), Some(Whole::Unstored))
    }

    /// Whether it ended too early.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(lock(&self.state).phase.whole(), Some(Whole::Cut))
    }

    /// From here on the body is the client's alone, and nothing of it is kept.
    pub(crate) fn pass(&self) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Reading) {
            state.pass();
        }
        drop(state);
        self.wake_all();
    }

    /// The whole, once it is stored, or known not to be.
    pub(crate) async fn whole(self: Arc<Self>) -> Whole {
        let mut ticket = Ticket::new(self);
        poll_fn(move |cx| ticket.poll_whole(cx)).await
    }

    fn wake_all(&self) {
        let woken = std::mem::take(&mut *lock(&self.waiting));
        woken.into_values().for_each(Waker::wake);
    }

    /// Goes on with the handler's body, where nobody else does right now.
    fn step(self: &Arc<Self>) -> Step {
        let Some(mut inner) = lock(&self.state).inner.take() else {
            return Step::Pending;
        };
        let waker = Waker::from(Arc::new(WakeAll(Arc::downgrade(self))));
        // Taken out: a body that panics is gone, and locks nobody. Whoever polls it may be one who
        // waits: the panic is no concern of theirs, and the client is told by the end of the body.
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            Pin::new(&mut inner).poll_frame(&mut cx)
        }));
        let polled = polled.unwrap_or_else(|_| Poll::Ready(Some(Err("the body panicked".into()))));
        match polled {
            Poll::Pending => {
                lock(&self.state).inner = Some(inner);
                return Step::Pending;
            }
            Poll::Ready(Some(Ok(frame))) => self.take(inner, frame),
            Poll::Ready(Some(Err(error))) => self.fail(error),
            Poll::Ready(None) => self.complete(),
        }
        self.wake_all();
        Step::Progress
    }

    fn take(&self, inner: Inner, frame: Frame<Bytes>) {
        let mut state = lock(&self.state);
        state.inner = Some(inner);
        if matches!(state.phase, Phase::Passing) {
            state.rest.push_back(frame);
            return;
        }
        match frame.into_data() {
            // There may be any number of them.
            Ok(data) if data.is_empty() => {}
            Ok(data) => {
                state.size = state.size.saturating_add(data.len());
                let is_whole = self.length == Some(data.len() as u64);
                state.chunks.push(if is_whole { data } else { own(data) });
                if state.size > self.limit {
                    state.pass();
                }
            }
            // Trailers are no part of what can be stored.
            Err(frame) => {
                state.pass();
                state.rest.push_back(frame);
            }
        }
    }

    fn complete(&self) {
        let (finish, whole) = {
            let mut state = lock(&self.state);
            if matches!(state.phase, Phase::Passing) {
                state.phase = Phase::Complete(Whole::Unstored);
                return;
            }
            let short = self
                .length
                .is_some_and(|length| length != state.size as u64);
            let whole = (!short).then(|| whole(&state.chunks));
            (state.finish.take(), whole)
        };
        let cut = whole.is_none();
        let stored = finish.and_then(|finish| finish(whole));
        lock(&self.state).phase = Phase::Complete(match stored {
            Some(stored) => Whole::Stored(stored),
            None if cut => Whole::Cut,
            None => Whole::Unstored,
        });
    }

    fn fail(&self, error: BoxError) {
        let finish = {
            let mut state = lock(&self.state);
            state.phase = Phase::Failed(Some(error));
            state.finish.take()
        };
        if let Some(finish) = finish {
            finish(None);
        }
    }
}

impl State {
    /// From here on the body is the client's alone.
    fn pass(&mut self) {
        self.phase = Phase::Passing;
        self.finish = None;
        let unread = std::mem::take(&mut self.chunks).into_iter().skip(self.read);
        self.rest = unread.map(Frame::data).collect();
    }

    /// What the client is told next. One look at all of it: between two, whoever waits may read the
    /// last piece and the end.
    fn news(&mut self) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(frame) = self.next() {
            return Poll::Ready(Some(Ok(frame)));
        }
        match &mut self.phase {
            Phase::Complete(_) => Poll::Ready(None),
            // The end of what was read before comes first, whoever read it.
            Phase::Failed(error) => {
                let error = error.take();
                let error = error.unwrap_or_else(|| "the body was cut short".into());
                Poll::Ready(Some(Err(error)))
            }
            Phase::Reading | Phase::Passing => Poll::Pending,
        }
    }

    fn next(&mut self) -> Option<Frame<Bytes>> {
        if let Some(frame) = self.rest.pop_front() {
            return Some(frame);
        }
        let chunk = self.chunks.get(self.read)?.clone();
        self.read += 1;
        Some(Frame::data(chunk))
    }
}

/// A copy of a small piece: it may be a part of a large buffer, and is held for as long as the body
/// takes.
fn own(piece: Bytes) -> Bytes {
    const SMALL: usize = 4 * 1024;
    match piece.len() < SMALL {
        true => Bytes::copy_from_slice(&piece),
        false => piece,
    }
}

/// One piece; a copy, as what was received may be a small part of a large buffer.
fn whole(chunks: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    chunks
        .iter()
        .for_each(|chunk| whole.extend_from_slice(chunk));
    whole.freeze()
}

struct WakeAll(Weak<Fill>);

impl Wake for WakeAll {
    fn wake(self: Arc<Self>) {
        if let Some(fill) = self.0.upgrade() {
            fill.wake_all();
        }
    }
}

/// Somebody who waits.
struct Ticket {
    fill: Arc<Fill>,
    id: u64,
}

impl Ticket {
    fn new(fill: Arc<Fill>) -> Self {
        let id = {
            let mut state = lock(&fill.state);
            state.tickets += 1;
            state.tickets
        };
        Ticket { fill, id }
    }

    fn register(&self, cx: &Context<'_>) {
        lock(&self.fill.waiting).insert(self.id, cx.waker().clone());
    }

    fn poll_whole(&mut self, cx: &Context<'_>) -> Poll<Whole> {
        // First: what happens after the look below wakes this task again.
        self.register(cx);
        loop {
            if let Some(whole) = lock(&self.fill.state).phase.whole() {
                return Poll::Ready(whole);
            }
            if let Step::Pending = self.fill.step() {
                return Poll::Pending;
            }
            self.register(cx);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.fill.waiting).remove(&self.id);
        // It may have been the one that was to go on.
        self.fill.wake_all();
    }
}

/// The client's side.
pub(crate) struct Reader {
    ticket: Ticket,
    hint: SizeHint,
    sent: u64,
}

impl Reader {
    pub(crate) fn new(fill: Arc<Fill>, hint: SizeHint) -> Self {
        Reader {
            ticket: Ticket::new(fill),
            hint,
            sent: 0,
        }
    }

    /// Reads to the end, for the cache alone.
    pub(crate) async fn complete(self) {
        let _ = Arc::clone(&self.ticket.fill).whole().await;
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.ticket.register(cx);
        loop {
            let news = lock(&self.ticket.fill.state).news();
            if let Poll::Ready(news) = news {
                let data = news.as_ref().and_then(|it| it.as_ref().ok()?.data_ref());
                self.sent += data.map_or(0, |data| data.len() as u64);
                return Poll::Ready(news);
            }
            match self.ticket.fill.step() {
                Step::Pending => return Poll::Pending,
                Step::Progress => self.ticket.register(cx),
            }
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match self.hint.exact() {
            Some(exact) => SizeHint::with_exact(exact.saturating_sub(self.sent)),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
#[path = "fill_tests.rs"]
mod tests;
