//! Loads that fail, and what stands in for their responses (RFC 5861, section 4).

use std::sync::Arc;

use http::{Response, StatusCode};

use super::body::ViewBody;
use super::landing::Landing;
use super::lead::Leading;
use super::load::Load;
use super::look::{Judged, Usable, judge};
use super::pass::is_told_apart;
use super::status::{Forwarded, Report};
use super::stored::Stored;

/// How a load failed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    Status(StatusCode),
    /// No response, or half of one.
    Error,
    Panic,
}

impl Failure {
    /// The status of the response, where there was one (RFC 9211, section 2.3).
    pub(crate) fn status(self) -> Option<StatusCode> {
        match self {
            Failure::Status(status) => Some(status),
            Failure::Error | Failure::Panic => None,
        }
    }
}

/// A load that failed, for those who waited.
#[derive(Clone)]
pub(crate) struct Failed {
    pub(crate) how: Failure,
    /// What the one who loaded was answered with, where that is a stored response.
    pub(crate) stale: Option<Arc<Stored>>,
}

/// Where a stale response may stand in. So it may for a 408: a request that is loaded has no body to be
/// late, and layers that end what takes too long say 408 by default.
pub(super) fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504)
}

impl Leading {
    /// The stale response, where a fresh one cannot be had.
    pub(super) fn fallback(&self, how: Failure) -> Option<Response<ViewBody>> {
        let (stored, usable) = self.old.as_ref()?;
        if !usable.on_error {
            return None;
        }
        self.failed(how, Some(Arc::clone(stored)));
        Some(self.load.stand_in(stored, self.why, how, false))
    }

    /// Tells those who wait; they may have something stale even if this request has not.
    pub(super) fn failed(&self, how: Failure, stale: Option<Arc<Stored>>) {
        if let Some((old, _)) = &self.old
            && !self.is_of_one_client(how)
        {
            self.load.throttle(old);
        }
        self.fail(Landing::Failed(Failed { how, stale }));
    }

    /// What is stale, where another load has failed between this one's look and its turn; `served` if
    /// the client has its answer already.
    pub(super) fn put_off(&self, served: bool) -> Option<Response<ViewBody>> {
        self.start.duty.as_ref()?;
        let load = &self.load;
        // As it is there now: who has failed may have had it from the shared store.
        let old = load.stored()?;
        let now = load.engine.clock.now();
        match judge(&load.view, &old, now, None, &load.asked.headers) {
            Judged::Stale(usable) if usable.throttled => {}
            _ => return None,
        }
        let how = Failure::Error;
        self.fail(Landing::Failed(Failed {
            how,
            stale: Some(Arc::clone(&old)),
        }));
        Some(match served {
            true => load.answer_stale(&old),
            false => load.stand_in(&old, self.why, how, true),
        })
    }

    /// Whether it may be this client's doing, and say nothing of the source: its session makes the
    /// handler stumble, or the part that it asks for.
    fn is_of_one_client(&self, how: Failure) -> bool {
        let stumbled = match how {
            Failure::Panic => true,
            Failure::Status(status) => status == StatusCode::INTERNAL_SERVER_ERROR,
            Failure::Error => false,
        };
        stumbled && is_told_apart(&self.load.view.policy, &self.load.asked.headers)
    }

    /// Tells those who wait that there is nothing for them; whoever comes from now on begins afresh.
    pub(super) fn fail(&self, landing: Landing) {
        if let Some(duty) = &self.start.duty {
            duty.fail(landing);
        }
    }
}

impl Load {
    /// Holds the next load of what is stored back for a moment: the last one failed.
    pub(super) fn throttle(&self, stored: &Stored) {
        let now = self.engine.clock.now();
        stored
            .retry
            .put_off(now.saturating_add(self.view.policy.retry));
    }

    /// A stale response, where the handler was asked and failed; by another request, if this one
    /// `waited`.
    pub(crate) fn stand_in(
        &self,
        stored: &Stored,
        why: Forwarded,
        how: Failure,
        waited: bool,
    ) -> Response<ViewBody> {
        self.counters.fallbacks.one();
        self.answer(stored, |ttl| Report {
            status: how.status(),
            ttl: Some(ttl),
            collapsed: waited,
            ..Report::forwarded(why)
        })
    }

    /// What another's failed load leaves to this request: its own stale response, or else that of
    /// the other.
    pub(crate) fn left_by(
        &self,
        failed: &Failed,
        old: Option<&(Arc<Stored>, Usable)>,
    ) -> Option<Arc<Stored>> {
        if let Some((stored, usable)) = old
            && usable.on_error
        {
            return Some(Arc::clone(stored));
        }
        let stored = failed.stale.as_ref()?;
        let headers = &self.asked.headers;
        if !stored.selecting.matches(headers) {
            return None;
        }
        match judge(&self.view, stored, self.engine.clock.now(), None, headers) {
            Judged::Stale(usable) if usable.on_error => Some(Arc::clone(stored)),
            _ => None,
        }
    }
}
