//! From a call to an entry: the read.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Engine;
use super::call::{Call, Load};
use super::miss::{call, missed};
use super::plan::Plan;
use super::site::{Marker, Site};
use crate::error::Error;
use crate::key::{self, Parts};
use crate::memory::{Entry, Query, Slot};
use crate::outcome::Outcome;
use crate::policy::Judgement;
use crate::scope::ticks::Verdict;
use crate::trace;
use crate::watch::MissReason;

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
pub(super) enum Look<R> {
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
    let cache = match site.resolve() {
        Ok(cache) => cache,
        Err(error) => return unresolved(site, error),
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

/// There is no such cache: the body runs without one.
#[cold]
fn unresolved<R>(site: &'static Site, error: Error) -> At<R> {
    trace::unresolved(site.name(), &error);
    At(Place::Bypass(Some(error)))
}

/// Past the cache; the low-level operations still get their place.
#[cold]
fn bypass<R, O, K>(
    engine: &Arc<Engine>,
    site: &'static Site,
    mode: Mode,
    call: impl FnOnce() -> Arc<Call<R, O, K>>,
) -> At<R>
where
    R: 'static,
    O: Outcome<R>,
    K: Clone + Eq + Send + Sync + 'static,
{
    if mode == Mode::Key {
        return At(Place::Miss {
            load: call(),
            anew: false,
        });
    }
    engine.counters_of(site).missed(None, MissReason::Bypassed);
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
        // At a glance, entries with an idle timeout are never fresh: only the others need no `read`.
        let (judged, now) = if times.fresh_until(engine.clock.latest()) {
            (Judgement::Fresh, None)
        } else {
            let now = engine.clock.now();
            (times.judge(now), Some(now))
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
                if let Some(now) = now {
                    times.read(now);
                }
                engine.hit(meta, query.hash, &meta.counters);
                Look::Hit(outcome.give(&entry.value))
            }
            Judgement::Throttled => {
                meta.counters.served_stale(slot.named());
                Look::Hit(outcome.give(&entry.value))
            }
            Judgement::Refresh => {
                if let Some(now) = now {
                    times.read(now);
                }
                engine.hit_due(meta, query.hash);
                Look::Due(outcome.give(&entry.value), slot.clone())
            }
            Judgement::Revalidate => {
                meta.counters.served_stale(slot.named());
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
