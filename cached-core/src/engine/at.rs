//! From a call to an entry: the read.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Engine;
use super::call::{Base, Call, Load};
use super::plan::Plan;
use super::site::{Marker, Resolved, Site};
use crate::error::Error;
use crate::key::{self, OwnedKey, Parts};
use crate::memory::{Entry, Query, Slot};
use crate::outcome::Outcome;
use crate::policy::Judgement;
use crate::scope::of_key;
use crate::scope::ticks::Verdict;
use crate::stats::Counters;
use crate::trace;

/// What a call is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Serve what is there, else load.
    Read,
    /// Load and store, whatever is there.
    Refresh,
    /// Run the body, as if there were no cache.
    Bypass,
    /// Only find the place: nothing is read, nothing is counted.
    Key,
}

impl Mode {
    /// `unless = …`.
    #[must_use]
    pub fn unless(self, condition: impl FnOnce() -> bool) -> Self {
        if self == Mode::Read && condition() {
            Mode::Bypass
        } else {
            self
        }
    }

    /// `refresh_if = …`.
    #[must_use]
    pub fn refresh_if(self, condition: impl FnOnce() -> bool) -> Self {
        if self == Mode::Read && condition() {
            Mode::Refresh
        } else {
            self
        }
    }
}

/// Where a call stands after looking into the cache.
#[must_use]
pub struct At<R: 'static>(pub(crate) Place<R>);

pub(crate) enum Place<R: 'static> {
    /// Served.
    Hit(R),
    /// Served, and somebody should load afresh.
    Ready { value: R, load: Arc<dyn Load<R>> },
    /// To be loaded; `anew` even where a load is under way.
    Miss { load: Arc<dyn Load<R>>, anew: bool },
    /// Not the cache's business, or the cache cannot be found.
    Bypass(Option<Error>),
}

/// How a look into the memory tier ended.
enum Look<R> {
    Hit(R),
    /// Served, but due for a load.
    Due(R, Slot),
    Expired {
        slot: Slot,
        useful: bool,
        refused: bool,
    },
    Invalid(Slot),
}

/// Looks a call up.
///
/// The type of `marker` tells the instantiations of a generic function, and of the `impl` around
/// it, apart. `parts` are the arguments that count, `plan` works out prefix, tags and the rest on a miss.
#[inline]
pub fn at<R, O, P, M>(
    mode: Mode,
    site: &'static Site,
    marker: &M,
    parts: P,
    outcome: O,
    plan: impl FnOnce(&mut Plan<R, O::Value, O::Error>),
) -> At<R>
where
    R: 'static,
    O: Outcome<R>,
    P: Parts,
{
    at_unless_stale(mode, site, marker, parts, outcome, |_| false, plan)
}

/// The same with `stale_if`.
#[inline]
pub fn at_unless_stale<R, O, P, M>(
    mode: Mode,
    site: &'static Site,
    marker: &M,
    parts: P,
    outcome: O,
    stale_if: impl Fn(&O::Value) -> bool,
    plan: impl FnOnce(&mut Plan<R, O::Value, O::Error>),
) -> At<R>
where
    R: 'static,
    O: Outcome<R>,
    P: Parts,
{
    let cache = match cache_of(site) {
        Ok(cache) => cache,
        Err(error) => return At(Place::Bypass(Some(error))),
    };
    at_in(
        cache.engine(),
        mode,
        site,
        Marker::of(marker),
        parts,
        outcome,
        stale_if,
        plan,
    )
}

/// The same in a cache that is known.
#[inline]
#[expect(
    clippy::too_many_arguments,
    reason = "the union of what generated code and the API know"
)]
pub(crate) fn at_in<R, O, P>(
    engine: &Arc<Engine>,
    mode: Mode,
    site: &'static Site,
    marker: Marker,
    parts: P,
    outcome: O,
    stale_if: impl Fn(&O::Value) -> bool,
    plan: impl FnOnce(&mut Plan<R, O::Value, O::Error>),
) -> At<R>
where
    R: 'static,
    O: Outcome<R>,
    P: Parts,
{
    if engine.memory.is_none() || mode == Mode::Bypass {
        return bypass(engine, site, mode, || {
            let hash = key::hash(marker.id, &parts);
            call(engine, site, marker, hash, parts, outcome, plan)
        });
    }
    let hash = key::hash(marker.id, &parts);
    let look = match mode {
        Mode::Read => {
            let query = Query {
                hash,
                marker: marker.id,
                parts: &parts,
                value: PhantomData,
            };
            look(engine, &query, &outcome, stale_if)
        }
        _ => None,
    };
    match look {
        Some(Look::Hit(result)) => At(Place::Hit(result)),
        look => missed(
            mode,
            look,
            engine,
            hash,
            call(engine, site, marker, hash, parts, outcome, plan),
        ),
    }
}

#[inline]
fn cache_of(site: &'static Site) -> Result<Resolved, Error> {
    site.resolve()
        .inspect_err(|error| trace::unresolved(site.name(), error))
}

/// Past the cache; the low-level operations still get their place.
#[cold]
fn bypass<R, O, K>(
    engine: &Arc<Engine>,
    site: &'static Site,
    mode: Mode,
    call: impl FnOnce() -> Call<R, O, K>,
) -> At<R>
where
    R: 'static,
    O: Outcome<R>,
    K: Clone + Eq + Send + Sync + 'static,
{
    if mode == Mode::Key {
        return At(Place::Miss {
            load: Arc::new(call()),
            anew: false,
        });
    }
    engine.counters_of(site).bypassed.one();
    At(Place::Bypass(None))
}

/// Looks at the entry where it is, if there is one.
#[inline]
fn look<R, O, P>(
    engine: &Engine,
    query: &Query<'_, P, O::Stored>,
    outcome: &O,
    stale_if: impl Fn(&O::Value) -> bool,
) -> Option<Look<R>>
where
    O: Outcome<R>,
    P: Parts,
{
    let memory = engine.memory.as_ref()?;
    memory.look(query, |slot, entry: &Entry<P::Owned, O::Stored>| {
        let meta = &entry.meta;
        if engine.verdict(meta, &entry.key) == Verdict::Invalid {
            return Look::Invalid(slot.clone());
        }
        let times = meta.times();
        let (judged, now) = if times.fresh_until(engine.clock.latest()) {
            (Judgement::Fresh, 0)
        } else {
            let now = engine.clock.now();
            (times.judge(now), now)
        };
        let served = !matches!(judged, Judgement::Expired | Judgement::OnError);
        if served && outcome.value(&entry.value).is_some_and(&stale_if) {
            return Look::Expired {
                slot: slot.clone(),
                useful: false,
                refused: true,
            };
        }
        match judged {
            Judgement::Fresh => {
                times.read(now);
                engine.hit(meta, query.hash, &meta.counters);
                Look::Hit(outcome.give(&entry.value))
            }
            Judgement::Throttled => {
                meta.counters.stale.one();
                Look::Hit(outcome.give(&entry.value))
            }
            Judgement::Refresh => {
                times.read(now);
                meta.counters.hits.one();
                Look::Due(outcome.give(&entry.value), slot.clone())
            }
            Judgement::Revalidate => {
                meta.counters.stale.one();
                Look::Due(outcome.give(&entry.value), slot.clone())
            }
            Judgement::OnError => Look::Expired {
                slot: slot.clone(),
                useful: true,
                refused: false,
            },
            Judgement::Expired => Look::Expired {
                slot: slot.clone(),
                useful: false,
                refused: false,
            },
        }
    })
}

/// The call as the loading half knows it.
#[cold]
fn call<R, O, P>(
    engine: &Arc<Engine>,
    site: &'static Site,
    marker: Marker,
    hash: u64,
    parts: P,
    outcome: O,
    fill: impl FnOnce(&mut Plan<R, O::Value, O::Error>),
) -> Call<R, O, P::Owned>
where
    R: 'static,
    O: Outcome<R>,
    P: Parts,
{
    let mut plan = Plan::new();
    fill(&mut plan);
    #[cfg(feature = "stores")]
    let names = names(engine, site, marker, &parts, &outcome, &plan);
    let scopes = plan.scopes(site, of_key(marker.id, hash));
    let key = OwnedKey {
        hash,
        marker: marker.id,
        parts: parts.own(),
    };
    let base = Base {
        engine: Arc::clone(engine),
        function: site.name(),
        policy: site.policy(),
        counters: engine.counters_of(site),
        hash,
        scopes,
        late_tags: plan.has_late_tags(),
        heap: P::heap(&key.parts),
        stale: None,
        refused: 0,
        #[cfg(feature = "stores")]
        names,
        #[cfg(feature = "stores")]
        fetched: Default::default(),
    };
    Call {
        base,
        key: Arc::new(key),
        outcome,
        plan,
        result: PhantomData,
    }
}

/// Counts the miss by its reason and says what is to be done.
#[cold]
fn missed<R, O, K>(
    mode: Mode,
    look: Option<Look<R>>,
    engine: &Engine,
    hash: u64,
    mut call: Call<R, O, K>,
) -> At<R>
where
    R: 'static,
    O: Outcome<R>,
    K: Clone + Eq + Send + Sync + 'static,
{
    let counters = Arc::clone(&call.base.counters);
    let function = call.base.function;
    let tell = |outcome| trace::outcome(engine, function, outcome);
    if mode == Mode::Key {
        return At(Place::Miss {
            load: Arc::new(call),
            anew: false,
        });
    }
    if let Some(memory) = &engine.memory {
        memory.missed(hash);
    }
    let due = match look {
        _ if mode == Mode::Refresh => {
            tell("refreshed");
            counters.refreshed.one();
            return At(Place::Miss {
                load: Arc::new(call),
                anew: true,
            });
        }
        Some(Look::Due(value, slot)) => {
            call.base.refused = slot.meta().order();
            call.base.stale = Some(slot);
            Some(value)
        }
        Some(Look::Expired {
            slot,
            useful,
            refused,
        }) => {
            tell("expired");
            count_expired(engine, &counters, &slot, useful || refused);
            call.base.refused = slot.meta().order();
            call.base.stale = useful.then_some(slot);
            None
        }
        Some(Look::Invalid(slot)) => {
            tell("invalidated");
            counters.invalidated.one();
            engine.discard(&slot);
            None
        }
        Some(Look::Hit(_)) | None => {
            tell("absent");
            counters.absent.one();
            None
        }
    };
    let load: Arc<dyn Load<R>> = Arc::new(call);
    match due {
        Some(value) => At(Place::Ready { value, load }),
        None => At(Place::Miss { load, anew: false }),
    }
}

fn count_expired(engine: &Engine, counters: &Counters, slot: &Slot, keep: bool) {
    counters.expired.one();
    if !keep {
        engine.discard(slot);
    }
}

/// What the entry and its scopes are called on the shared store; none where there is no store, or
/// the result cannot travel.
#[cfg(feature = "stores")]
fn names<R, O, P>(
    engine: &Engine,
    site: &'static Site,
    marker: Marker,
    parts: &P,
    outcome: &O,
    plan: &Plan<R, O::Value, O::Error>,
) -> Option<crate::store::tier::Names>
where
    O: Outcome<R>,
    P: Parts,
{
    engine.tier.as_ref()?;
    if site.policy().local {
        return None;
    }
    if outcome.codec().is_none() {
        engine.memory_only(site);
        return None;
    }
    let mut stable = crate::key::stable::Stable::default();
    stable.part(|out| out.bytes(site.name().as_bytes()));
    stable.part(|out| out.bytes(marker.name.as_bytes()));
    parts.stable(&mut stable);
    let hash = crate::store::tier::digest(&stable.into_bytes());
    Some(plan.names(site.name(), &hash))
}
