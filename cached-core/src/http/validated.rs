//! What is stored, in the light of what the handler says of it.

use std::sync::Arc;

use http::header::{AGE, CACHE_CONTROL, CONTENT_LENGTH, ETAG, LAST_MODIFIED, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use super::body::ViewBody;
use super::conditional::is_not_modified;
use super::freshen::{Fate, freshen};
use super::freshness::Timing;
use super::landing::Landing;
use super::lead::Leading;
use super::load::Inserted;
use super::look::report;
use super::pass::add_vary;
#[cfg(feature = "stores")]
use super::shared::Publish;
use super::status::Report;
use super::stored::Stored;
use super::unstored::keep_cookie;

impl Leading {
    /// The handler says that what is stored still holds (RFC 9111, section 4.3.4).
    pub(super) fn freshened(
        #[cfg_attr(
            not(feature = "stores"),
            expect(unused_mut, reason = "only a store is told")
        )]
        mut self,
        old: &Stored,
        response: Response<ViewBody>,
        timing: &Timing,
    ) -> Response<ViewBody> {
        let (head, _) = response.into_parts();
        let (new, fate) = freshen(&self.load, old, &head.headers, self.start.began, timing);
        let new = Arc::new(new);
        let stays = fate == Fate::Stays;
        let inserted = stays.then(|| self.load.insert(&new, self.start.origin()));
        let stored = matches!(inserted, Some(Inserted::Yes | Inserted::Expired));
        if fate == Fate::Goes {
            // It must not be kept any longer: nor served by anybody else.
            self.load.forget(self.meant(&new.headers));
        }
        #[cfg(feature = "stores")]
        if inserted.is_some_and(|it| it != Inserted::Older) {
            let read = self.read.take();
            let valid = inserted == Some(Inserted::Yes);
            let refreshing = self.start.refreshing.clone();
            (self.outbox).put(Publish::new(&self.load, read, &new, valid, refreshing));
        }
        let asked = &self.load.asked;
        let mut answer = new.select(&asked.method, &asked.headers);
        for cookie in head.headers.get_all(SET_COOKIE) {
            if !new.headers.contains_key(SET_COOKIE) {
                answer.headers_mut().append(SET_COOKIE, cookie.clone());
            }
        }
        let policy = &self.load.view.policy;
        let told = answer.headers().get(CACHE_CONTROL);
        if told == policy.client.as_ref() && !head.headers.contains_key(CACHE_CONTROL) {
            keep_cookie(policy, answer.headers_mut());
        }
        let now = self.load.engine.clock.now();
        answer
            .headers_mut()
            .insert(AGE, HeaderValue::from(new.age(now) / 1_000_000_000));
        let said = Report {
            status: Some(StatusCode::NOT_MODIFIED),
            ttl: Some(new.ttl(now)),
            stored,
            ..Report::forwarded(self.why)
        };
        report(&self.load.view, &mut answer, &said);
        self.land(if stays {
            Landing::Stored(new)
        } else {
            Landing::Alone
        });
        answer
    }

    /// The 304 speaks of another response, also when it was asked again: what is stored is outdated.
    /// To this client it is of use where the client has that one.
    pub(super) fn contradicted(self, response: Response<ViewBody>) -> Response<ViewBody> {
        let (head, body) = response.into_parts();
        self.forget_old();
        if is_not_modified(&self.load.asked.headers, &head.headers) {
            return self.passed(head, body, true);
        }
        let mut answer = Response::new(ViewBody::empty());
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        add_vary(&self.load.view, answer.headers_mut());
        self.land(Landing::Alone);
        let said = Report {
            status: Some(head.status),
            ..Report::forwarded(self.why)
        };
        report(&self.load.view, &mut answer, &said);
        answer
    }

    /// The answer to a HEAD: it is not stored, but may show that what is stored is outdated
    /// (RFC 9111, section 4.3.5).
    pub(super) fn headed(self, response: Response<ViewBody>, replaced: bool) -> Response<ViewBody> {
        let (head, body) = response.into_parts();
        if let (StatusCode::OK, Some((old, _))) = (head.status, &self.old) {
            let differs = [ETAG, LAST_MODIFIED, CONTENT_LENGTH].iter().any(|name| {
                let (new, old) = (head.headers.get(name), old.headers.get(name));
                new.is_some() && old.is_some() && new != old
            });
            if differs {
                self.forget_old();
            }
        }
        self.passed(head, body, replaced)
    }
}
