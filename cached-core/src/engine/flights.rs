//! Who loads what right now.

use std::any::Any;
use std::cell::RefCell;
use std::num::NonZeroU64;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::aloft::{Aloft, Key, Shard};
use super::batch::rest::Parked;
use super::call::Load;
use super::flight::Flight;
use super::lead::Lead;
use super::wait::Joined;
use super::{Began, Engine, Loading, Refreshing};
use crate::clock::Nanos;
#[cfg(feature = "tower")]
use crate::key::AnyKey;
use crate::outcome::Share;
use crate::rt::BoxFuture;
use crate::scope::of_any_tag;
#[cfg(feature = "tower")]
use crate::scope::{Scopes, ticks::Ticks};
use crate::sync::lock;

/// What a load lands as, for those who waited.
pub(crate) enum Landing<R> {
    /// The result, once more for each of them.
    Shared(Share<R>),
    /// A result that cannot be given twice: load for yourself; `failed` if it was an error.
    Alone { failed: bool },
    /// Of a batch: no result for this key, or several.
    Rows(Arc<[Share<R>]>),
    /// Of a batch: the error of the whole, which the batch knows how to read.
    Failed(Arc<dyn Any + Send + Sync>),
}

impl<R> Clone for Landing<R> {
    fn clone(&self) -> Self {
        match self {
            Landing::Shared(share) => Landing::Shared(Arc::clone(share)),
            Landing::Alone { failed } => Landing::Alone { failed: *failed },
            Landing::Rows(rows) => Landing::Rows(Arc::clone(rows)),
            Landing::Failed(error) => Landing::Failed(Arc::clone(error)),
        }
    }
}

/// A load without a leader.
pub(crate) enum Orphan<R: 'static> {
    /// The half-run load of this key.
    Half(Half<R>),
    /// That of a batch, which lands by itself; others may have taken it.
    Rest(Parked<R>),
}

/// A half-run load.
pub(crate) struct Half<R> {
    pub(crate) body: BoxFuture<'static, R>,
    pub(crate) began: Began,
    pub(crate) started: Nanos,
    /// It counts as running while nobody runs it.
    pub(crate) loading: Loading,
    pub(crate) span: crate::trace::Load,
}

/// A flight of a function that returns `R`: where others wait for a load.
pub(crate) struct FlightOf<R: 'static> {
    flight: Flight<Landing<R>, Orphan<R>>,
    /// That of the load.
    pub(crate) number: Number,
}

impl<R: 'static> FlightOf<R> {
    pub(super) fn new(number: Number) -> Self {
        let flight = Flight::new();
        FlightOf { flight, number }
    }
}

/// The number of a load, or of one of several keys.
pub(crate) type Number = NonZeroU64;

/// A number for a load, which no other has.
fn number() -> Number {
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    let next = NUMBERS.fetch_add(1, Ordering::Relaxed);
    Number::new(next).unwrap_or(Number::MAX)
}

/// When a load starts, or one of several keys, and its number.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(super) number: Number,
    pub(super) time: Nanos,
}

impl Start {
    /// A load starts now.
    pub(crate) fn now(engine: &Engine) -> Self {
        Start {
            number: number(),
            time: engine.start(),
        }
    }
}

impl<R: 'static> Deref for FlightOf<R> {
    type Target = Flight<Landing<R>, Orphan<R>>;

    fn deref(&self) -> &Self::Target {
        &self.flight
    }
}

/// The part a caller has in a load.
pub(crate) enum Entered<R: 'static> {
    /// It runs the body, and the others wait for it.
    Lead(Lead<R>),
    /// It waits.
    Join(Joined<R>),
    /// It is called from within the very load that it would wait for: it runs the body.
    Inside,
    /// Somebody else's load has just ended.
    Fresh(R),
}

/// All loads of one cache that others may join.
pub(crate) struct Flights {
    shards: Box<[Mutex<Shard>]>,
}

const SHARDS: usize = 64;

impl Default for Flights {
    fn default() -> Self {
        Flights {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Flights {
    fn shard(&self, hash: u64) -> &Mutex<Shard> {
        &self.shards[(hash >> 40) as usize % SHARDS]
    }

    /// Leads or joins the load of a key.
    ///
    /// With `anew`, a load that is under way is not joined but replaced: those who come later join
    /// the new one. Without `single_flight`, everybody loads.
    pub(crate) fn enter<R: 'static>(&self, load: &Arc<dyn Load<R>>, anew: bool) -> Entered<R> {
        self.enter_at(load, anew, Start::now)
    }

    /// The same where several loads start together: `start` says when, if it is asked.
    pub(crate) fn enter_at<R: 'static>(
        &self,
        load: &Arc<dyn Load<R>>,
        anew: bool,
        start: impl FnOnce(&Engine) -> Start,
    ) -> Entered<R> {
        let base = load.base();
        // Counted before it begins.
        let refreshing = anew.then(|| base.engine.refreshing(base.hash));
        if !base.policy.single_flight {
            let start = start(&base.engine);
            let mut lead = Lead::alone(Arc::clone(load), start);
            lead.refreshes(refreshing);
            return Entered::Lead(lead);
        }
        let entered = self.enter_one(load, refreshing, start);
        if let Entered::Fresh(_) = entered {
            base.counters.waited(base.named());
        }
        entered
    }

    /// The same for a refresh while a value is served: one at a time, whatever the function says.
    pub(crate) fn refresh<R: 'static>(&self, load: &Arc<dyn Load<R>>) -> Entered<R> {
        self.enter_one(load, None, Start::now)
    }

    #[inline]
    fn enter_one<R: 'static>(
        &self,
        load: &Arc<dyn Load<R>>,
        refreshing: Option<Refreshing>,
        start: impl FnOnce(&Engine) -> Start,
    ) -> Entered<R> {
        let (base, anew) = (load.base(), refreshing.is_some());
        let mut shard = lock(self.shard(base.hash));
        let mut spot = shard.spot(Key(Arc::clone(load).into_key()));
        if let Some(aloft) = spot.load().filter(|_| !anew)
            && aloft.is_valid(&base.engine.ticks)
        {
            if aloft.number.is_some_and(inside) {
                return Entered::Inside;
            }
            let late = base.comes_too_late_for(aloft.began);
            if let Some(flight) = aloft.awaited() {
                return Entered::Join(Joined::new(Arc::clone(load), flight, late));
            }
        }
        let start = start(&base.engine);
        let mut lead = Lead::new(Arc::clone(load), start);
        lead.refreshes(refreshing);
        let scopes = base.scopes.and(base.late_tags.then(of_any_tag));
        let aloft = Aloft::new::<R>(start.number, lead.began(), scopes);
        let replaced = spot.put(aloft);
        drop(shard);
        // Not under the lock: what hangs on it may be the user's.
        drop(replaced);
        // The load that this caller missed may have ended between its look and its turn here.
        match load.fresh().filter(|_| !anew) {
            Some(result) => Entered::Fresh(lead.not_needed(result)),
            None => Entered::Lead(lead),
        }
    }

    /// Takes a load off the table; returns where others wait for it, if there is such a place.
    pub(crate) fn remove<R: 'static>(
        &self,
        load: &dyn Load<R>,
        number: Number,
    ) -> Option<Arc<FlightOf<R>>> {
        let is = |aloft: &Aloft| aloft.number == Some(number);
        let removed = lock(self.shard(load.base().hash)).take(load.key(), is);
        removed?.1.flight()
    }

    /// Where others wait for a load, if there is such a place.
    pub(crate) fn awaited<R: 'static>(
        &self,
        load: &dyn Load<R>,
        number: Number,
    ) -> Option<Arc<FlightOf<R>>> {
        let shard = lock(self.shard(load.base().hash));
        shard.find(load.key(), number)?.flight()
    }

    /// Where others wait, or will, for one of the keys of a load.
    pub(crate) fn all_of<R: 'static>(&self, number: Number) -> Vec<Arc<FlightOf<R>>> {
        let mut flights = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            let of_it = shard.all().filter(|aloft| aloft.number == Some(number));
            flights.extend(of_it.filter_map(Aloft::awaited));
        }
        flights
    }
}

/// The part a caller has in a load of another kind than a function's.
#[cfg(feature = "tower")]
pub(crate) enum Part<F> {
    Lead(Arc<F>),
    /// With when it began.
    Join(Arc<F>, Began),
}

#[cfg(feature = "tower")]
impl Flights {
    /// Leads or joins a load; `began` is when a leader begins, taken before this call. One that was
    /// waited for in vain is not joined again, but replaced.
    pub(crate) fn enter_as<F: Any + Send + Sync>(
        &self,
        ticks: &Ticks,
        key: Arc<dyn AnyKey>,
        scopes: &Scopes,
        began: Began,
        in_vain: Option<&Arc<F>>,
        new: impl FnOnce() -> F,
    ) -> Part<F> {
        let mut shard = lock(self.shard(key.hash()));
        let mut spot = shard.spot(Key(Arc::clone(&key)));
        if let Some(aloft) = spot.load()
            && aloft.is_valid(ticks)
            && let Some(flight) = aloft.flight()
            && !in_vain.is_some_and(|known| Arc::ptr_eq(known, &flight))
        {
            return Part::Join(flight, aloft.began);
        }
        let flight = Arc::new(new());
        let aloft = Aloft::with(Arc::clone(&flight), began, scopes.clone());
        let replaced = spot.put(aloft);
        drop(shard);
        // Not under the lock: what hangs on it may be the user's.
        drop(replaced);
        Part::Lead(flight)
    }

    /// Takes such a load off the table, unless another of the same key has replaced it.
    pub(crate) fn leave<F: Any + Send + Sync>(&self, key: Arc<dyn AnyKey>, flight: &Arc<F>) {
        let is = |aloft: &Aloft| {
            let other = aloft.flight();
            other.is_some_and(|other: Arc<F>| Arc::ptr_eq(&other, flight))
        };
        let removed = lock(self.shard(key.hash())).take(&*key, is);
        drop(removed);
    }
}

thread_local! {
    /// The loads whose bodies run on this thread right now, innermost last.
    static BODIES: RefCell<Vec<Number>> = const { RefCell::new(Vec::new()) };
}

/// On a thread that is ending there are none.
fn bodies<T: Default>(look: impl FnOnce(&mut Vec<Number>) -> T) -> T {
    BODIES
        .try_with(|bodies| look(&mut bodies.borrow_mut()))
        .unwrap_or_default()
}

/// Marks the body of a load as running on this thread, as long as it lives.
pub(crate) struct Body;

impl Body {
    /// Of the load with this number.
    pub(crate) fn of(number: Number) -> Body {
        bodies(|bodies| bodies.push(number));
        Body
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        bodies(Vec::pop);
    }
}

/// The loads whose bodies run on a thread, for another that goes on with one of them.
pub(crate) struct Bodies(Vec<Number>);

impl Bodies {
    pub(crate) fn here() -> Self {
        Bodies(bodies(|bodies| bodies.clone()))
    }

    /// They run on this thread, as long as the guard lives.
    pub(crate) fn enter(&self) -> Within {
        Within(bodies(|bodies| {
            let before = bodies.len();
            bodies.extend(&self.0);
            before
        }))
    }
}

/// Leaves the bodies that were entered.
pub(crate) struct Within(usize);

impl Drop for Within {
    fn drop(&mut self) {
        bodies(|bodies| bodies.truncate(self.0));
    }
}

fn inside(number: Number) -> bool {
    bodies(|bodies| bodies.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_inside_its_own_load_and_no_other() {
        let (load, later) = (number(), number());
        let within = {
            let _body = Body::of(load);
            assert!(inside(load) && !inside(later));
            Bodies::here()
        };
        assert!(!inside(load));
        let _within = within.enter();
        assert!(inside(load) && !inside(later), "its body runs on here");
    }
}
