//! A look-up that found nothing to serve, or something that is due: the call that loads, and why.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Engine;
use super::at::{At, Look, Mode, Place};
use super::call::{Base, Call, Load};
use super::plan::Plan;
use super::site::{Marker, Site};
use crate::key::{OwnedKey, Parts};
use crate::outcome::Outcome;
use crate::scope::of_key;
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
) -> Call<R, O, P::Owned>
where
    R: 'static,
    O: Outcome<R>,
    P: Parts,
{
    let mut plan = Plan::new();
    fill(&mut plan);
    #[cfg(feature = "stores")]
    let (names, heard_as) = names(engine, site, marker, &parts, &outcome, &plan);
    let scopes = plan.scopes(site, of_key(marker.id, hash));
    #[cfg(feature = "stores")]
    let scopes = scopes.and(names.iter().flat_map(crate::store::names::Names::of_key));
    #[cfg(feature = "stores")]
    let scopes = scopes.and(heard_as.as_deref().and_then(crate::store::names::of_key));
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
        heard_as,
        #[cfg(feature = "stores")]
        fetched: Default::default(),
        #[cfg(feature = "stores")]
        offered: Default::default(),
        #[cfg(feature = "stores")]
        began: Default::default(),
        #[cfg(feature = "stores")]
        skipped: Default::default(),
        #[cfg(feature = "stores")]
        overtaken: Default::default(),
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
pub(super) fn missed<R, O, K>(
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
    let miss = |base: &Base, reason: MissReason| base.counters.missed(base.named(), reason);
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
            miss(&call.base, MissReason::Refreshed);
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
            miss(&call.base, MissReason::Expired);
            if !useful && !refused {
                engine.discard(&slot, EvictionReason::Expired);
            }
            call.base.refused = slot.meta().order();
            call.base.stale = useful.then_some(slot);
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
    let load: Arc<dyn Load<R>> = Arc::new(call);
    match due {
        Some(value) => At(Place::Ready { value, load }),
        None => At(Place::Miss { load, anew: false }),
    }
}

/// Why results stay in memory.
#[cfg(feature = "stores")]
const RESULT: &str =
    "the results (with `cache_err` their errors too) are not `Serialize + DeserializeOwned`";
#[cfg(feature = "stores")]
const ARGUMENT: &str =
    "an argument is not `Serialize`, and other processes cannot tell it apart by its `Hash` alone";

/// What the entry and its scopes are called on the shared store; none where there is no store, or
/// the result cannot travel. Then it is still told under a name, the second, when it is invalidated.
#[cfg(feature = "stores")]
fn names<R, O, P>(
    engine: &Engine,
    site: &'static Site,
    marker: Marker,
    parts: &P,
    outcome: &O,
    plan: &Plan<R, O::Value, O::Error>,
) -> (Option<crate::store::names::Names>, Option<String>)
where
    O: Outcome<R>,
    P: Parts,
{
    if engine.tier.is_none() || site.policy().local {
        return (None, None);
    }
    let mut stable = crate::key::stable::Stable::roomy();
    stable.part(|out| out.bytes(site.name().as_bytes()));
    stable.part(|out| out.bytes(marker.name.as_bytes()));
    parts.stable(&mut stable);
    if stable.is_local() {
        engine.memory_only_at(site.id(), site.name(), ARGUMENT);
        // Others hold what they loaded, and cannot find this call's: all of the function's.
        return (None, Some(crate::store::names::function(site.name())));
    }
    let hash = crate::store::names::digest(&stable.into_bytes());
    if outcome.codec().is_none() {
        engine.memory_only_at(site.id(), site.name(), RESULT);
        return (None, Some(crate::store::names::key(&hash)));
    }
    let policy = || site.policy().lifetime(engine.default_timeout);
    let lifetime = plan.lifetime(None).unwrap_or_else(policy);
    let useful = site.policy().useful(lifetime);
    (Some(plan.names(site.name(), &hash, useful)), None)
}
