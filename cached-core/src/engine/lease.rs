//! One load for all processes: `single_flight = "distributed"`.
//!
//! Whoever finds nothing on the store takes the lease of the key: a token of its own under a key of
//! its own, which runs out by itself. Who does not get it waits, and leaves a mark on the lease: the
//! holder, who gives back a lease that is marked, tells all who wait, where the store can push.
//! They look now and then besides, since a message may be lost: for the value, or for the lease to
//! be free. Nobody waits for longer than a lease lasts, so a leader that crashed delays the others
//! by that and no more; and nobody waits for a store that fails.
//!
//! A background refresh does not wait: who does not get the lease leaves it to who has it.
//!
//! The lease decides who loads, never what is served: what a leader writes under versions that have
//! moved on is void, however long it held the lease.

use std::sync::Arc;
use std::time::Duration;

use super::call::Load;
use super::through::{Read, accept, fetch_all};
use crate::clock::{Clock, Nanos};
use crate::store::Item;
use crate::store::names;
use crate::store::tier::Tier;
use crate::store::waits::Told;

/// How long until a waiter looks again, first and at most.
const PAUSE: Nanos = 10_000_000;
const LONGEST: Nanos = 250_000_000;
/// The same where it will be told.
const TOLD: Nanos = 1_000_000_000;

/// At the end of a token: somebody waits.
const MARK: u8 = b'w';

/// The right to load a key, given back when dropped.
pub(super) struct Lease(Option<Held>);

struct Held {
    tier: Arc<Tier>,
    key: String,
    token: Vec<u8>,
}

/// What became of it.
pub(super) enum Taken<R> {
    /// To be loaded by this caller.
    Load(Lease),
    /// Another process has loaded it.
    Loaded(R),
}

/// The wait for loads of other processes: bounded, and told of their end where that can be.
pub(super) struct Turn {
    until: Option<Nanos>,
    pause: Nanos,
    told: Option<Told>,
}

impl Turn {
    pub(super) fn new() -> Self {
        Turn {
            until: None,
            pause: PAUSE,
            told: None,
        }
    }

    /// Whether it has been waited for long enough.
    fn is_over(&mut self, tier: &Tier, clock: &Clock) -> bool {
        let now = clock.now();
        now >= *self.until.get_or_insert(now.saturating_add(tier.lease))
    }

    /// Waits until there may be something new of these leases, which others hold.
    async fn wait(&mut self, clock: &Clock, leases: &[Held]) {
        let Some(tier) = leases.first().map(|held| &held.tier) else {
            return;
        };
        if !tier.tells() {
            clock.sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST);
            return;
        }
        // First to hear, then the mark: whoever sees the mark will be heard.
        let keys = || leases.iter().map(|held| held.key.clone()).collect();
        let told = self.told.get_or_insert_with(|| tier.wait_for(keys()));
        let marks = leases.iter().map(|held| Box::pin(held.mark()));
        let marked = crate::rt::all(marks).await;
        if marked.into_iter().all(|marked| marked) {
            told.within(clock.sleep(TOLD)).await;
        }
    }
}

/// Takes the lease of a load, or waits for what its holder loads; `read` is what the store had, and
/// is read afresh meanwhile.
pub(super) async fn take<R>(load: &Arc<dyn Load<R>>, read: &mut Read) -> Taken<R> {
    let base = load.base();
    let Some(held) = Held::of(&**load) else {
        return Taken::Load(Lease(None));
    };
    let held = [held];
    let (clock, mut turn, mut counted) = (&base.engine.clock, Turn::new(), false);
    loop {
        let over = turn.is_over(&held[0].tier, clock);
        match held[0].acquire().await {
            Some(true) => break,
            Some(false) if !over => {}
            _ => return Taken::Load(Lease(None)),
        }
        if !std::mem::replace(&mut counted, true) {
            base.counters.waited(base.named());
        }
        turn.wait(clock, &held).await;
        *read = fetch_all(&[load]).await.pop().unwrap_or_default();
        if let Some(result) = accept(&**load, read) {
            return Taken::Loaded(result);
        }
    }
    let [held] = held;
    Taken::Load(Lease(Some(held)))
}

/// Takes the leases of several loads, all in one operation, as far as nobody has them; says for
/// each whether it is this caller's to load. Where another process loads, that has been waited for
/// when this returns, unless there is something to load meanwhile.
pub(super) async fn take_many<R>(
    loads: &[Option<Arc<dyn Load<R>>>],
    turn: &mut Turn,
) -> Vec<Option<Lease>> {
    let held = |load: &Option<Arc<dyn Load<R>>>| {
        let load = load.as_ref()?;
        let distributed = load.base().policy.distributed;
        distributed.then(|| Held::of(&**load)).flatten()
    };
    let held: Vec<Option<Held>> = loads.iter().map(held).collect();
    let some = || held.iter().flatten();
    let engine = loads
        .iter()
        .flatten()
        .next()
        .map(|load| &load.base().engine);
    let (Some(tier), Some(engine)) = (some().next().map(|held| &held.tier), engine) else {
        return loads.iter().map(|_| Some(Lease(None))).collect();
    };
    let first = turn.until.is_none();
    let over = turn.is_over(tier, &engine.clock);
    let items = some().map(|held| held.item(held.token.clone(), tier.lease));
    let added = tier.add(&tier.budget(), items.collect()).await;
    let mut added = match added {
        Some(added) if !over => added.into_iter(),
        // Nobody waits for a store that fails, nor for ever.
        _ => return loads.iter().map(|_| Some(Lease(None))).collect(),
    };
    let (mut taken, mut others) = (Vec::new(), Vec::new());
    for (held, load) in held.into_iter().zip(loads) {
        taken.push(match held {
            None => Some(Lease(None)),
            Some(held) if added.next() == Some(true) => Some(Lease(Some(held))),
            Some(held) => {
                if let Some(load) = load.as_ref().filter(|_| first) {
                    load.base().counters.waited(load.base().named());
                }
                others.push(held);
                None
            }
        });
    }
    if taken.iter().all(Option::is_none) {
        turn.wait(&engine.clock, &others).await;
    }
    taken
}

/// Gives several leases back.
pub(super) async fn release_all(leases: Vec<Lease>) {
    let released = leases.into_iter().map(|lease| Box::pin(lease.release()));
    crate::rt::all(released).await;
}

/// Takes the lease of a load unless somebody has it; one in name only where the store does not say.
pub(super) async fn try_take<R>(load: &dyn Load<R>) -> Option<Lease> {
    let Some(held) = Held::of(load) else {
        return Some(Lease(None));
    };
    match held.acquire().await {
        None => Some(Lease(None)),
        Some(true) => Some(Lease(Some(held))),
        Some(false) => None,
    }
}

impl Held {
    /// What it would be to hold the lease of a load.
    fn of<R>(load: &dyn Load<R>) -> Option<Held> {
        let base = load.base();
        let tier = base.engine.tier.clone()?;
        Some(Held {
            key: tier.lease_key(base.names.as_ref()?),
            token: names::unique().to_le_bytes().to_vec(),
            tier,
        })
    }

    /// Whether the lease is this caller's now; none if the store does not say.
    async fn acquire(&self) -> Option<bool> {
        let item = self.item(self.token.clone(), self.tier.lease);
        let budget = self.tier.budget();
        let added = self.tier.put(&budget, None, item.clone()).await.ok()?;
        if added {
            return Some(true);
        }
        // One that was given back is empty.
        self.tier.put(&budget, Some(Vec::new()), item).await.ok()
    }

    /// Has the holder know that somebody waits; says whether there is a holder.
    async fn mark(&self) -> bool {
        let budget = self.tier.budget();
        let Some(Some(token)) = self.tier.raw(&budget, &self.key).await else {
            return false;
        };
        match token.as_slice() {
            [] => return false,
            [.., MARK] if token.len() > self.token.len() => return true,
            _ => {}
        }
        let marked = [token.as_slice(), &[MARK]].concat();
        // It lives for a lease from now on, as if it had just been taken: a holder that is gone
        // delays others by two at most, and whoever waits now by one.
        let item = self.item(marked, self.tier.lease);
        (self.tier.put(&budget, Some(token), item).await).is_ok_and(|marked| marked)
    }

    fn item(&self, value: Vec<u8>, lives: Nanos) -> Item {
        Item {
            key: self.key.clone(),
            value,
            ttl: Some(Duration::from_nanos(lives)),
        }
    }

    /// Gives the lease back, unless it has run out and is another's by now, and tells those who
    /// wait.
    async fn release(mut self) {
        const MOMENT: Nanos = 1_000_000;
        let (budget, freed) = (self.tier.budget(), self.item(Vec::new(), MOMENT));
        let token = std::mem::take(&mut self.token);
        let marked = [token.as_slice(), &[MARK]].concat();
        if let Ok(false) = self.tier.put(&budget, Some(token), freed.clone()).await
            && let Ok(true) = self.tier.put(&budget, Some(marked), freed).await
        {
            self.tier.tell_loaded(&budget, &self.key).await;
        }
    }
}

impl Lease {
    /// Gives the lease back: the load has ended.
    pub(super) async fn release(mut self) {
        if let Some(held) = self.0.take() {
            held.release().await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            // The load panicked, or nobody wants it any more: the next should not have to wait.
            let release = move || crate::rt::block_on(held.release());
            drop(crate::rt::thread("dewar-lease", release));
        }
    }
}
