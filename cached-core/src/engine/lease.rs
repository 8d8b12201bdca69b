//! One load for all processes: `single_flight = "distributed"`.
//!
//! Whoever finds nothing on the store takes the lease of the key: a token of its own under a key of
//! its own, which runs out by itself. Who does not get it waits, and looks now and then: for the
//! value, or for the lease to be free. Nobody waits for longer than a lease lasts, so a leader that
//! crashed delays the others by that and no more; and nobody waits for a store that fails.
//!
//! The lease decides who loads, never what is served: what a leader writes under versions that have
//! moved on is void, however long it held the lease.

use std::sync::Arc;
use std::time::Duration;

use super::call::Load;
use super::through::{Read, accept, fetch_all};
use crate::clock::Nanos;
use crate::store::Item;
use crate::store::names;
use crate::store::tier::Tier;

/// How long until a waiter looks again, first and at most.
const PAUSE: Nanos = 10_000_000;
const LONGEST: Nanos = 250_000_000;

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

/// Takes the lease of a load, or waits for what its holder loads; `read` is what the store had, and
/// is read afresh meanwhile.
pub(super) async fn take<R>(load: &Arc<dyn Load<R>>, read: &mut Read) -> Taken<R> {
    let base = load.base();
    let (Some(tier), Some(names)) = (base.engine.tier.clone(), base.names.as_ref()) else {
        return Taken::Load(Lease(None));
    };
    let clock = &base.engine.clock;
    let until = clock.now().saturating_add(tier.lease);
    let held = Held {
        key: tier.lease_key(names),
        token: names::unique().to_le_bytes().to_vec(),
        tier: Arc::clone(&tier),
    };
    let (mut pause, mut waited) = (PAUSE, false);
    loop {
        match held.acquire().await {
            None => return Taken::Load(Lease(None)),
            Some(true) => return Taken::Load(Lease(Some(held))),
            Some(false) if clock.now() >= until => return Taken::Load(Lease(None)),
            Some(false) => {}
        }
        if !std::mem::replace(&mut waited, true) {
            base.counters.waited(base.named());
        }
        clock.sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
        *read = fetch_all(&[load]).await.pop().unwrap_or_default();
        if let Some(result) = accept(&**load, read) {
            return Taken::Loaded(result);
        }
    }
}

impl Held {
    /// Whether the lease is this caller's now; none if the store does not say.
    async fn acquire(&self) -> Option<bool> {
        let item = Item {
            key: self.key.clone(),
            value: self.token.clone(),
            ttl: Some(Duration::from_nanos(self.tier.lease)),
        };
        let budget = self.tier.budget();
        let added = self.tier.put(&budget, None, item.clone()).await.ok()?;
        if added {
            return Some(true);
        }
        // One that was given back is empty.
        self.tier.put(&budget, Some(Vec::new()), item).await.ok()
    }

    /// Gives the lease back, unless it has run out and is another's by now.
    async fn release(self) {
        let freed = Item {
            key: self.key.clone(),
            value: Vec::new(),
            ttl: Some(Duration::from_millis(1)),
        };
        let budget = self.tier.budget();
        let _ = self.tier.put(&budget, Some(self.token), freed).await;
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
