//! Whole responses: into the cache where they may be, and to the client.

use std::sync::Arc;

use http::header::{AGE, CACHE_CONTROL, CONTENT_LENGTH, ETAG, LAST_MODIFIED, SET_COOKIE};
use http::{Response, StatusCode, response};
use http_body::Body;

use super::background::finish_in_background;
use super::body::ViewBody;
use super::conditional::not_modified;
use super::control::digits;
use super::failed::{Failed, Failure, is_failure};
use super::fill::{Fill, Reader};
use super::freshness::Timing;
use super::landing::Landing;
use super::lead::Leading;
#[cfg(feature = "stores")]
use super::load::Inserted;
use super::load::{Load, Start};
use super::look::report;
use super::outdated::is_ones_own;
use super::pass::{add_vary, is_told_apart};
#[cfg(feature = "stores")]
use super::shared::Publish;
use super::status::Report;
use super::stored::Stored;
use super::storing;
use super::unstored::keep_cookie;

impl Leading {
    /// A whole response: into the cache where it may be, and to the client.
    pub(super) fn filled(
        self,
        response: Response<ViewBody>,
        replaced: bool,
        timing: &Timing,
    ) -> Response<ViewBody> {
        let (mut head, body) = response.into_parts();
        let policy = &self.load.view.policy;
        let asked = &self.load.asked.headers;
        let judged = storing::judge(policy, asked, head.status, &head.headers, timing);
        let hint = body.size_hint();
        let announced = head.headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| digits(length.as_bytes()));
        let least = announced.unwrap_or(0).max(hint.lower());
        let too_long = least > policy.body_limit as u64;
        let storable = match judged {
            Ok(storable) if !too_long => storable,
            judged => {
                self.load.counters.kept(self.load.named(), false);
                if judged.is_err() && self.disproves(head.status) {
                    self.load.forget(self.meant(&head.headers));
                }
                // The answer to a condition of the client's own says nothing of the page; nor does
                // one to what the client alone has asked wrongly.
                let own = !replaced && head.status == StatusCode::NOT_MODIFIED
                    || is_ones_own(head.status) && !is_failure(head.status);
                if !own && !is_told_apart(policy, asked) {
                    self.load.remember_alone();
                }
                return self.passed(head, body, replaced);
            }
        };
        add_vary(&self.load.view, &mut head.headers);
        let dated = head.headers.contains_key(LAST_MODIFIED);
        let told = self.load.dress(&mut head, &storable, timing.wall);
        let ttl = i64::try_from(storable.freshness.lifetime / 1_000_000_000).unwrap_or(i64::MAX);
        let length = announced.or(hint.exact());
        let Leading {
            load,
            why,
            start,
            old,
            #[cfg(feature = "stores")]
            read,
            #[cfg(feature = "stores")]
            outbox,
            ..
        } = self;
        let flight = start.duty.as_ref().and_then(|duty| duty.flight.clone());
        let selecting = Arc::new(storable.selecting.clone());
        let stale = old.as_ref().filter(|(_, usable)| usable.on_error);
        let stale = stale.map(|(stored, _)| Arc::clone(stored));
        let fill = {
            let (load, timing) = (Arc::clone(&load), *timing);
            let (status, headers, origin) = (head.status, head.headers.clone(), start.origin());
            let limit = load.view.policy.body_limit;
            #[cfg(feature = "stores")]
            let refreshing = start.refreshing.clone();
            // The flight stays on the table until the body is whole, or given up.
            let kept = Kept(start);
            let (old, stale) = (old.map(|(stored, _)| stored), stale.clone());
            let finish = move |whole| {
                let Some(whole) = whole else {
                    if let Some(old) = &old {
                        load.throttle(old);
                    }
                    // What it was to replace may stand in for those who wait.
                    if let Some(duty) = &kept.0.duty {
                        duty.fail(Landing::Failed(Failed {
                            how: Failure::Error,
                            stale,
                        }));
                    }
                    return None;
                };
                let order = origin.began.order;
                let stored = load.complete(status, headers, whole, storable, order, &timing)?;
                let inserted = load.insert(&stored, origin);
                #[cfg(feature = "stores")]
                if inserted != Inserted::Older {
                    let valid = inserted == Inserted::Yes;
                    outbox.put(Publish::new(&load, read, &stored, valid, refreshing));
                }
                let _ = inserted;
                if let Some(duty) = &kept.0.duty {
                    duty.land(Landing::Stored(Arc::clone(&stored)));
                }
                drop(kept);
                Some(stored)
            };
            Fill::new(body.into_inner(), length, limit, Box::new(finish))
        };
        if told {
            keep_cookie(&load.view.policy, &mut head.headers);
        }
        let whole = Arc::clone(&fill).advance();
        if fill.is_the_clients_alone() && !is_told_apart(&load.view.policy, &load.asked.headers) {
            load.remember_alone();
        }
        // Nothing of it has been sent, not even its head.
        if let Some(stale) = stale.filter(|_| fill.is_cut()) {
            return load.stand_in(&stale, why, Failure::Error, false);
        }
        if let (None, Some(flight)) = (&whole, flight) {
            flight.land(Landing::Filling(Arc::downgrade(&fill), selecting));
        }
        let said = Report {
            status: Some(head.status),
            ttl: Some(ttl),
            stored: true,
            ..Report::forwarded(why)
        };
        let mut response = match whole {
            Some(stored) => respond(&load, head, &stored),
            None => {
                // The tag is made of the whole. By a date alone this client would be told that a
                // page of the same second is the one that it has.
                if !dated && !head.headers.contains_key(ETAG) {
                    head.headers.remove(LAST_MODIFIED);
                }
                let same = replaced
                    && head.status == StatusCode::OK
                    && not_modified(&load.asked.headers, &mut head);
                let body = ViewBody::fill(Reader::new(Arc::clone(&fill), hint));
                let body = match same {
                    // The client has the page; the next one may not.
                    true => {
                        finish_in_background(body, &load.engine);
                        ViewBody::none()
                    }
                    false => body,
                };
                Response::from_parts(head, body)
            }
        };
        report(&load.view, &mut response, &said);
        response
    }
}

/// What a fill keeps until its end: the flight, and the count of the load.
struct Kept(Start);

impl Drop for Kept {
    fn drop(&mut self) {
        // Where nothing has landed by now, nothing will: each of those who wait loads for itself, and
        // not one after another.
        if let Some(duty) = &self.0.duty {
            duty.land(Landing::Alone);
        }
    }
}

/// The answer to the request that loaded: what the handler said, and of the body what was asked for.
fn respond(load: &Load, mut head: response::Parts, stored: &Stored) -> Response<ViewBody> {
    let mut answer = stored.select(&load.asked.method, &load.asked.headers);
    if answer.status() == head.status {
        if let Some(etag) = stored.headers.get(ETAG) {
            head.headers.insert(ETAG, etag.clone());
        }
        return Response::from_parts(head, answer.into_body());
    }
    // What the handler said of its age, and the cookies that are not stored.
    answer.headers_mut().remove(AGE);
    for value in head.headers.get_all(AGE) {
        answer.headers_mut().append(AGE, value.clone());
    }
    if !stored.headers.contains_key(SET_COOKIE) {
        for value in head.headers.get_all(SET_COOKIE) {
            answer.headers_mut().append(SET_COOKIE, value.clone());
            if let Some(told) = head.headers.get(CACHE_CONTROL) {
                answer.headers_mut().insert(CACHE_CONTROL, told.clone());
            }
        }
    }
    answer
}
