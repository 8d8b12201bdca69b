//! A store that goes back to an older state.
//!
//! A server that restarts from a snapshot, or whose replica takes over, may have an older version
//! again, under which what was invalidated looks valid. So the last invalidations that each process
//! delivered are remembered, and compared with what the store has after every sign that it may be
//! another: an operation that failed, a channel that was lost. What is missing is delivered again.
//! More than are remembered are gone only where nothing is there that this process wrote after them:
//! neither its mark, which nobody else writes, nor any version. That holds for one server; of several
//! the one with the mark says nothing of the others.
//! Until it has been compared, nothing that the store has is served by this process; the others
//! hear of it as soon as it answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::Rollback;
use super::guard::Budget;
use super::journal::Delivered;
use super::tier::{Tier, version};
use crate::sync::lock;

/// The signs that there were, and those that were followed.
#[derive(Default)]
pub(super) struct Doubts {
    raised: AtomicU64,
    settled: AtomicU64,
    /// How often something was found to be lost.
    losses: AtomicU64,
    on_loss: OnceLock<OnLoss>,
}

/// What is done about scopes whose invalidation the store has lost.
type OnLoss = Box<dyn Fn(&[String]) + Send + Sync>;

impl Doubts {
    pub(super) fn raise(&self) {
        self.raised.fetch_add(1, Ordering::SeqCst);
    }

    /// The last sign, if it was not followed.
    fn open(&self) -> Option<u64> {
        let settled = self.settled.load(Ordering::SeqCst);
        let raised = self.raised.load(Ordering::SeqCst);
        (raised > settled).then_some(raised)
    }

    /// How often something was found to be lost: what was read before that moved may be of it.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::SeqCst)
    }

    fn settle(&self, raised: u64) {
        self.settled.fetch_max(raised, Ordering::SeqCst);
    }
}

impl Tier {
    /// Has a failed operation be followed by a comparison, and `on_loss` be done with the scopes
    /// whose invalidation is lost.
    pub(super) fn follow_failures(
        self: &Arc<Self>,
        on_loss: impl Fn(&[String]) + Send + Sync + 'static,
    ) {
        let _ = self.guard.doubts().on_loss.set(Box::new(on_loss));
        let tier = Arc::downgrade(self);
        self.guard.on_failure(move || {
            if let Some(tier) = tier.upgrade() {
                tier.compare_later(super::deliver::AGAIN);
            }
        });
    }

    /// The store may be another than before.
    pub(super) fn doubt(self: &Arc<Self>) {
        self.guard.doubts().raise();
        self.compare_later(0);
    }

    /// Where this process leaves its marks.
    pub(super) fn mark_key(&self) -> String {
        format!("{}:w:{:016x}", self.namespace, self.channel.me())
    }

    /// The mark to be written along with so many scopes, if it is time for one and it is of use.
    pub(super) fn next_mark(&self, more: usize) -> Option<u64> {
        let useful = self.store().rollback() == Rollback::Whole;
        useful.then(|| lock(&self.journal).next_mark(more))?
    }

    /// Whether there is anything to compare.
    fn may_have_lost(&self) -> bool {
        self.store().rollback() != Rollback::Never && lock(&self.journal).remembers()
    }

    fn compare_later(self: &Arc<Self>, pause: crate::clock::Nanos) {
        if self.may_have_lost() {
            self.deliver_later(pause);
        }
    }

    /// Whether something is to be compared.
    pub(super) fn is_doubtful(&self) -> bool {
        self.guard.doubts().open().is_some() && self.may_have_lost()
    }

    /// Whether what the store has is known to be no older than what this process has invalidated;
    /// compares, if that is to be found out.
    pub(super) async fn is_current(self: &Arc<Self>, budget: &Budget) -> bool {
        let doubts = self.guard.doubts();
        let Some(raised) = doubts.open() else {
            return true;
        };
        if self.may_have_lost() {
            let (delivered, mark) = {
                let journal = lock(&self.journal);
                (journal.delivered(), journal.mark())
            };
            let keys = delivered.iter().map(|known| self.version_key(&known.scope));
            let keys: Vec<String> = keys.chain(mark.map(|_| self.mark_key())).collect();
            let found = self.store().get_many(&keys);
            let Some(found) = self.guard.try_run(budget, found).await else {
                return false;
            };
            let mut found: Vec<_> = found.iter().map(version).collect();
            let is_marked = mark.is_some() && found.pop().flatten() == mark;
            let there = |(known, found): (&Delivered, &Option<u64>)| *found == Some(known.version);
            let any = || delivered.iter().zip(&found).any(there);
            let known_beyond = self.store().rollback() == Rollback::Whole && (is_marked || any());
            let lost = {
                let mut journal = lock(&self.journal);
                let lost = journal.compare(&delivered, &found, known_beyond);
                if !lost.is_empty() {
                    // Before anybody can deliver it.
                    doubts.losses.fetch_add(1, Ordering::SeqCst);
                }
                lost
            };
            if !lost.is_empty() {
                // What memory took from the store since it went back.
                if let Some(on_loss) = doubts.on_loss.get() {
                    on_loss(&lost);
                }
                self.deliver_later(0);
            }
        }
        doubts.settle(raised);
        true
    }
}
