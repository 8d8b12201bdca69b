//! What every operation of a store goes through: a time limit, the budget of the call it is for,
//! the circuit breaker, and the count of failures.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::Duration;

use super::Store;
use super::breaker::Breaker;
use super::compare::Doubts;
use super::failure::{LastFailure, StoreFailure};
use super::status::Health;
use crate::clock::{Clock, Nanos};
use crate::error::Error;
use crate::stats::Counters;
use crate::sync::lock;
use crate::watch::EventKind;

/// A store as the engine talks to it.
pub(crate) struct Guard {
    store: Arc<dyn Store>,
    clock: Clock,
    counters: Arc<Counters>,
    breaker: Breaker,
    limits: Limits,
    doubts: Doubts,
    on_failure: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// When a failure may be a warning again.
    quiet_until: AtomicU64,
    last_failure: LastFailure,
}

/// One failure in so long is a warning: a store that refuses some operations, and answers others,
/// never counts as down.
const QUIET: Nanos = 60_000_000_000;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// One operation.
    pub(crate) operation: Nanos,
    /// All operations of one call together.
    pub(crate) call: Nanos,
}

/// What is left of the time that one call may spend on the store. Operations side by side take it
/// once.
pub(crate) struct Budget(Mutex<Left>);

struct Left {
    time: Nanos,
    /// How many operations are running.
    running: usize,
    /// From when on that has not been taken off.
    since: Nanos,
}

impl Budget {
    fn new(time: Nanos) -> Self {
        Budget(Mutex::new(Left {
            time,
            running: 0,
            since: 0,
        }))
    }

    /// An operation begins; and what it has.
    fn begin<'a>(&'a self, clock: &'a Clock) -> (Operation<'a>, Nanos) {
        let mut left = lock(&self.0);
        left.spend(clock.now());
        left.running += 1;
        let budget = self;
        (Operation { budget, clock }, left.time)
    }
}

impl Left {
    fn spend(&mut self, now: Nanos) {
        if self.running > 0 {
            let gone = now.saturating_sub(self.since);
            self.time = self.time.saturating_sub(gone);
        }
        self.since = now;
    }
}

/// An operation that takes of a budget until it is dropped.
struct Operation<'a> {
    budget: &'a Budget,
    clock: &'a Clock,
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        let mut left = lock(&self.budget.0);
        left.spend(self.clock.now());
        left.running -= 1;
    }
}

impl Guard {
    pub(super) fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        counters: Arc<Counters>,
        limits: Limits,
    ) -> Self {
        Guard {
            store,
            clock,
            counters,
            breaker: Breaker::new(),
            limits,
            doubts: Doubts::default(),
            on_failure: OnceLock::new(),
            quiet_until: AtomicU64::new(0),
            last_failure: LastFailure::default(),
        }
    }

    /// Runs this after each operation that the store did not answer.
    pub(super) fn on_failure(&self, then: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_failure.set(Box::new(then));
    }

    /// Whether the store may be another than before: so it may after each failure.
    pub(super) fn doubts(&self) -> &Doubts {
        &self.doubts
    }

    /// The store itself, for what is not to be guarded.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// The time of one call.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.limits.call)
    }

    /// Whether the store is taken to be up.
    pub(crate) fn is_up(&self) -> bool {
        self.breaker.is_closed()
    }

    pub(super) fn health(&self) -> Health {
        self.breaker.health()
    }

    pub(super) fn last_failure(&self) -> Option<StoreFailure> {
        self.last_failure.get(self.clock.now())
    }

    /// An operation that may fail without harm: what it brought, or nothing, its failure counted if
    /// it was made.
    pub(crate) async fn try_run<T>(
        &self,
        budget: &Budget,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Option<T> {
        self.run(budget, operation).await.ok()
    }

    /// An operation within its limits.
    ///
    /// # Errors
    /// The store's own, or that it did not answer in time, or that it is taken to be down.
    pub(crate) async fn run<T>(
        &self,
        budget: &Budget,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let begun = self.clock.now();
        let (_operation, left) = budget.begin(&self.clock);
        let result = if left == 0 {
            Err(self.overdue(self.limits.call))
        } else {
            self.admitted(begun, left.min(self.limits.operation), operation)
                .await
        };
        result.inspect_err(|error| {
            // The store is left alone: that was told of once, and nothing has failed since.
            if error.is_down() {
                return;
            }
            self.counters.store_errors.one();
            self.counters
                .tell(None, || EventKind::StoreFailed(error.to_string()));
        })
    }

    /// An operation for people: within its time, and neither counted nor held against the store.
    pub(super) async fn uncounted<T>(
        &self,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.timed(self.limits.operation, operation).await
    }

    async fn admitted<T>(
        &self,
        begun: Nanos,
        limit: Nanos,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Ok(pass) = self.breaker.admit(begun) else {
            return Err(Error::store_down());
        };
        let result = self.timed(limit, operation).await;
        let gone = self.clock.now().saturating_sub(begun);
        self.counters.operated(gone);
        if let Err(error) = &result {
            self.last_failure.note(self.clock.now(), error);
            self.warn(error);
        }
        match &result {
            Err(error) if !error.is_refused() => {
                self.doubts.raise();
                if let Some(then) = self.on_failure.get() {
                    then();
                }
                if pass.failed(self.clock.now()) {
                    self.counters.tell(None, || EventKind::CircuitOpened);
                    crate::trace::store_down(self.counters.cache(), &self.store.describe());
                }
            }
            _ => {
                if pass.answered() {
                    self.counters.tell(None, || EventKind::CircuitClosed);
                    crate::trace::store_up(self.counters.cache(), &self.store.describe());
                }
            }
        }
        result
    }

    /// Logs a failure, unless there was one a moment ago.
    fn warn(&self, error: &Error) {
        let now = self.clock.now();
        let next = |until: u64| (now >= until).then(|| now.saturating_add(QUIET));
        let quiet = &self.quiet_until;
        if (quiet.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)).is_ok() {
            crate::trace::store_failing(self.counters.cache(), &self.store.describe(), error);
        }
    }

    async fn timed<T>(
        &self,
        limit: Nanos,
        operation: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let operation = crate::rt::caught(operation);
        let mut operation = pin!(operation);
        let mut sleep = None;
        std::future::poll_fn(|cx| {
            if let Poll::Ready(result) = operation.as_mut().poll(cx) {
                let panicked = |_| Err(Error::store_panicked("answer"));
                return Poll::Ready(result.unwrap_or_else(panicked));
            }
            let sleep = sleep.get_or_insert_with(|| Box::pin(self.clock.sleep(limit)));
            let over = sleep.as_mut().poll(cx);
            over.map(|()| Err(self.overdue(limit)))
        })
        .await
    }

    fn overdue(&self, limit: Nanos) -> Error {
        Error::store_timeout(Duration::from_nanos(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use crate::clock::{Clock, ManualClock};
    use std::time::Duration;

    #[test]
    fn operations_side_by_side_take_their_time_once() {
        let hand = ManualClock::new();
        let clock = Clock::Manual(hand.clone());
        let advance = |nanos| hand.advance(Duration::from_nanos(nanos));
        let budget = Budget::new(1000);
        let (first, _) = budget.begin(&clock);
        advance(100);
        let (second, left) = budget.begin(&clock);
        assert_eq!(left, 900);
        advance(200);
        drop(first);
        advance(50);
        drop(second);
        advance(5000);
        let (last, left) = budget.begin(&clock);
        assert_eq!(left, 650, "and the time in between belongs to nobody");
        advance(651);
        drop(last);
        assert_eq!(budget.begin(&clock).1, 0);
    }
}
