//! An invalidation's way to the store, and to the other processes.
//!
//! It is announced first: from then on nothing that it concerns is read from the store, or written
//! to it. Then new versions are written, and when the store has them the others are told. What is
//! not through is kept, told to the caller, and tried again in the background.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::journal::Pending;
use super::message;
use super::names::{self, EVERYTHING};
use super::tier::{Tier, version_item};
use crate::clock::Nanos;
use crate::error::Error;
use crate::sync::lock;

/// How long until an invalidation that failed is tried again.
pub(super) const AGAIN: Nanos = 1_000_000_000;
/// How long the version of what was invalidated stays, unless something is loaded that depends on
/// it.
const INVALID: Duration = Duration::from_secs(3600);

/// So many are written in one operation: as many as a slow disk takes in its time.
const AT_ONCE: usize = 256;

impl Tier {
    /// Notes what is being invalidated: from now on nothing of it is read from the store.
    pub(crate) fn announce(&self, scopes: &[String], soft: bool) {
        if !scopes.is_empty() {
            lock(&self.journal).announce(scopes, soft);
        }
    }

    /// Writes new versions for all that is undelivered, and tells the others. Dropped half way, it
    /// goes on in the background.
    ///
    /// # Errors
    /// The store did not confirm; everything is kept, and tried again in the background.
    pub(crate) async fn deliver(self: &Arc<Self>) -> Result<(), Error> {
        self.delivery().deliver().await
    }

    /// The same for whoever has more to do between announcing and delivering: from here on it is
    /// done in the background, if not by them.
    pub(crate) fn delivery(self: &Arc<Self>) -> Delivery<'_> {
        Delivery {
            tier: self,
            pause: Some(0),
        }
    }

    /// The same, once; the first failure is logged, and when all is through again.
    async fn try_deliver(&self) -> Result<(), Error> {
        let delivered = self.deliver_once().await;
        let failed = delivered.is_err();
        match (&delivered, self.undelivered.swap(failed, Ordering::SeqCst)) {
            (Err(error), false) => crate::trace::undelivered(
                self.guard.counters().cache(),
                &self.store().describe(),
                error,
            ),
            (Ok(()), true) => {
                crate::trace::delivered(self.guard.counters().cache(), &self.store().describe())
            }
            _ => {}
        }
        delivered
    }

    async fn deliver_once(&self) -> Result<(), Error> {
        let pending = lock(&self.journal).pending();
        if pending.is_empty() {
            return Ok(());
        }
        let unwritten = pending.iter().filter(|(_, pending)| !pending.stored);
        let unwritten: Vec<(&String, &Pending)> = unwritten.collect();
        let budget = self.budget();
        for part in unwritten.chunks(AT_ONCE) {
            self.write_versions(&budget, part).await?;
        }
        for soft in [false, true] {
            let scopes = pending.iter().filter(|(_, pending)| pending.soft == soft);
            self.tell(&budget, scopes.map(|(scope, _)| scope), soft)
                .await?;
        }
        lock(&self.journal).told(&pending);
        Ok(())
    }

    /// Writes new versions for these scopes.
    async fn write_versions(
        &self,
        budget: &super::guard::Budget,
        part: &[(&String, &Pending)],
    ) -> Result<(), Error> {
        let versions: Vec<u64> = part.iter().map(|_| names::unique()).collect();
        let items = part
            .iter()
            .zip(&versions)
            .map(|((scope, _), new)| version_item(self.version_key(scope), *new, Some(INVALID)));
        let written = self.store().set_durably(items.collect());
        self.guard.run(budget, written).await?;
        lock(&self.journal).stored(part.iter().copied(), versions);
        Ok(())
    }

    /// Tells the other processes, where the store can.
    async fn tell<'a>(
        &self,
        budget: &super::guard::Budget,
        scopes: impl Iterator<Item = &'a String>,
        soft: bool,
    ) -> Result<(), Error> {
        let Some(push) = self.store().push() else {
            return Ok(());
        };
        let me = self.channel.me();
        let messages = match message::invalid(me, scopes, soft) {
            Some(messages) => messages,
            None => {
                let everything = EVERYTHING.to_owned();
                message::invalid(me, std::iter::once(&everything), false).unwrap_or_default()
            }
        };
        let published = messages.iter().map(|message| {
            let published = push.publish(self.channel_name(), message);
            Box::pin(self.guard.run(budget, published))
        });
        // Side by side, in one round trip: in which order they arrive does not matter.
        crate::rt::all(published).await.into_iter().collect()
    }

    /// Tells the other processes that the load with this lease has ended.
    pub(crate) async fn tell_loaded(&self, budget: &super::guard::Budget, lease: &str) {
        if let Some(push) = self.store().push() {
            let message = message::loaded(self.channel.me(), lease);
            let told = push.publish(self.channel_name(), &message);
            self.guard.try_run(budget, told).await;
        }
    }

    /// Tells the other processes that copies of entries, by the scopes of their keys, are not what
    /// the store has any more: now, or as soon as that is possible.
    pub(crate) async fn tell_changed(
        self: &Arc<Self>,
        budget: &super::guard::Budget,
        own: &[String],
    ) {
        if !own.is_empty() && self.tell(budget, own.iter(), false).await.is_err() {
            self.tell_changed_later(own, AGAIN);
        }
    }

    /// The same in the background.
    pub(crate) fn tell_changed_later(self: &Arc<Self>, own: &[String], pause: Nanos) {
        if !own.is_empty() {
            let mut journal = lock(&self.journal);
            own.iter().for_each(|own| journal.announce_stored(own));
            drop(journal);
            self.deliver_later(pause);
        }
    }

    /// Delivers in the background, and tries again until everything is through.
    pub(crate) fn deliver_later(self: &Arc<Self>, pause: Nanos) {
        if self.delivering.swap(true, Ordering::SeqCst) {
            return;
        }
        let tier = Arc::clone(self);
        let started = crate::rt::thread("dewar-invalidations", move || {
            crate::rt::block_on(async {
                let clock = tier.guard.clock();
                clock.sleep(pause).await;
                loop {
                    // A comparison that fails holds nothing up.
                    let current = tier.is_current(&tier.budget()).await;
                    if tier.try_deliver().await.is_ok() && current {
                        break;
                    }
                    clock.sleep(AGAIN).await;
                }
            });
            tier.delivering.store(false, Ordering::SeqCst);
            // Something may have come between the last look and the flag.
            if lock(&tier.journal).len() > 0 || tier.is_doubtful() {
                tier.deliver_later(0);
            }
        });
        if started.is_none() {
            self.delivering.store(false, Ordering::SeqCst);
        }
    }
}

/// A delivery that somebody is about to wait for, or does: dropped before its end, it goes on in the
/// background.
pub(crate) struct Delivery<'a> {
    tier: &'a Arc<Tier>,
    /// How long until it is tried again, if it is to be.
    pause: Option<Nanos>,
}

impl Delivery<'_> {
    /// See [`Tier::deliver`].
    ///
    /// # Errors
    /// As for that.
    pub(crate) async fn deliver(mut self) -> Result<(), Error> {
        let delivered = self.tier.try_deliver().await;
        self.pause = delivered.is_err().then_some(AGAIN);
        delivered
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        if let Some(pause) = self.pause {
            self.tier.deliver_later(pause);
        }
    }
}
