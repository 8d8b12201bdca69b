//! Stored responses that an answer has proved wrong.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use http::{HeaderMap, StatusCode};

use super::lead::Leading;
use super::load::Load;
use super::look::{Standing, accepts, directives, standing};
use super::pass::is_told_apart;
use super::stored::{Stored, Variants};
use super::storing::{is_of_one_request, is_of_one_user, selecting};
use super::vary::{self, Selecting};
use crate::clock::Nanos;
use crate::memory::Slot;
use crate::scope::Scopes;
use crate::sync::lock;

/// Whether one client can bring a status about by itself, with a field that has no part in the key. It
/// says nothing of what others are given, who may be waiting for it.
pub(super) fn is_ones_own(status: StatusCode) -> bool {
    match status {
        // Where what is stored was for everybody, and to all who do not say who they are.
        StatusCode::UNAUTHORIZED => false,
        StatusCode::BAD_REQUEST | StatusCode::NOT_ACCEPTABLE => true,
        _ => is_of_one_request(status),
    }
}

impl Leading {
    /// Whether an answer with this status that must not be stored says that what is stored holds no
    /// longer: that the page is gone, has moved, or is for one client only by now. What goes on being
    /// served stale would be what its owner has taken back.
    ///
    /// What one client can bring about by itself is no such sign: it would take the page from all.
    pub(super) fn disproves(&self, status: StatusCode) -> bool {
        let speaks_of_the_page = match status {
            // The client has what it asked for under a condition of its own.
            StatusCode::NOT_MODIFIED => false,
            _ => !status.is_server_error() && !is_ones_own(status),
        };
        let load = &self.load;
        let (policy, asked) = (&load.view.policy, &load.asked.headers);
        let is_outdated = match &self.old {
            Some((old, _)) => self.is_stale_for_all(old),
            None => load.anew && self.is_beside_another(),
        };
        speaks_of_the_page
            && is_outdated
            && !is_told_apart(policy, asked)
            && !is_of_one_user(policy, asked)
    }

    /// The requests of which an answer with these fields speaks: those that say the same where it
    /// varies. None where that is all, as nobody knows.
    ///
    /// What would hide a stored variant if it were stored itself (RFC 9111, section 4.1) takes it away
    /// where it is not. So an answer without `Vary` is for the whole URL.
    pub(super) fn meant(&self, answer: &HeaderMap) -> Option<Selecting> {
        let names = vary::names(answer, &selecting(&self.load.view.policy))?;
        Some(Selecting::of(&self.load.asked.headers, names).of_the_page())
    }

    /// The response that was asked after is another one by now.
    pub(super) fn forget_old(&self) {
        let old = self.old.as_ref();
        let meant = old.map(|(old, _)| old.selecting.clone().of_the_page());
        self.load.forget(meant);
    }

    /// Whether it was not only by a directive of this client's that the handler was asked.
    fn is_stale_for_all(&self, old: &Stored) -> bool {
        let at = self.start.asked_at;
        let load = &self.load;
        let wanted = directives(&load.view, &load.asked.headers);
        old.staleness(at).is_some()
            || old.freshness.validate
            || wanted.is_none_or(|wanted| accepts(&wanted, old, at))
    }

    /// Whether there was something that this load did not look at.
    fn is_beside_another(&self) -> bool {
        #[cfg(feature = "stores")]
        if self.read.as_ref().is_some_and(|read| !read.is_empty()) {
            return true;
        }
        self.load.slot().is_some()
    }
}

/// What is left of an entry in memory.
struct Rest {
    slot: Slot,
    /// The tick at which it was valid.
    since: u64,
    variants: Variants,
    scopes: Scopes,
    vouched: Nanos,
}

impl Load {
    /// What there is for such requests, or for all, has been proved wrong: nobody is to be served it,
    /// nor what is being loaded now.
    ///
    /// The other variants stay in memory. A shared store has one value for all of them, and loses it.
    pub(crate) fn forget(&self, meant: Option<Selecting>) {
        // Of two at once, the one must not bring back what the other takes.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = lock(&TURN);
        let rest = meant.and_then(|meant| self.rest(&meant));
        // First the store: nothing old comes back into memory after the tick.
        #[cfg(feature = "stores")]
        let void = self.void();
        self.engine.forget(self.spot.any());
        if let Some(rest) = rest {
            self.put_back(rest);
        }
        #[cfg(feature = "stores")]
        drop(void);
    }

    fn rest(&self, meant: &Selecting) -> Option<Rest> {
        let slot = self.slot()?;
        let since = slot.meta().checked.load(Ordering::Acquire);
        let variants: &Variants = slot.value().downcast_ref()?;
        let now = self.engine.clock.now();
        if standing(&slot, variants, now) != Standing::Valid {
            return None;
        }
        #[cfg(feature = "stores")]
        let vouched = slot.meta().times().vouched();
        #[cfg(not(feature = "stores"))]
        let vouched = crate::clock::NEVER;
        Some(Rest {
            since,
            variants: variants.beside(meant)?,
            scopes: self.merged(&slot)?,
            vouched,
            slot,
        })
    }

    /// An entry of its own for what is left, unless that was invalidated meanwhile.
    fn put_back(&self, rest: Rest) {
        let Some(memory) = &self.engine.memory else {
            return;
        };
        // First the tick: of what is invalidated before it, the look tells, and of what comes later the
        // entry will know.
        let (began, now) = (self.engine.begin(), self.engine.clock.now());
        if !(self.engine).holds_but_for_its_key(rest.slot.meta(), rest.since) {
            return;
        }
        let known = rest.slot.meta().order();
        let heap = rest.variants.bytes() + self.spot.heap();
        let meta = self.meta(&rest.variants, rest.scopes, began, now, rest.vouched);
        let slot = self.spot.slot(meta, rest.variants);
        memory.insert_page(slot, heap, |there| {
            there.is_none_or(|there| there.meta().order() == known)
        });
    }
}
