//! One load in the air, and those who wait for it.
//!
//! A flight holds no lock while its body runs; what a leader leaves behind decides how it goes on:
//!
//! - it *lands*: everyone who waits is given the outcome;
//! - its leader is dropped half way and the body can be handed over: every waiter wakes, and the
//!   first of them that is polled takes the half-run body and leads ([`Flight::orphan`]);
//! - its leader panics, or is dropped with a body that cannot be handed over: the flight is gone,
//!   every waiter wakes, and the first of them starts afresh.
//!
//! The last waiter to leave an orphaned flight carries the body away, so that it can be run in the
//! background. A body that lands several flights is parked in all of them ([`Flight::park`]).

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, lock};

/// A load in the air. `L` is what it lands as, `O` a body that can be handed over.
pub(crate) struct Flight<L, O> {
    state: Mutex<State<L, O>>,
}

struct State<L, O> {
    phase: Phase<L, O>,
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

enum Phase<L, O> {
    Flying,
    Orphaned(O),
    Landed(L),
    Gone,
}

/// What a waiter learns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News<L, O> {
    /// The load ended.
    Landed(L),
    /// The leader is gone; this waiter is the leader now, and this is the body.
    TakeOver(O),
    /// The leader is gone and so is the body: start afresh.
    Gone,
}

impl<L: Clone, O> Flight<L, O> {
    pub(crate) fn new() -> Self {
        let state = State {
            phase: Phase::Flying,
            waiting: BTreeMap::new(),
            next: 0,
        };
        Flight {
            state: Mutex::new(state),
        }
    }

    /// The load ended; everyone is told.
    pub(crate) fn land(&self, landing: L) {
        self.end(Phase::Landed(landing));
    }

    /// There is no body any more; everyone is told.
    pub(crate) fn abandon(&self) {
        self.end(Phase::Gone);
    }

    fn end(&self, phase: Phase<L, O>) {
        let (woken, _before) = {
            let mut state = lock(&self.state);
            // A body that is parked elsewhere too may have been run from there.
            if matches!(state.phase, Phase::Landed(_) | Phase::Gone) {
                return;
            }
            let before = std::mem::replace(&mut state.phase, phase);
            (std::mem::take(&mut state.waiting), before)
        };
        woken.into_values().for_each(Waker::wake);
    }

    /// Something has turned up while the load is under way: whoever waits looks again.
    #[cfg(all(feature = "stores", feature = "tower"))]
    pub(crate) fn wake(&self) {
        let woken = Vec::from_iter(lock(&self.state).waiting.values().cloned());
        woken.into_iter().for_each(Waker::wake);
    }

    /// The leader leaves a half-run body to whoever waits.
    ///
    /// # Errors
    /// The body, where nobody does.
    pub(crate) fn orphan(&self, body: O) -> Result<(), O> {
        let woken = {
            let mut state = lock(&self.state);
            if state.waiting.is_empty() {
                return Err(body);
            }
            state.phase = Phase::Orphaned(body);
            // All of them: one alone may be one that nobody polls for now.
            Vec::from_iter(state.waiting.values().cloned())
        };
        woken.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Leaves a body, or a share in one that several flights have, to whoever waits or comes to
    /// wait; says whether anybody does. The last to leave gives it back as well.
    pub(crate) fn park(&self, body: O) -> bool {
        let (woken, _before) = {
            let mut state = lock(&self.state);
            if matches!(state.phase, Phase::Landed(_) | Phase::Gone) {
                return false;
            }
            let before = std::mem::replace(&mut state.phase, Phase::Orphaned(body));
            (Vec::from_iter(state.waiting.values().cloned()), before)
        };
        let waited_for = !woken.is_empty();
        woken.into_iter().for_each(Waker::wake);
        waited_for
    }

    /// Asks for news on behalf of the waiter `id`, which is set at the first call.
    pub(crate) fn poll(&self, id: &mut Option<u64>, cx: &mut Context<'_>) -> Poll<News<L, O>> {
        let mut state = lock(&self.state);
        let news = match &state.phase {
            Phase::Landed(landing) => News::Landed(landing.clone()),
            Phase::Gone => News::Gone,
            Phase::Orphaned(_) => match std::mem::replace(&mut state.phase, Phase::Flying) {
                Phase::Orphaned(body) => News::TakeOver(body),
                _ => News::Gone,
            },
            Phase::Flying => {
                let id = *id.get_or_insert(state.next);
                state.next = state.next.max(id + 1);
                state.waiting.insert(id, cx.waker().clone());
                return Poll::Pending;
            }
        };
        if let Some(id) = id.take() {
            state.waiting.remove(&id);
        }
        Poll::Ready(news)
    }

    /// The waiter `id` leaves. A body that nobody waits for any more is given back.
    pub(crate) fn leave(&self, id: Option<u64>) -> Option<O> {
        let mut state = lock(&self.state);
        if let Some(id) = id {
            state.waiting.remove(&id);
        }
        if !matches!(state.phase, Phase::Orphaned(_)) {
            return None;
        }
        // Those who are left were woken when it lost its leader.
        if !state.waiting.is_empty() {
            return None;
        }
        match std::mem::replace(&mut state.phase, Phase::Flying) {
            Phase::Orphaned(body) => Some(body),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "flight_tests.rs"]
mod tests;
