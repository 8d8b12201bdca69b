//! An invalidation's way to the store, and to the other processes.
//!
//! It is announced first: from then on nothing that it concerns is read from the store, or written
//! to it. Then new versions are written, and when the store has them the others are told. What is
//! not through is kept, told to the caller, and tried again in the background.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::journal::{Concern, Pending};
use super::message;
use super::names::{self, EVERYTHING, Names};
use super::tier::{Tier, version_item};
use crate::clock::Nanos;
use crate::error::Error;
use crate::sync::lock;

/// How long until an invalidation that failed is tried again.
pub(super) const AGAIN: Nanos = 1_000_000_000;
/// How long the version of what was invalidated stays, unless something is loaded that depends on
/// it.
const INVALID: Duration = Duration::from_secs(3600);

/// How long the mark of a process stays. Longer: without it, one that has been quiet knows nothing of
/// what it has forgotten.
const MARK: Duration = Duration::from_secs(7 * 24 * 3600);

/// So many are written in one operation: as many as a slow disk takes in its time.
const AT_ONCE: usize = 256;

impl Tier {
    /// Notes what is being invalidated: from now on nothing of it is read from the store. It is on
    /// whoever gets this to deliver it, or to drop it and have that done in the background.
    pub(crate) fn announce(self: &Arc<Self>, scopes: Vec<String>, soft: bool) -> Delivery {
        if !scopes.is_empty() {
            let mut journal = lock(&self.journal);
            journal.hold(&scopes);
            journal.announce(&scopes, soft);
        }
        Delivery {
            tier: Arc::clone(self),
            scopes,
            pause: 0,
        }
    }

    /// Waits until nobody in this process is delivering something that concerns an entry, for no
    /// longer than a call may take; and delivers what waits for that. Says whether that could be.
    pub(crate) async fn settle(self: &Arc<Self>, names: &Names) -> bool {
        if lock(&self.journal).concerns(names.scopes()) == Concern::None {
            return true;
        }
        let scopes: Vec<String> = names.scopes().map(Cow::into_owned).collect();
        match self.concern(&scopes).await {
            Concern::None => true,
            Concern::Held => false,
            // Whoever has announced it may not come to it before this caller is done.
            Concern::Waits => self.deliver_waiting(Some(&scopes)).await.is_ok(),
        }
    }

    /// What concerns these when nobody is delivering it any more, or that has taken too long.
    async fn concern(&self, scopes: &[String]) -> Concern {
        let limit = self.guard.limits().call;
        let mut over = None;
        std::future::poll_fn(|cx| {
            let mut journal = lock(&self.journal);
            match journal.concerns(scopes) {
                Concern::Held => journal.wake_then(cx.waker()),
                concern => return Poll::Ready(concern),
            }
            drop(journal);
            let over = over.get_or_insert_with(|| Box::pin(self.guard.clock().sleep(limit)));
            over.as_mut().poll(cx).map(|()| Concern::Held)
        })
        .await
    }

    /// Delivers what waits, of these or of all.
    async fn deliver_waiting(self: &Arc<Self>, of: Option<&[String]>) -> Result<(), Error> {
        let waiting = lock(&self.journal).take_waiting(of);
        let scopes: Vec<String> = waiting.keys().cloned().collect();
        // What is left is for the background, which may have gone by while this was on its way.
        let held = Delivery {
            tier: Arc::clone(self),
            scopes,
            pause: AGAIN,
        };
        let _active = Active {
            tier: self,
            scopes: &held.scopes,
        };
        self.try_deliver(waiting).await.map(drop)
    }

    /// Delivers these; the first failure is logged, and when all is through again. Returns the
    /// versions that were written.
    async fn try_deliver(
        &self,
        pending: BTreeMap<String, Pending>,
    ) -> Result<HashMap<String, u64>, Error> {
        let delivered = crate::rt::caught(self.deliver_once(pending)).await;
        let panicked = |_| Err(Error::store_panicked("take an invalidation"));
        let delivered = delivered.unwrap_or_else(panicked);
        let (counters, store) = (self.guard.counters(), self.store());
        match &delivered {
            Err(error) if !self.undelivered.swap(true, Ordering::SeqCst) => {
                crate::trace::undelivered(counters.cache(), &store.describe(), error);
            }
            Ok(_)
                if lock(&self.journal).len() == 0
                    && self.undelivered.swap(false, Ordering::SeqCst) =>
            {
                crate::trace::delivered(counters.cache(), &store.describe());
            }
            _ => {}
        }
        delivered
    }

    async fn deliver_once(
        &self,
        pending: BTreeMap<String, Pending>,
    ) -> Result<HashMap<String, u64>, Error> {
        if pending.is_empty() {
            return Ok(HashMap::new());
        }
        let delivered = self.deliver_these(&pending).await;
        let mut journal = lock(&self.journal);
        match delivered {
            Ok(_) => journal.told(&pending),
            Err(_) => journal.failed(pending.keys()),
        }
        delivered
    }

    async fn deliver_these(
        &self,
        pending: &BTreeMap<String, Pending>,
    ) -> Result<HashMap<String, u64>, Error> {
        let mut written = HashMap::new();
        let unwritten = pending.iter().filter(|(_, pending)| !pending.stored);
        let unwritten: Vec<(&String, &Pending)> = unwritten.collect();
        let budget = self.budget();
        for part in unwritten.chunks(AT_ONCE) {
            let versions = self.write_versions(&budget, part).await?;
            let scopes = part.iter().map(|(scope, _)| (*scope).clone());
            written.extend(scopes.zip(versions));
        }
        for soft in [false, true] {
            let scopes = pending.iter().filter(|(_, pending)| pending.soft == soft);
            self.tell(&budget, scopes.map(|(scope, _)| scope), soft)
                .await?;
        }
        Ok(written)
    }

    /// Writes new versions for these scopes.
    async fn write_versions(
        &self,
        budget: &super::guard::Budget,
        part: &[(&String, &Pending)],
    ) -> Result<Vec<u64>, Error> {
        let versions: Vec<u64> = part.iter().map(|_| names::unique()).collect();
        let items = part
            .iter()
            .zip(&versions)
            .map(|((scope, _), new)| version_item(self.version_key(scope), *new, Some(INVALID)));
        let mark = self.next_mark(part.len());
        let marked = mark.map(|mark| version_item(self.mark_key(), mark, Some(MARK)));
        let written = self.store().set_durably(items.chain(marked).collect());
        self.guard.run(budget, written).await?;
        let mut journal = lock(&self.journal);
        journal.stored(part.iter().copied(), &versions);
        if let Some(mark) = mark {
            journal.marked(mark);
        }
        Ok(versions)
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
            let running = Running(&tier.delivering);
            crate::rt::block_on(async {
                let clock = tier.guard.clock();
                clock.sleep(pause).await;
                loop {
                    // A comparison that fails holds nothing up.
                    let budget = tier.budget();
                    let current = crate::rt::caught(tier.is_current(&budget)).await;
                    if tier.deliver_waiting(None).await.is_ok() && current.unwrap_or(false) {
                        break;
                    }
                    clock.sleep(AGAIN).await;
                }
            });
            drop(running);
            // Something may have come between the last look and the flag.
            if lock(&tier.journal).has_waiting() || tier.is_doubtful() {
                tier.deliver_later(0);
            }
        });
        if started.is_none() {
            self.delivering.store(false, Ordering::SeqCst);
        }
    }
}

/// Somebody delivers in the background, until this is dropped.
struct Running<'a>(&'a AtomicBool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// An invalidation that has been announced and is to be delivered: dropped before its end, that is
/// done in the background.
///
/// Each caller delivers what is its own: what others deliver at the same time would get a second
/// version, and what they have stored under the first would be void. What nobody has begun to
/// deliver, whoever has to wait for it does.
pub(crate) struct Delivery {
    tier: Arc<Tier>,
    scopes: Vec<String>,
    /// How long until it is tried again, if it has to be.
    pause: Nanos,
}

impl Delivery {
    /// Writes new versions, and tells the others. Dropped half way, it goes on in the background.
    ///
    /// # Errors
    /// The store did not confirm; everything is kept, and tried again in the background.
    pub(crate) async fn deliver(mut self) -> Result<(), Error> {
        self.written().await.map(drop)
    }

    /// The same; what was written. To be kept for as long as something is stored under that: only
    /// then is it known whether others have written as well.
    ///
    /// # Errors
    /// As for that.
    pub(crate) async fn written(&mut self) -> Result<HashMap<String, u64>, Error> {
        let pending = {
            let mut journal = lock(&self.tier.journal);
            journal.begin(&self.scopes);
            journal.pending_of(&self.scopes)
        };
        let active = Active {
            tier: &self.tier,
            scopes: &self.scopes,
        };
        let delivered = self.tier.try_deliver(pending).await;
        drop(active);
        if delivered.is_err() {
            self.pause = AGAIN;
        }
        let written = delivered?;
        let mut versions = lock(&self.tier.journal).versions_of(&self.scopes);
        versions.extend(written);
        Ok(versions)
    }

    /// Whether others in this process have delivered some of it at the same time, until now: which
    /// of them was last, the store knows.
    pub(crate) fn contended(mut self) -> bool {
        self.release()
    }

    /// What is left is for the background from now on.
    fn release(&mut self) -> bool {
        let scopes = std::mem::take(&mut self.scopes);
        let mut journal = lock(&self.tier.journal);
        let contended = journal.release(&scopes);
        let left = !scopes.is_empty() && !journal.pending_of(&scopes).is_empty();
        drop(journal);
        if left {
            self.tier.deliver_later(self.pause);
        }
        contended
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.release();
    }
}

/// Scopes that somebody is delivering, until this is dropped.
struct Active<'a> {
    tier: &'a Tier,
    scopes: &'a [String],
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        let mut journal = lock(&self.tier.journal);
        let asleep = journal.end(self.scopes);
        drop(journal);
        asleep.into_iter().for_each(Waker::wake);
    }
}
