//! Stored responses that an answer has proved wrong.

use http::StatusCode;

use super::lead::Leading;
use super::pass::is_told_apart;
use super::storing::is_of_one_request;

impl Leading {
    /// Whether an answer with this status that must not be stored says that what is stored holds no
    /// longer: that the page is gone, has moved, or is for one client only by now. What goes on being
    /// served stale would be what its owner has taken back.
    pub(super) fn disproves(&self, status: StatusCode) -> bool {
        let speaks_of_the_page = match status {
            // Where what is stored was for everybody.
            StatusCode::UNAUTHORIZED => true,
            // The client has what it asked for under a condition of its own.
            StatusCode::NOT_MODIFIED => false,
            _ => !status.is_server_error() && !is_of_one_request(status),
        };
        let load = &self.load;
        speaks_of_the_page
            && !is_told_apart(&load.view.policy, &load.asked.headers)
            && (self.old.is_some() || (load.anew && self.is_beside_another()))
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
