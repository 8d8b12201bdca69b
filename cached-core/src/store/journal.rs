//! Invalidations that are not through yet, and those that were a moment ago.
//!
//! Of one scope the last invalidation wins. Both lists are bounded: where the store did not take more
//! scopes than are kept, everything is invalidated in their stead. What was not tried yet does not
//! count, so that a call may name as many as it likes, up to a bound of its own.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::task::Waker;

use foldhash::fast::RandomState;

use super::names::EVERYTHING;

/// How many of each are kept one by one.
pub(super) const KEPT: usize = 1024;
/// How many may be on their way, tried or not.
const MOST: usize = 64 * 1024;
/// The store is given a mark with every so many: each is newer than what has been forgotten.
const MARKED: usize = KEPT / 4;

/// Both lists of one cache.
#[derive(Default)]
pub(super) struct Journal {
    pending: BTreeMap<String, Pending>,
    /// Scopes that somebody is delivering.
    held: HashMap<String, Held, RandomState>,
    /// Who waits for a delivery of somebody else's.
    asleep: Vec<Waker>,
    tickets: u64,
    delivered: VecDeque<Delivered>,
    /// More were delivered than are remembered.
    forgotten: bool,
    /// How many marks have set out.
    marks: u64,
    /// What the store has as this process' mark.
    mark: Option<u64>,
    /// How many were delivered since.
    unmarked: usize,
}

/// An invalidation that the store has confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Delivered {
    pub(super) scope: String,
    pub(super) version: u64,
    /// Another process has invalidated the scope as well, before or after.
    elsewhere: bool,
}

/// Whether something is on its way that concerns an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Concern {
    None,
    /// Somebody is delivering it right now.
    Held,
    /// It waits, for the store or for whoever has announced it.
    Waits,
}

/// Who is delivering a scope.
#[derive(Default)]
struct Held {
    by: usize,
    /// How many of them are at it.
    active: usize,
    /// There were several at once.
    several: bool,
}

/// An invalidation that is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pending {
    /// Of the last time it was announced.
    ticket: u64,
    pub(super) soft: bool,
    /// The store has it; only the others are to be told.
    pub(super) stored: bool,
    /// It was tried in vain, at least once.
    failed: bool,
    /// Nobody who delivers the scope has announced it: whoever does so may be done with it.
    nobodys: bool,
}

impl Journal {
    /// Notes what is being invalidated.
    pub(super) fn announce(&mut self, scopes: &[String], soft: bool) {
        self.tickets += 1;
        let ticket = self.tickets;
        // Everything is undelivered, and so is this.
        if let Some(all) = self.pending.get_mut(EVERYTHING).filter(|all| !all.soft) {
            all.ticket = ticket;
            // What was loaded since it was written is concerned as well.
            all.stored = false;
            for scope in scopes {
                if let Some(known) = self.pending.get_mut(scope) {
                    known.ticket = ticket;
                    known.stored = false;
                    known.soft &= soft;
                }
            }
            return;
        }
        for scope in scopes {
            // Stored or not: the others have not heard of it.
            let known = self.pending.get(scope);
            let pending = Pending {
                ticket,
                soft: soft && known.is_none_or(|known| known.soft),
                stored: false,
                failed: known.is_some_and(|known| known.failed),
                nobodys: false,
            };
            self.pending.insert(scope.clone(), pending);
        }
        // What somebody is delivering does not wait for anything, and they are as many as call.
        if self.pending.len() > MOST + self.held.len() {
            self.give_up(ticket);
        }
    }

    /// Whoever delivers these now has not announced them.
    fn disown(&mut self, scopes: &[String]) {
        for scope in scopes {
            if let Some(pending) = self.pending.get_mut(scope) {
                pending.nobodys = true;
            }
        }
    }

    /// Notes what the store has by now and the others have not heard of.
    pub(super) fn announce_stored(&mut self, scope: &str) {
        self.tickets += 1;
        let ticket = self.tickets;
        let known = self.pending.get(scope);
        let pending = Pending {
            ticket,
            soft: false,
            stored: known.is_none_or(|known| known.stored),
            failed: true,
            nobodys: false,
        };
        self.pending.insert(scope.to_owned(), pending);
        self.bound();
    }

    /// These were tried in vain.
    pub(super) fn failed<'a>(&mut self, sent: impl IntoIterator<Item = &'a String>) {
        for scope in sent {
            if let Some(pending) = self.pending.get_mut(scope) {
                pending.failed = true;
            }
        }
        self.bound();
    }

    fn bound(&mut self) {
        let failed = self.pending.values().filter(|pending| pending.failed);
        if failed.count() > KEPT {
            self.tickets += 1;
            self.give_up(self.tickets);
        }
    }

    /// There are too many: everything, in their stead.
    fn give_up(&mut self, ticket: u64) {
        self.pending.clear();
        let everything = Pending {
            ticket,
            soft: false,
            stored: false,
            failed: true,
            nobodys: true,
        };
        self.pending.insert(EVERYTHING.into(), everything);
    }

    /// Somebody is to deliver these; whoever cannot wait for that does so as well.
    pub(super) fn hold(&mut self, scopes: &[String]) {
        for scope in scopes {
            let held = self.held.entry(scope.clone()).or_default();
            held.by += 1;
            held.several |= held.by > 1;
        }
    }

    /// They begin to.
    pub(super) fn begin(&mut self, scopes: &[String]) {
        for scope in scopes {
            if let Some(held) = self.held.get_mut(scope) {
                held.active += 1;
            }
        }
    }

    /// They have tried to, with success or not. Who is returned waits for that, and is to be woken when
    /// this is unlocked.
    #[must_use]
    pub(super) fn end(&mut self, scopes: &[String]) -> Vec<Waker> {
        for scope in scopes {
            if let Some(held) = self.held.get_mut(scope) {
                held.active = held.active.saturating_sub(1);
            }
        }
        std::mem::take(&mut self.asleep)
    }

    /// Whether somebody is delivering this right now.
    fn is_delivered(&self, scope: &str, pending: &Pending) -> bool {
        let active = |held: &Held| held.active > 0;
        !pending.nobodys && self.held.get(scope).is_some_and(active)
    }

    /// They are done with it; says whether somebody else was delivering one of them at the
    /// same time.
    pub(super) fn release(&mut self, scopes: &[String]) -> bool {
        let mut several = false;
        for scope in scopes {
            if let Some(held) = self.held.get_mut(scope) {
                several |= held.several;
                held.by -= 1;
                if held.by == 0 {
                    self.held.remove(scope);
                }
            }
        }
        several
    }

    /// What is undelivered of these, and what may stand for those that are not there.
    pub(super) fn pending_of(&self, scopes: &[String]) -> BTreeMap<String, Pending> {
        let of = |scope: &str| {
            let (scope, pending) = self.pending.get_key_value(scope)?;
            Some((scope.clone(), *pending))
        };
        let mut pending: BTreeMap<_, _> = scopes.iter().filter_map(|scope| of(scope)).collect();
        if pending.len() < scopes.len() {
            pending.extend(of(EVERYTHING));
        }
        pending
    }

    /// What is undelivered, and nobody delivers.
    pub(super) fn waiting(&self) -> BTreeMap<String, Pending> {
        let pending = self.pending.iter();
        pending
            .filter(|(scope, pending)| !self.is_delivered(scope, pending))
            .map(|(scope, pending)| (scope.clone(), *pending))
            .collect()
    }

    /// The same of these, or of all, and from now on it is delivered.
    pub(super) fn take_waiting(&mut self, of: Option<&[String]>) -> BTreeMap<String, Pending> {
        let waiting = match of {
            None => self.waiting(),
            Some(of) => (of.iter())
                .filter_map(|scope| self.pending.get_key_value(scope))
                .filter(|(scope, pending)| !self.is_delivered(scope, pending))
                .map(|(scope, pending)| (scope.clone(), *pending))
                .collect(),
        };
        let scopes: Vec<String> = waiting.keys().cloned().collect();
        for scope in &scopes {
            if let Some(pending) = self.pending.get_mut(scope) {
                pending.nobodys = false;
            }
        }
        self.hold(&scopes);
        self.begin(&scopes);
        waiting
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether something is undelivered that nobody delivers.
    pub(super) fn has_waiting(&self) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|(scope, pending)| !self.is_delivered(scope, pending))
    }

    /// Whether one of these scopes is undelivered.
    pub(super) fn concerns(&self, scopes: impl IntoIterator<Item: AsRef<str>>) -> Concern {
        let mut concern = Concern::None;
        if self.pending.is_empty() {
            return concern;
        }
        for scope in scopes {
            let scope = scope.as_ref();
            match self.pending.get(scope).filter(|pending| !pending.stored) {
                Some(pending) if !self.is_delivered(scope, pending) => return Concern::Waits,
                Some(_) => concern = Concern::Held,
                None => {}
            }
        }
        concern
    }

    /// Wakes this when something was delivered, or somebody has given up.
    pub(super) fn wake_then(&mut self, waker: &Waker) {
        if !self.asleep.iter().any(|known| known.will_wake(waker)) {
            self.asleep.push(waker.clone());
        }
    }

    /// The store has these, each with the version that was written; the others are still to be
    /// told. What was announced again meanwhile has a later ticket, and is to be written again.
    pub(super) fn stored<'a>(
        &mut self,
        sent: impl IntoIterator<Item = (&'a String, &'a Pending)>,
        versions: &[u64],
    ) {
        for ((scope, sent), version) in sent.into_iter().zip(versions) {
            if let Some(pending) = self.pending.get_mut(scope)
                && pending.ticket == sent.ticket
            {
                pending.stored = true;
            }
            self.unmarked += 1;
            self.remember(scope, *version);
        }
        while self.delivered.len() > KEPT {
            self.delivered.pop_front();
            self.forgotten = true;
        }
    }

    fn remember(&mut self, scope: &str, version: u64) {
        if scope == EVERYTHING {
            // Nothing from before it matters any more.
            self.delivered.clear();
            self.forgotten = false;
        }
        self.delivered.retain(|known| known.scope != scope);
        self.delivered.push_back(Delivered {
            scope: scope.to_owned(),
            version,
            elsewhere: false,
        });
    }

    /// These are through. What was announced again meanwhile has a later ticket, and is not.
    pub(super) fn told(&mut self, sent: &BTreeMap<String, Pending>) {
        let same = |scope: &String, pending: &Pending| {
            (sent.get(scope)).is_some_and(|sent| sent.ticket == pending.ticket)
        };
        self.pending.retain(|scope, pending| !same(scope, pending));
    }

    /// Another process has invalidated these: the store may rightly have another version than the
    /// one that is remembered.
    pub(super) fn heard(&mut self, scopes: &[String]) {
        for delivered in &mut self.delivered {
            delivered.elsewhere |= scopes.contains(&delivered.scope);
        }
    }

    /// What was delivered a moment ago, the oldest first.
    pub(super) fn delivered(&self) -> Vec<Delivered> {
        self.delivered.iter().cloned().collect()
    }

    /// The versions of these scopes that were delivered last, as far as they are remembered.
    pub(super) fn versions_of(&self, scopes: &[String]) -> HashMap<String, u64> {
        let asked: HashSet<&String, RandomState> = scopes.iter().collect();
        let known = self.delivered.iter();
        known
            .filter(|known| asked.contains(&known.scope))
            .map(|known| (known.scope.clone(), known.version))
            .collect()
    }

    /// A refresh has put a version in the place of this one, which may be remembered.
    pub(super) fn renewed(&mut self, scope: &str, old: u64, new: u64) {
        let known = self.delivered.iter_mut().find(|known| known.scope == scope);
        if let Some(known) = known.filter(|known| known.version == old) {
            known.version = new;
        }
    }

    /// The mark that this process is to leave on the store along with so many scopes more, if it is
    /// time for one.
    ///
    /// Nobody else writes it, so if it is there as it was written, the store has not gone back beyond
    /// it; that a scope has another version may be the work of others.
    pub(super) fn next_mark(&mut self, more: usize) -> Option<u64> {
        let due = self.unmarked.saturating_add(more) >= MARKED;
        due.then(|| {
            self.marks += 1;
            self.marks
        })
    }

    /// The store has this mark; of several on their way at once, the one that set out last counts.
    pub(super) fn marked(&mut self, mark: u64) {
        if self.mark.is_none_or(|known| known < mark) {
            self.mark = Some(mark);
            self.unmarked = 0;
        }
    }

    pub(super) fn mark(&self) -> Option<u64> {
        self.mark
    }

    /// Whether anything was delivered that the store could lose.
    pub(super) fn remembers(&self) -> bool {
        !self.delivered.is_empty()
    }

    /// Compares what was delivered with what the store has now, after it may have gone back to an
    /// older state: what it has another version of is to be delivered once more. What it has none
    /// of is invalid anyway. If the oldest that is remembered is lost, nobody knows what else is,
    /// and everything is invalidated; those that others have invalidated too say nothing of that.
    /// With `known_beyond`, what is not remembered is known to be there. Returns what is to be
    /// delivered.
    pub(super) fn compare(
        &mut self,
        delivered: &[Delivered],
        found: &[Option<u64>],
        known_beyond: bool,
    ) -> Vec<String> {
        let last: HashMap<&str, u64, RandomState> = (self.delivered.iter())
            .map(|known| (known.scope.as_str(), known.version))
            .collect();
        // What is being written, or was meanwhile, has another version for that.
        let written = |known: &Delivered| {
            last.get(known.scope.as_str()) == Some(&known.version)
                && self
                    .pending
                    .get(&known.scope)
                    .is_none_or(|pending| pending.stored)
        };
        let present: Vec<(&Delivered, bool)> = (delivered.iter().zip(found))
            .filter(|(known, _)| written(known))
            .filter_map(|(known, found)| Some((known, known.version == (*found)?)))
            .collect();
        let mut own = present.iter().filter(|(known, _)| !known.elsewhere);
        let beyond = own.next().is_none_or(|(_, same)| !same);
        if self.forgotten && !known_beyond && beyond {
            let everything = vec![EVERYTHING.into()];
            self.announce(&everything, false);
            self.disown(&everything);
            return everything;
        }
        let lost: Vec<String> = present
            .into_iter()
            .filter(|(_, same)| !same)
            .map(|(known, _)| known.scope.clone())
            .collect();
        if !lost.is_empty() {
            self.announce(&lost, false);
            self.disown(&lost);
        }
        lost
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
