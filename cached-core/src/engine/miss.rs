//! A look-up that found nothing to serve, or something that is due: the call that loads, and why.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Engine;
use super::at::{At, Look, Mode, Place};
use super::base::Base;
use super::batch::common::Common;
use super::call::Call;
#[cfg(feature = "stores")]
use super::named::Known;
use super::plan::Plan;
use super::site::{Marker, Site};
#[cfg(feature = "stores")]
use crate::key::Stable;
use crate::key::{OwnedKey, Parts};
use crate::memory::Slot;
use crate::outcome::Outcome;
use crate::scope::of_key;
#[cfg(feature = "stores")]
use crate::store::names::{self, Names};
use crate::watch::{EvictionReason, MissReason};

/// The call as the loading half knows it.
#[cold]
pub(super) fn call<R, O, P>(
    engine: &Arc<Engine>,
    site: &'static Site,
    marker: Marker,
    hash: u64,
    parts: P,
    outcome: O,
    fill: impl FnOnce(&mut Plan<R, O::Value, O::Error>),
) -> Arc<Call<R, O, P::Owned>>
where
    R: 'static,
    O: Outcome<R>,
    P: Parts,
{
    let mut plan = Plan::new();
    fill(&mut plan);
    let own = of_key(marker.id, hash);
    #[cfg(feature = "stores")]
    let (names, heard_as, scopes) = match names(engine, site, marker, &parts, &outcome, &plan) {
        Elsewhere::Stored(names, known) => {
            let scopes = known.scopes(own, names.of_key());
            (Some(names), None, scopes)
        }
        Elsewhere::Heard(scope) => {
            let scopes = plan.scopes(site, own).told_as(names::of_key(&scope));
            (None, Some(scope), scopes)
        }
        Elsewhere::Nowhere => (None, None, plan.scopes(site, own)),
    };
    #[cfg(not(feature = "stores"))]
    let scopes = plan.scopes(site, own);
    let key = OwnedKey {
        hash,
        marker: marker.id,
        parts: parts.own(),
    };
    let common = Common::of(engine, site);
    // Made where it will be: it is large.
    Arc::new(Call {
        base: Base {
            engine: Arc::clone(engine),
            id: site.id(),
            function: site.name(),
            policy: site.policy(),
            counters: common.counters,
            hash,
            random: crate::key::random(),
            scopes,
            late_tags: plan.has_late_tags(),
            heap: P::heap(&key.parts),
            stale: None,
            refused: 0,
            #[cfg(feature = "stores")]
            names,
            #[cfg(feature = "stores")]
            heard_as,
            #[cfg(feature = "stores")]
            asked: common.asked,
            #[cfg(feature = "stores")]
            fetched: Default::default(),
            #[cfg(feature = "stores")]
            fetched_at: Default::default(),
            #[cfg(feature = "stores")]
            offered: Default::default(),
            #[cfg(feature = "stores")]
            began: Default::default(),
            #[cfg(feature = "stores")]
            inside: Default::default(),
            #[cfg(feature = "stores")]
            skipped: Default::default(),
            #[cfg(feature = "stores")]
            overtaken: Default::default(),
            #[cfg(feature = "stores")]
            beside: Default::default(),
        },
        key,
        outcome,
        plan,
        result: PhantomData,
    })
}

/// Counts the miss by its reason and says what is to be done.
#[cold]
pub(super) fn missed<R, O, K>(
    mode: Mode,
    look: Option<Look<R>>,
    engine: &Engine,
    hash: u64,
    mut call: Arc<Call<R, O, K>>,
) -> At<R>
where
    R: 'static,
    O: Outcome<R>,
    K: Clone + Eq + Send + Sync + 'static,
{
    let miss = |base: &Base, reason: MissReason| base.counters.missed(base.named(), reason);
    if mode == Mode::Key {
        return At(Place::Miss {
            load: call,
            anew: false,
        });
    }
    if let Some(memory) = &engine.memory
        && !call.base.serves_no_copies()
    {
        memory.missed(hash);
    }
    let due = match look {
        _ if mode == Mode::Refresh => {
            miss(&call.base, MissReason::Refreshed);
            return At(Place::Miss {
                load: call,
                anew: true,
            });
        }
        Some(Look::Due(value, slot)) => {
            refuse(&mut call, slot, true);
            Some(value)
        }
        Some(Look::Expired {
            slot,
            useful,
            refused,
        }) => {
            miss(&call.base, MissReason::Expired);
            if !useful && !refused {
                engine.discard(&slot, EvictionReason::Expired);
            }
            refuse(&mut call, slot, useful);
            None
        }
        Some(Look::Invalid(slot)) => {
            miss(&call.base, MissReason::Invalidated);
            engine.discard(&slot, EvictionReason::Invalidated);
            None
        }
        Some(Look::Hit(_)) | None => {
            miss(&call.base, MissReason::Absent);
            None
        }
    };
    let load = call;
    match due {
        Some(value) => At(Place::Ready { value, load }),
        None => At(Place::Miss { load, anew: false }),
    }
}

/// Notes the entry that was found and is to be loaded afresh, and whether it may stand in until it
/// is.
fn refuse<R, O: Outcome<R>, K>(call: &mut Arc<Call<R, O, K>>, slot: Slot, useful: bool) {
    // Nobody else has the call yet.
    if let Some(call) = Arc::get_mut(call) {
        call.base.refused = slot.meta().order();
        call.base.stale = useful.then_some(slot);
    }
}

/// Why results stay in memory.
#[cfg(feature = "stores")]
const RESULT: &str =
    "the results (with `cache_err` their errors too) are not `Serialize + DeserializeOwned`";
#[cfg(feature = "stores")]
const ARGUMENT: &str =
    "an argument is not `Serialize`, and other processes cannot tell it apart by its `Hash` alone";

/// Where else than in this process' memory an entry is known.
#[cfg(feature = "stores")]
enum Elsewhere {
    Nowhere,
    /// It cannot travel; other processes invalidate it by this scope.
    Heard(String),
    /// On the shared store.
    Stored(Names, Arc<Known>),
}

/// What the entry and its scopes are called there.
#[cfg(feature = "stores")]
fn names<R, O, P>(
    engine: &Engine,
    site: &'static Site,
    marker: Marker,
    parts: &P,
    outcome: &O,
    plan: &Plan<R, O::Value, O::Error>,
) -> Elsewhere
where
    O: Outcome<R>,
    P: Parts,
{
    if engine.tier.is_none() || site.policy().local {
        return Elsewhere::Nowhere;
    }
    let known = plan.known(site, marker);
    let hash = Stable::with_room(|stable| {
        parts.stable(stable);
        (!stable.is_local()).then(|| known.hash(stable))
    });
    let Some(hash) = hash else {
        engine.memory_only_at(site.id(), site.name(), ARGUMENT);
        // Others hold what they loaded, and cannot find this call's: all of the function's.
        return Elsewhere::Heard(names::function(site.name()));
    };
    let policy = || site.policy().lifetime(engine.default_timeout);
    let lifetime = plan.lifetime(None).unwrap_or_else(policy);
    let useful = site.policy().useful(lifetime);
    let named = known.names(hash, useful);
    if outcome.codec().is_none() {
        engine.memory_only_at(site.id(), site.name(), RESULT);
        return named.own().map_or(Elsewhere::Nowhere, Elsewhere::Heard);
    }
    Elsewhere::Stored(named, known)
}
