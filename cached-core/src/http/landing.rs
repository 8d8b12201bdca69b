//! Where others wait for a load, and what they are told.

use std::convert::Infallible;
use std::ops::Deref;
#[cfg(feature = "stores")]
use std::sync::OnceLock;
use std::sync::{Arc, Weak};

use super::failed::Failed;
use super::fill::Fill;
use super::load::Load;
use super::stored::Stored;
use super::vary::Selecting;
use crate::engine::flight::Flight;
use crate::key::AnyKey;

/// What a load came to, for those who waited.
#[derive(Clone)]
pub(crate) enum Landing {
    Stored(Arc<Stored>),
    /// It may be stored, for requests that say this, and its body is under way as long as somebody
    /// reads it.
    Filling(Weak<Fill>, Arc<Selecting>),
    /// Of no use to anybody else: load for yourself.
    Alone,
    /// The handler said to one client that it has the response already.
    Unmodified,
    /// One client has asked in a way that was refused, which nobody else may have done.
    Own,
    Failed(Failed),
}

/// A load that others wait for; there is no body to hand over.
pub(crate) struct FlightOf {
    flight: Flight<Landing, Infallible>,
    /// What the shared store has that may be served meanwhile.
    #[cfg(feature = "stores")]
    stale: OnceLock<Arc<Stored>>,
}

impl FlightOf {
    pub(crate) fn new() -> Self {
        FlightOf {
            flight: Flight::new(),
            #[cfg(feature = "stores")]
            stale: OnceLock::new(),
        }
    }

    /// What may be served to some while the load is under way.
    #[cfg(feature = "stores")]
    pub(crate) fn stale(&self) -> Option<&Arc<Stored>> {
        self.stale.get()
    }

    /// Offers that to those who wait, and who come to wait.
    #[cfg(feature = "stores")]
    pub(crate) fn offer(&self, stale: &Arc<Stored>) {
        if self.stale.set(Arc::clone(stale)).is_ok() {
            self.flight.wake();
        }
    }
}

impl Deref for FlightOf {
    type Target = Flight<Landing, Infallible>;

    fn deref(&self) -> &Self::Target {
        &self.flight
    }
}

/// The duty to end a flight.
pub(crate) struct Duty {
    pub(crate) load: Arc<Load>,
    /// Under which others find the flight.
    pub(crate) key: Arc<dyn AnyKey>,
    pub(crate) flight: Option<Arc<FlightOf>>,
}

impl Duty {
    /// Tells those who wait; others may still join what is under way.
    pub(crate) fn land(&self, landing: Landing) {
        if let Some(flight) = &self.flight {
            flight.land(landing);
        }
    }

    /// Tells those who wait that there is nothing; whoever comes from now on begins afresh.
    pub(crate) fn fail(&self, landing: Landing) {
        if let Some(flight) = &self.flight {
            self.leave(flight);
            flight.land(landing);
        }
    }

    fn leave(&self, flight: &Arc<FlightOf>) {
        let key = Arc::clone(&self.key);
        self.load.engine.flights.leave(key, flight);
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if let Some(flight) = self.flight.take() {
            self.leave(&flight);
            flight.abandon();
        }
    }
}
