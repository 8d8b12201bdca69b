//! Responses that are the client's alone.

use http::header::{RANGE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, response};

use super::body::ViewBody;
use super::conditional::judged;
use super::control::Control;
use super::failed::{Failure, is_failure};
use super::landing::Landing;
use super::lead::Leading;
use super::list::members;
use super::look::report;
use super::outdated::is_ones_own;
use super::policy::ViewPolicy;
use super::status::Report;
use super::stored::has_content;
use super::unstored::guard;
use super::view::View;
use super::{storing, vary};

impl Leading {
    /// A response that is the client's alone. Where the client's conditions were kept from the handler
    /// (`replaced`), they are judged here.
    pub(super) fn passed(
        &self,
        mut head: response::Parts,
        body: ViewBody,
        replaced: bool,
    ) -> Response<ViewBody> {
        let (view, asked) = (&self.load.view, &self.load.asked);
        add_vary(view, &mut head.headers);
        guard(&view.policy, &asked.headers, &mut head.headers);
        let status = head.status;
        match status {
            StatusCode::NOT_MODIFIED => self.fail(Landing::Unmodified),
            status if is_failure(status) => self.failed(Failure::Status(status), None),
            status if is_ones_own(status) => self.fail(Landing::Own),
            _ => self.land(Landing::Alone),
        }
        let body = match has_content(status) {
            true => body,
            false => ViewBody::none(),
        };
        let response = Response::from_parts(head, body);
        let mut response = match replaced {
            true => judged(response, &asked.headers, ViewBody::none),
            false => response,
        };
        let said = Report {
            status: Some(status),
            ..Report::forwarded(self.why)
        };
        report(&self.load.view, &mut response, &said);
        response
    }
}

/// Whether the request asks for something of its own, which says nothing of what others are given.
pub(super) fn is_told_apart(policy: &ViewPolicy, request: &HeaderMap) -> bool {
    request.contains_key(RANGE)
        || Control::of(request).no_store
        || storing::has_credentials(policy, request)
}

/// Names the fields by which the policy tells responses apart.
pub(crate) fn add_vary(view: &View, headers: &mut HeaderMap) {
    let wanted = storing::selecting(&view.policy);
    if wanted.is_empty() || vary::names(headers, &[]).is_none() {
        return;
    }
    for name in wanted {
        let named = members(headers, VARY).any(|it| is_name(it, &name));
        if !named {
            headers.append(VARY, HeaderValue::from(name));
        }
    }
}

fn is_name(member: &[u8], name: &HeaderName) -> bool {
    member.eq_ignore_ascii_case(name.as_str().as_bytes())
}
