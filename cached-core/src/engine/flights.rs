//! Who loads what right now.

use std::any::Any;
use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::batch::rest::Parked;
use super::call::Load;
use super::flight::Flight;
use super::lead::Lead;
use super::wait::Joined;
use super::{Began, Engine, Loading};
use crate::clock::Nanos;
use crate::key::AnyKey;
use crate::memory::Identity;
use crate::outcome::Share;
use crate::rt::BoxFuture;
use crate::scope::ticks::Verdict;
use crate::scope::{Scopes, of_any_tag};
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

/// A flight of a function that returns `R`.
pub(crate) struct FlightOf<R: 'static> {
    flight: Flight<Landing<R>, Orphan<R>>,
    /// Never used again, which its address may be.
    number: u64,
}

impl<R: 'static> FlightOf<R> {
    pub(crate) fn new() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        FlightOf {
            flight: Flight::new(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
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

struct Key(Arc<dyn AnyKey>);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        *self.0 == *other.0
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::hash::Hash::hash(&*self.0, state);
    }
}

impl<'a> Borrow<dyn AnyKey + 'a> for Key {
    fn borrow(&self) -> &(dyn AnyKey + 'a) {
        &*self.0
    }
}

struct Aloft {
    flight: Arc<dyn Any + Send + Sync>,
    tick: u64,
    scopes: Scopes,
}

type Shard = Mutex<HashMap<Key, Aloft, Identity>>;

/// All loads of one cache that others may join.
pub(crate) struct Flights {
    shards: Box<[Shard]>,
}

const SHARDS: usize = 64;

impl Default for Flights {
    fn default() -> Self {
        Flights {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        }
    }
}

impl Flights {
    fn shard(&self, hash: u64) -> &Shard {
        &self.shards[(hash >> 40) as usize % SHARDS]
    }

    /// Leads or joins the load of a key.
    ///
    /// With `anew`, a load that is under way is not joined but replaced: those who come later join
    /// the new one. Without `single_flight`, everybody loads.
    pub(crate) fn enter<R: 'static>(&self, load: &Arc<dyn Load<R>>, anew: bool) -> Entered<R> {
        self.enter_at(load, anew, Engine::start)
    }

    /// The same where several loads start together: `start` says when, if it is asked.
    pub(crate) fn enter_at<R: 'static>(
        &self,
        load: &Arc<dyn Load<R>>,
        anew: bool,
        start: impl FnOnce(&Engine) -> Nanos,
    ) -> Entered<R> {
        let base = load.base();
        if !base.policy.single_flight {
            let started = start(&base.engine);
            return Entered::Lead(Lead::solo_at(Arc::clone(load), started));
        }
        let entered = self.enter_one(load, anew, start);
        if let Entered::Fresh(_) = entered {
            base.counters.waited(base.named());
        }
        entered
    }

    /// The same for a refresh while a value is served: one at a time, whatever the function says.
    pub(crate) fn refresh<R: 'static>(&self, load: &Arc<dyn Load<R>>) -> Entered<R> {
        self.enter_one(load, false, Engine::start)
    }

    fn enter_one<R: 'static>(
        &self,
        load: &Arc<dyn Load<R>>,
        anew: bool,
        start: impl FnOnce(&Engine) -> Nanos,
    ) -> Entered<R> {
        let base = load.base();
        let mut shard = lock(self.shard(base.hash));
        let known = shard.get(load.key());
        let replaces = known.is_some();
        if let Some(aloft) = known.filter(|_| !anew) {
            let current =
                base.engine
                    .ticks
                    .check(aloft.scopes.ids(), aloft.scopes.prefix(), aloft.tick)
                    == Verdict::Valid;
            let flight = Arc::clone(&aloft.flight).downcast::<FlightOf<R>>();
            if let (true, Ok(flight)) = (current, flight) {
                return match inside(&flight) {
                    true => Entered::Inside,
                    false => Entered::Join(Joined::new(Arc::clone(load), flight)),
                };
            }
        }
        let flight: Arc<FlightOf<R>> = Arc::new(FlightOf::new());
        let started = start(&base.engine);
        let lead = Lead::new(Arc::clone(load), Arc::clone(&flight), started);
        let scopes = base.scopes.and(base.late_tags.then(of_any_tag));
        let aloft = Aloft {
            flight,
            tick: lead.began().tick,
            scopes,
        };
        // With its key, which is the other call's.
        let replaced = replaces.then(|| shard.remove_entry(load.key()));
        shard.insert(Key(Arc::clone(load).into_key()), aloft);
        drop(shard);
        // Not under the lock: what hangs on it may be the user's.
        drop(replaced);
        // The load that this caller missed may have ended between its look and its turn here.
        match load.fresh().filter(|_| !anew) {
            Some(result) => Entered::Fresh(lead.not_needed(result)),
            None => Entered::Lead(lead),
        }
    }

    /// Takes a flight off the table, unless another of the same key has replaced it.
    pub(crate) fn remove<R: 'static>(&self, load: &dyn Load<R>, flight: &Arc<FlightOf<R>>) {
        let removed = take(self.shard(load.base().hash), load.key(), address(flight));
        // Not under the lock: the key is the user's.
        drop(removed);
    }
}

/// The part a caller has in a load of another kind than a function's.
#[cfg(feature = "tower")]
pub(crate) enum Part<F> {
    Lead(Arc<F>),
    Join(Arc<F>),
}

#[cfg(feature = "tower")]
impl Flights {
    /// Leads or joins a load; `tick` is that at which a leader begins, read before this call.
    pub(crate) fn enter_as<F: Any + Send + Sync>(
        &self,
        ticks: &crate::scope::ticks::Ticks,
        key: Arc<dyn AnyKey>,
        scopes: &Scopes,
        tick: u64,
        new: impl FnOnce() -> F,
    ) -> Part<F> {
        let mut shard = lock(self.shard(key.hash()));
        let key = Key(key);
        if let Some(aloft) = shard.get(&key) {
            let scopes = &aloft.scopes;
            let verdict = ticks.check(scopes.ids(), scopes.prefix(), aloft.tick);
            let flight = Arc::clone(&aloft.flight).downcast::<F>();
            if let (Verdict::Valid, Ok(flight)) = (verdict, flight) {
                return Part::Join(flight);
            }
        }
        let flight = Arc::new(new());
        let aloft = Aloft {
            flight: Arc::clone(&flight) as Arc<dyn Any + Send + Sync>,
            tick,
            scopes: scopes.clone(),
        };
        let replaced = shard.remove_entry(&key);
        shard.insert(key, aloft);
        drop(shard);
        // Not under the lock: what hangs on it may be the user's.
        drop(replaced);
        Part::Lead(flight)
    }

    /// Takes such a load off the table, unless another of the same key has replaced it.
    pub(crate) fn leave<F>(&self, key: Arc<dyn AnyKey>, flight: &Arc<F>) {
        let removed = take(self.shard(key.hash()), &*key, address(flight));
        drop(removed);
    }
}

/// Takes a flight off the table, if it still is the one of its key.
fn take(shard: &Shard, key: &dyn AnyKey, flight: usize) -> Option<(Key, Aloft)> {
    let mut shard = lock(shard);
    let (key, aloft) = shard.remove_entry(key)?;
    if address(&aloft.flight) == flight {
        return Some((key, aloft));
    }
    shard.insert(key, aloft);
    None
}

fn address<T: ?Sized>(flight: &Arc<T>) -> usize {
    Arc::as_ptr(flight).addr()
}

thread_local! {
    /// The flights whose bodies run on this thread right now, innermost last.
    static BODIES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// On a thread that is ending there are none.
fn bodies<T: Default>(look: impl FnOnce(&mut Vec<u64>) -> T) -> T {
    BODIES
        .try_with(|bodies| look(&mut bodies.borrow_mut()))
        .unwrap_or_default()
}

/// Marks the body of a flight as running on this thread, as long as it lives.
pub(crate) struct Body;

impl Body {
    pub(crate) fn of<R>(flight: &FlightOf<R>) -> Body {
        bodies(|bodies| bodies.push(flight.number));
        Body
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        bodies(Vec::pop);
    }
}

/// The flights whose bodies run on a thread, for another that goes on with one of them.
pub(crate) struct Bodies(Vec<u64>);

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

fn inside<R>(flight: &FlightOf<R>) -> bool {
    bodies(|bodies| bodies.contains(&flight.number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_outlives_its_flight_is_not_inside_a_later_one_at_the_same_place() {
        let flight: FlightOf<u8> = FlightOf::new();
        let mut place = Arc::new(flight);
        let within = {
            let _body = Body::of(&place);
            assert!(inside(&place));
            Bodies::here()
        };
        let _within = within.enter();
        assert!(inside(&place), "its body runs on here");
        // The same place, whatever the allocator does.
        if let Some(flight) = Arc::get_mut(&mut place) {
            *flight = FlightOf::new();
        }
        assert!(!inside(&place));
    }
}
