//! Asking a second time, where the first answer was about another response than the one stored.

use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{Request, Response, StatusCode, request};

use super::conditional::Conditions;
use super::content::Content;

/// A request that goes to the handler under conditions, to be sent once more without.
pub(crate) struct Again {
    conditions: Conditions,
    head: request::Parts,
}

impl Again {
    /// None where there are no conditions.
    pub(crate) fn new(conditions: &Conditions, head: &request::Parts) -> Option<Self> {
        if conditions.is_empty() {
            return None;
        }
        Some(Again {
            conditions: conditions.clone(),
            head: head.clone(),
        })
    }

    /// The request for the whole, where this answer says that something else still holds.
    pub(crate) fn request<R, B: 'static>(
        self,
        answer: &Response<R>,
        content: &Content,
    ) -> Option<Request<B>> {
        let not_modified = answer.status() == StatusCode::NOT_MODIFIED;
        if !not_modified || self.conditions.are_confirmed_by(answer.headers()) {
            return None;
        }
        let mut head = self.head;
        head.headers.remove(IF_NONE_MATCH);
        head.headers.remove(IF_MODIFIED_SINCE);
        Some(Request::from_parts(head, content.empty()?))
    }
}
