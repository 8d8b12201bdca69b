//! The circuit breaker: a store that is down costs its callers nothing.
//!
//! It opens after a few failures in a row. While it is open every operation fails at once; when its
//! pause is over exactly one is let through as a probe. A probe that succeeds closes it, one that
//! fails doubles the pause, one whose caller leaves counts for nothing.

use std::sync::Mutex;

use super::status::Health;
use crate::clock::Nanos;
use crate::sync::lock;

/// So many failures in a row open it.
const FAILURES: u32 = 5;
/// The first pause, and the longest.
const PAUSE: Nanos = 1_000_000_000;
const LONGEST: Nanos = 30_000_000_000;

/// Whether operations are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Nanos, pause: Nanos },
    Probing { pause: Nanos },
}

/// One for each store of a cache, whatever the number of its connections.
pub(super) struct Breaker(Mutex<State>);

/// Permission for one operation; what became of it is to be said.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
    said: bool,
}

impl Breaker {
    pub(super) fn new() -> Self {
        Breaker(Mutex::new(State::Closed { failures: 0 }))
    }

    /// Lets an operation through, or says when to ask again.
    pub(super) fn admit(&self, now: Nanos) -> Result<Pass<'_>, Nanos> {
        let mut state = lock(&self.0);
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until, .. } if now < until => return Err(until),
            State::Open { pause, .. } => {
                *state = State::Probing { pause };
                true
            }
            State::Probing { pause } => return Err(now.saturating_add(pause)),
        };
        Ok(Pass {
            breaker: self,
            probe,
            said: false,
        })
    }

    /// The same for people.
    pub(super) fn health(&self) -> Health {
        match *lock(&self.0) {
            State::Closed { .. } => Health::Up,
            State::Open { .. } => Health::Down,
            State::Probing { .. } => Health::HalfOpen,
        }
    }

    /// Whether operations are let through freely.
    pub(super) fn is_closed(&self) -> bool {
        matches!(*lock(&self.0), State::Closed { .. })
    }
}

impl Pass<'_> {
    /// The store answered; returns whether it was taken to be down until now.
    pub(super) fn answered(mut self) -> bool {
        self.said = true;
        let mut state = lock(&self.breaker.0);
        // What was let through before it opened does not close it.
        let closed = matches!(*state, State::Closed { .. });
        if self.probe || closed {
            *state = State::Closed { failures: 0 };
        }
        self.probe && !closed
    }

    /// The store did not answer; returns whether it is now taken to be down, and was not before.
    pub(super) fn failed(mut self, now: Nanos) -> bool {
        self.said = true;
        let mut state = lock(&self.breaker.0);
        let open = |pause: Nanos| State::Open {
            until: now.saturating_add(pause),
            pause,
        };
        let next = match *state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed {
                failures: failures + 1,
            },
            State::Closed { .. } => open(PAUSE),
            State::Probing { pause } if self.probe => open((pause * 2).min(LONGEST)),
            other => other,
        };
        let opened = matches!(*state, State::Closed { .. }) && matches!(next, State::Open { .. });
        *state = next;
        opened
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe && !self.said {
            let mut state = lock(&self.breaker.0);
            if let State::Probing { pause } = *state {
                *state = State::Open { until: 0, pause };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, FAILURES, LONGEST, PAUSE};

    fn answer(breaker: &Breaker, now: u64) {
        if let Ok(pass) = breaker.admit(now) {
            pass.answered();
        }
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new();
        for n in 1..=FAILURES {
            let opens = breaker.admit(0).ok().map(|pass| pass.failed(0));
            assert_eq!(opens, Some(n == FAILURES));
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let breaker = Breaker::new();
        for _ in 0..100 {
            for _ in 1..FAILURES {
                breaker.admit(0).ok().map(|pass| pass.failed(0));
            }
            answer(&breaker, 0);
        }
        assert!(breaker.is_closed());
        assert!(!opened().is_closed());
    }

    #[test]
    fn when_the_pause_is_over_exactly_one_probe_is_let_through() {
        let breaker = opened();
        assert_eq!(breaker.admit(PAUSE - 1).err(), Some(PAUSE));
        let Ok(probe) = breaker.admit(PAUSE) else {
            panic!("the pause is over");
        };
        for _ in 0..10 {
            assert!(breaker.admit(PAUSE).is_err(), "one probe at a time");
        }
        probe.answered();
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_probe_that_fails_doubles_the_pause_up_to_a_limit() {
        let breaker = opened();
        let (mut now, mut pause) = (0, PAUSE);
        for _ in 0..10 {
            assert!(breaker.admit(now + pause - 1).is_err());
            now += pause;
            breaker.admit(now).ok().map(|probe| probe.failed(now));
            pause = (pause * 2).min(LONGEST);
        }
        assert_eq!(pause, LONGEST);
        assert!(breaker.admit(now + pause - 1).is_err());
        assert!(breaker.admit(now + pause).is_ok());
    }

    #[test]
    fn a_probe_whose_caller_leaves_makes_room_for_the_next() {
        let breaker = opened();
        drop(breaker.admit(PAUSE));
        assert!(breaker.admit(PAUSE).is_ok());
    }

    #[test]
    fn an_answer_from_before_it_opened_does_not_close_it() {
        let breaker = Breaker::new();
        let Ok(slow) = breaker.admit(0) else {
            panic!("it is closed");
        };
        for _ in 0..FAILURES {
            breaker.admit(0).ok().map(|pass| pass.failed(0));
        }
        slow.answered();
        assert!(!breaker.is_closed());
    }
}
