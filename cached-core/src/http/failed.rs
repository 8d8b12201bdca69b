//! Loads that fail, and what stands in for their responses (RFC 5861, section 4).

use std::sync::Arc;

use http::{Response, StatusCode};

use super::body::ViewBody;
use super::lead::Leading;
use super::load::{Landing, Load};
use super::look::{Judged, Usable, judge};
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
        self.fail(Landing::Failed(Failed { how, stale }));
    }

    /// Tells those who wait that there is nothing for them; whoever comes from now on begins afresh.
    pub(super) fn fail(&self, landing: Landing) {
        if let Some(duty) = &self.start.duty {
            duty.fail(landing);
        }
    }
}

impl Load {
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
        match judge(&self.view, stored, self.engine.clock.now(), false, headers) {
            Judged::Stale(usable) if usable.on_error => Some(Arc::clone(stored)),
            _ => None,
        }
    }
}
