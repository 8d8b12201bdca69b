//! Running the handler, and what becomes of its response.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::header::{AGE, CONTENT_LENGTH, ETAG, LAST_MODIFIED, RANGE, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, response};
use http_body::Body;

use super::background::{Attached, in_background};
use super::body::ViewBody;
use super::conditional::{Conditions, not_modified};
use super::control::{Control, digits};
use super::fill::{Fill, Reader};
use super::freshen::freshen;
use super::freshness::Timing;
use super::list::members;
use super::load::{Inserted, Landing, Load, Start};
use super::look::{Usable, report, unavailable};
#[cfg(feature = "stores")]
use super::shared::{Asked, Publish};
use super::status::{Forwarded, Report};
use super::stored::Stored;
use super::view::View;
use super::{storing, vary};
use crate::cache::current::Scoped;
use crate::trace;

/// Runs the handler for this request. Others who wait need not lose the load with this client: what
/// is under way then goes on in the background.
pub(crate) async fn lead<F, Fut, E>(leading: Leading, run: F) -> Result<Response<ViewBody>, E>
where
    F: FnOnce(Conditions) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Response<ViewBody>, E>> + Send + 'static,
    E: Send + 'static,
{
    let shared = leading.start.duty.is_some();
    let engine = Arc::clone(&leading.load.engine);
    let work = leading.run(run, false);
    if !shared {
        return work.await;
    }
    Attached::new(Box::pin(Scoped::again(work)), engine).await
}

/// The same in the background, for a response that is served stale meanwhile; here and now where
/// there is no background.
pub(crate) async fn refresh<F, Fut, E>(leading: Leading, run: F)
where
    F: FnOnce(Conditions) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Response<ViewBody>, E>> + Send + 'static,
    E: Send + 'static,
{
    let engine = Arc::clone(&leading.load.engine);
    in_background(leading.run(run, true), engine).await;
}

/// One run of the handler.
pub(crate) struct Leading {
    pub(crate) load: Arc<Load>,
    pub(crate) why: Forwarded,
    /// What is stored already.
    pub(crate) old: Option<(Arc<Stored>, Usable)>,
    pub(crate) start: Start,
    /// What the shared store had.
    #[cfg(feature = "stores")]
    pub(crate) read: Option<super::shared::Read>,
    /// What is to be written there when the response is there.
    #[cfg(feature = "stores")]
    pub(crate) outbox: Arc<super::shared::Outbox>,
}

impl Leading {
    pub(crate) fn new(
        load: Arc<Load>,
        why: Forwarded,
        old: Option<(Arc<Stored>, Usable)>,
        start: Start,
    ) -> Self {
        Leading {
            load,
            why,
            old,
            start,
            #[cfg(feature = "stores")]
            read: None,
            #[cfg(feature = "stores")]
            outbox: Arc::default(),
        }
    }

    /// Answers by what is stored by now, here or on the shared store, or else by the handler;
    /// `served` if the client has its answer already.
    #[cfg_attr(
        not(feature = "stores"),
        expect(unused_mut, reason = "only a store brings news")
    )]
    async fn run<F, Fut, E>(mut self, run: F, served: bool) -> Result<Response<ViewBody>, E>
    where
        F: FnOnce(Conditions) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Response<ViewBody>, E>> + Send + 'static,
        E: Send + 'static,
    {
        if let Some(response) = self.by_now() {
            return Ok(response);
        }
        #[cfg(feature = "stores")]
        match self.ask_store(served).await {
            Asked::Answer(response) => return Ok(response),
            Asked::Meanwhile(response) => {
                if self.start.duty.is_some() {
                    let engine = Arc::clone(&self.load.engine);
                    in_background(self.handle(run), engine).await;
                }
                return Ok(response);
            }
            Asked::Nothing => {}
        }
        if self.load.only_if_cached && !served {
            return Ok(unavailable(&self.load.view));
        }
        self.handle(run).await
    }

    async fn handle<F, Fut, E>(self, run: F) -> Result<Response<ViewBody>, E>
    where
        F: FnOnce(Conditions) -> Fut,
        Fut: Future<Output = Result<Response<ViewBody>, E>>,
    {
        let conditions = self.conditions();
        let replaced = conditions.replace();
        // Also what the handler does before its first wait.
        let load = &self.load;
        let span = trace::Load::new(&load.engine, load.view.name, Some(load.named()), 1);
        let result = caught(&span, async move { run(conditions).await }).await;
        let timing = self.load.timing(self.start.asked_at);
        let failed = match &result {
            Ok(Ok(response)) => is_failure(response.status()),
            _ => true,
        };
        self.count(&timing, failed);
        span.ended(if failed { "failed" } else { "loaded" });
        match result {
            Err(panic) => match self.fallback(None) {
                Some(response) => Ok(response),
                None => resume_unwind(panic),
            },
            Ok(Err(error)) => self.fallback(None).ok_or(error),
            Ok(Ok(response)) => {
                #[cfg(feature = "stores")]
                let outbox = Arc::clone(&self.outbox);
                let response = self.settle(response, replaced, &timing);
                #[cfg(feature = "stores")]
                outbox.deliver().await;
                Ok(response)
            }
        }
    }

    /// What another load has stored between this one's look and its turn.
    fn by_now(&self) -> Option<Response<ViewBody>> {
        self.start.duty.as_ref()?;
        let stored = self.load.stored()?;
        let found = self.old.as_ref().map_or(0, |(old, _)| old.order);
        let now = self.load.engine.clock.now();
        if stored.order <= found || !self.load.is_fresh(&stored, now) {
            return None;
        }
        self.load.counters.waited(self.load.named());
        let asked = &self.load.asked;
        let mut response = stored.answer(&asked.method, &asked.headers, now);
        report(
            &self.load.view,
            &mut response,
            &Report::hit(stored.ttl(now)),
        );
        self.land(Landing::Stored(stored));
        Some(response)
    }

    pub(super) fn land(&self, landing: Landing) {
        if let Some(duty) = &self.start.duty {
            duty.land(landing);
        }
    }

    /// What the handler is asked for: news of what is stored, or the whole.
    fn conditions(&self) -> Conditions {
        let stored = self
            .old
            .as_ref()
            .map(|(old, _)| Conditions::of(&old.headers));
        match stored.filter(|conditions| !conditions.is_empty()) {
            Some(conditions) => conditions,
            // Where most responses are stored, a whole one serves the next client too.
            None if self.load.view.policy.timeout.is_some() => Conditions::default(),
            None => Conditions::own(),
        }
    }

    fn count(&self, timing: &Timing, failed: bool) {
        let counters = &self.load.counters;
        let gone = timing.received.saturating_sub(timing.asked);
        counters.loaded(self.load.named(), gone, failed);
    }

    /// The stale response, where a fresh one cannot be had.
    fn fallback(&self, status: Option<StatusCode>) -> Option<Response<ViewBody>> {
        let (stored, usable) = self.old.as_ref()?;
        if !usable.on_error {
            return None;
        }
        self.load.counters.fallbacks.one();
        let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
        self.land(Landing::Alone);
        Some(self.load.answer_stale(stored, self.why, Some(status)))
    }

    fn settle(
        self,
        response: Response<ViewBody>,
        replaced: bool,
        timing: &Timing,
    ) -> Response<ViewBody> {
        let status = response.status();
        if is_failure(status)
            && let Some(stale) = self.fallback(Some(status))
        {
            return stale;
        }
        if let (StatusCode::NOT_MODIFIED, true, Some((old, _))) = (status, replaced, &self.old) {
            let old = Arc::clone(old);
            return self.freshened(&old, response, timing);
        }
        if self.load.asked.method == Method::HEAD {
            return self.headed(response);
        }
        self.filled(response, replaced, timing)
    }

    /// The handler says that what is stored still holds (RFC 9111, section 4.3.4).
    fn freshened(
        #[cfg_attr(
            not(feature = "stores"),
            expect(unused_mut, reason = "only a store is told")
        )]
        mut self,
        old: &Stored,
        response: Response<ViewBody>,
        timing: &Timing,
    ) -> Response<ViewBody> {
        let (mut head, _) = response.into_parts();
        add_vary(&self.load.view, &mut head.headers);
        let (new, stays) = freshen(&self.load, old, &head.headers, self.start.began, timing);
        let new = Arc::new(new);
        let inserted = stays.then(|| self.load.insert(&new, self.start.origin()));
        let stored = inserted == Some(Inserted::Yes);
        if !stays {
            // It must not be kept any longer: nor served by anybody else.
            self.load.forget();
        }
        #[cfg(feature = "stores")]
        if inserted.is_some_and(|it| it != Inserted::Older) {
            let read = self.read.take();
            self.outbox.put(Publish::new(&self.load, read, &new));
        }
        let asked = &self.load.asked;
        let mut answer = new.select(&asked.method, &asked.headers);
        for cookie in head.headers.get_all(SET_COOKIE) {
            if !new.headers.contains_key(SET_COOKIE) {
                answer.headers_mut().append(SET_COOKIE, cookie.clone());
            }
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

    /// The answer to a HEAD: it is not stored, but may show that what is stored is outdated
    /// (RFC 9111, section 4.3.5).
    fn headed(self, response: Response<ViewBody>) -> Response<ViewBody> {
        let (mut head, body) = response.into_parts();
        if let (StatusCode::OK, Some((old, _))) = (head.status, &self.old) {
            let differs = [ETAG, LAST_MODIFIED, CONTENT_LENGTH].iter().any(|name| {
                let (new, old) = (head.headers.get(name), old.headers.get(name));
                new.is_some() && old.is_some() && new != old
            });
            if differs {
                self.load.forget();
            }
        }
        self.passed(&mut head, body)
    }

    /// A response that is the client's alone.
    fn passed(&self, head: &mut response::Parts, body: ViewBody) -> Response<ViewBody> {
        add_vary(&self.load.view, &mut head.headers);
        self.land(Landing::Alone);
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.version_mut() = head.version;
        *response.headers_mut() = std::mem::take(&mut head.headers);
        *response.extensions_mut() = std::mem::take(&mut head.extensions);
        let said = Report {
            status: Some(head.status),
            ..Report::forwarded(self.why)
        };
        report(&self.load.view, &mut response, &said);
        response
    }

    /// A whole response: into the cache where it may be, and to the client.
    fn filled(
        self,
        response: Response<ViewBody>,
        replaced: bool,
        timing: &Timing,
    ) -> Response<ViewBody> {
        let (mut head, body) = response.into_parts();
        let policy = &self.load.view.policy;
        let asked = &self.load.asked.headers;
        let judged = storing::judge(policy, asked, head.status, &head.headers, timing);
        let too_long = body.size_hint().lower() > policy.body_limit as u64;
        let storable = match judged {
            Ok(storable) if !too_long => storable,
            _ => {
                self.load.counters.kept(self.load.named(), false);
                if !is_told_apart(asked) {
                    self.load.remember_alone();
                }
                return self.refused(head, body, replaced);
            }
        };
        add_vary(&self.load.view, &mut head.headers);
        let dated = head.headers.contains_key(LAST_MODIFIED);
        self.load.dress(&mut head, &storable, timing.wall);
        let ttl = i64::try_from(storable.freshness.lifetime / 1_000_000_000).unwrap_or(i64::MAX);
        let hint = body.size_hint();
        let announced = head.headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| digits(length.as_bytes()));
        let length = announced.or(hint.exact());
        let Leading {
            load,
            why,
            start,
            #[cfg(feature = "stores")]
            read,
            #[cfg(feature = "stores")]
            outbox,
            ..
        } = self;
        let flight = start.duty.as_ref().and_then(|duty| duty.flight.clone());
        let fill = {
            let (load, timing) = (Arc::clone(&load), *timing);
            let (status, headers, origin) = (head.status, head.headers.clone(), start.origin());
            let limit = load.view.policy.body_limit;
            // The flight stays on the table until the body is whole, or given up.
            let kept = Kept(start);
            let finish = move |whole| {
                let order = origin.began.order;
                let stored = load.complete(status, headers, whole, storable, order, &timing)?;
                let inserted = load.insert(&stored, origin);
                #[cfg(feature = "stores")]
                if inserted != Inserted::Older {
                    outbox.put(Publish::new(&load, read, &stored));
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
        let whole = Arc::clone(&fill).advance();
        if let (None, Some(flight)) = (&whole, flight) {
            flight.land(Landing::Filling(Arc::downgrade(&fill)));
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
                let body = ViewBody::fill(Reader::new(Arc::clone(&fill), hint));
                Response::from_parts(head, body)
            }
        };
        report(&load.view, &mut response, &said);
        response
    }

    /// A response that is not stored; the client's conditions were kept from the handler, so they are
    /// judged here.
    fn refused(
        self,
        mut head: response::Parts,
        body: ViewBody,
        replaced: bool,
    ) -> Response<ViewBody> {
        let whole = replaced && head.status == StatusCode::OK;
        let body = match whole && not_modified(&self.load.asked.headers, &mut head) {
            true => ViewBody::empty(),
            false => body,
        };
        self.passed(&mut head, body)
    }
}

/// Whether the request asks for something of its own, which says nothing of what others are given.
fn is_told_apart(request: &HeaderMap) -> bool {
    request.contains_key(RANGE) || Control::of(request).no_store
}

/// What a fill keeps until its end: the flight, and the count of the load.
struct Kept(Start);

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
        }
    }
    answer
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

/// Where a stale response may stand in (RFC 5861, section 4).
fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// Runs a future to its end, or to its panic.
async fn caught<F: Future>(
    span: &trace::Load,
    future: F,
) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _inside = span.enter();
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}
