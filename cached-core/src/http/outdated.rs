//! Stored responses that an answer has proved wrong.

use http::StatusCode;

use super::lead::Leading;
use super::look::{accepts, directives};
use super::pass::is_told_apart;
use super::stored::Stored;
use super::storing::{is_of_one_request, is_of_one_user};

impl Leading {
    /// Whether an answer with this status that must not be stored says that what is stored holds no
    /// longer: that the page is gone, has moved, or is for one client only by now. What goes on being
    /// served stale would be what its owner has taken back.
    ///
    /// What one client can bring about by itself is no such sign: it would take the page from all.
    pub(super) fn disproves(&self, status: StatusCode) -> bool {
        let speaks_of_the_page = match status {
            // Where what is stored was for everybody.
            StatusCode::UNAUTHORIZED => true,
            // The client has what it asked for under a condition of its own.
            StatusCode::NOT_MODIFIED => false,
            // A field that has no part in the key is enough for these.
            StatusCode::BAD_REQUEST | StatusCode::NOT_ACCEPTABLE => false,
            _ => !status.is_server_error() && !is_of_one_request(status),
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
