//! Invalidations that are not through yet, and those that were a moment ago.
//!
//! Of one scope the last invalidation wins. Both lists are bounded: where more scopes are
//! undelivered than are kept, everything is invalidated in their stead.

use std::collections::{BTreeMap, VecDeque};

use super::names::EVERYTHING;

/// How many of each are kept one by one.
pub(super) const KEPT: usize = 1024;

/// Both lists of one cache.
#[derive(Default)]
pub(super) struct Journal {
    pending: BTreeMap<String, Pending>,
    tickets: u64,
    delivered: VecDeque<(String, u64)>,
    /// More were delivered than are remembered.
    forgotten: bool,
}

/// An invalidation that is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pending {
    /// Of the last time it was announced.
    ticket: u64,
    pub(super) soft: bool,
    /// The store has it; only the others are to be told.
    pub(super) stored: bool,
}

impl Journal {
    /// Notes what is being invalidated.
    pub(super) fn announce(&mut self, scopes: &[String], soft: bool) {
        self.tickets += 1;
        let ticket = self.tickets;
        // Everything is undelivered, and so is this.
        if let Some(all) = self.pending.get_mut(EVERYTHING).filter(|all| !all.soft) {
            all.ticket = ticket;
            return;
        }
        for scope in scopes {
            let known = self.pending.get(scope).filter(|known| !known.stored);
            let pending = Pending {
                ticket,
                soft: soft && known.is_none_or(|known| known.soft),
                stored: false,
            };
            self.pending.insert(scope.clone(), pending);
        }
        self.bound(ticket);
    }

    /// Notes what the store has by now and the others have not heard of.
    pub(super) fn announce_stored(&mut self, scope: &str) {
        self.tickets += 1;
        let ticket = self.tickets;
        let pending = || Pending {
            ticket,
            soft: false,
            stored: true,
        };
        (self.pending.entry(scope.to_owned()))
            .or_insert_with(pending)
            .ticket = ticket;
        self.bound(ticket);
    }

    fn bound(&mut self, ticket: u64) {
        if self.pending.len() > KEPT {
            self.pending.clear();
            let everything = Pending {
                ticket,
                soft: false,
                stored: false,
            };
            self.pending.insert(EVERYTHING.into(), everything);
        }
    }

    /// All that is undelivered.
    pub(super) fn pending(&self) -> BTreeMap<String, Pending> {
        self.pending.clone()
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether one of these scopes is undelivered.
    pub(super) fn concerns(&self, scopes: &[String]) -> bool {
        !self.pending.is_empty()
            && scopes
                .iter()
                .filter_map(|scope| self.pending.get(scope))
                .any(|pending| !pending.stored)
    }

    /// These are through, each with the version that was written. What was announced again
    /// meanwhile has a later ticket, and is not.
    pub(super) fn deliver(&mut self, sent: &BTreeMap<String, Pending>, versions: Vec<u64>) {
        self.pending
            .retain(|scope, pending| sent.get(scope) != Some(pending));
        let written = sent.iter().filter(|(_, pending)| !pending.stored);
        for ((scope, _), version) in written.zip(versions) {
            self.delivered.retain(|(known, _)| known != scope);
            self.delivered.push_back((scope.clone(), version));
        }
        while self.delivered.len() > KEPT {
            self.delivered.pop_front();
            self.forgotten = true;
        }
    }

    /// What was delivered a moment ago, the oldest first.
    pub(super) fn delivered(&self) -> Vec<(String, u64)> {
        self.delivered.iter().cloned().collect()
    }

    /// Compares what was delivered with what the store has now, after it may have gone back to an
    /// older state: what it has another version of is to be delivered once more. What it has none
    /// of is invalid anyway. If the oldest that is remembered is lost, nobody knows what else is,
    /// and everything is invalidated.
    pub(super) fn compare(&mut self, delivered: &[(String, u64)], found: &[Option<u64>]) {
        let present = delivered
            .iter()
            .zip(found)
            .filter_map(|((scope, written), found)| Some((scope, *written == (*found)?)));
        let beyond = present.clone().next().is_none_or(|(_, same)| !same);
        if self.forgotten && beyond {
            return self.announce(&[EVERYTHING.into()], false);
        }
        let lost: Vec<String> = present
            .filter(|(_, same)| !same)
            .map(|(scope, _)| scope.clone())
            .collect();
        if !lost.is_empty() {
            self.announce(&lost, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EVERYTHING, Journal, KEPT};

    fn names(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|n| format!("tag {n:06}")).collect()
    }

    #[test]
    fn the_last_announcement_of_a_scope_wins() {
        let mut journal = Journal::default();
        journal.announce(&names(0..1), false);
        let sent = journal.pending();
        journal.announce(&names(0..1), false);
        journal.deliver(&sent, vec![1]);
        assert_eq!(journal.len(), 1, "it was announced again meanwhile");
        journal.deliver(&journal.pending(), vec![2]);
        assert_eq!(journal.len(), 0);
    }

    #[test]
    fn a_hard_invalidation_is_not_softened_by_a_later_one() {
        let mut journal = Journal::default();
        journal.announce(&names(0..1), false);
        journal.announce(&names(0..1), true);
        assert!(journal.pending().values().all(|pending| !pending.soft));
    }

    #[test]
    fn more_than_are_kept_become_everything() {
        let mut journal = Journal::default();
        journal.announce(&names(0..KEPT), false);
        assert_eq!(journal.len(), KEPT);
        journal.announce(&names(KEPT..KEPT + 1), true);
        let pending: Vec<_> = journal.pending().into_iter().collect();
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].0, EVERYTHING);
        assert!(!pending[0].1.soft);
        assert!(journal.concerns(&[EVERYTHING.into()]));
    }

    #[test]
    fn what_the_store_has_an_older_version_of_is_delivered_once_more() {
        let mut journal = Journal::default();
        journal.announce(&names(0..3), false);
        journal.deliver(&journal.pending(), vec![1, 2, 3]);
        let delivered = journal.delivered();
        journal.compare(&delivered, &[Some(1), Some(9), None]);
        let again: Vec<_> = journal.pending().into_keys().collect();
        assert_eq!(
            again,
            names(1..2),
            "what is not there at all is invalid anyway"
        );
    }

    #[test]
    fn what_was_lost_beyond_memory_is_everything() {
        let mut journal = Journal::default();
        for n in 0..KEPT + 1 {
            journal.announce(&names(n..n + 1), false);
            journal.deliver(&journal.pending(), vec![n as u64]);
        }
        let delivered = journal.delivered();
        assert_eq!(delivered.len(), KEPT);
        let mut found: Vec<_> = delivered
            .iter()
            .map(|(_, version)| Some(*version))
            .collect();
        found[KEPT - 1] = Some(0);
        journal.compare(&delivered, &found);
        assert!(
            !journal.concerns(&[EVERYTHING.into()]),
            "the oldest is there"
        );
        found[0] = Some(0);
        journal.compare(&delivered, &found);
        assert!(journal.concerns(&[EVERYTHING.into()]));
    }
}
