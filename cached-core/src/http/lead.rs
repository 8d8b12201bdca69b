//! Running the handler, and what its response is taken for.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::{Method, Response, StatusCode};

use super::background::{Attached, in_background};
use super::body::ViewBody;
use super::conditional::Conditions;
use super::failed::{Failure, is_failure};
use super::freshness::Timing;
use super::landing::Landing;
#[cfg(feature = "stores")]
use super::load;
use super::load::{Load, Start};
use super::look::{Usable, report, unavailable};
#[cfg(feature = "stores")]
use super::shared::Asked;
use super::status::{Forwarded, Report};
use super::stored::Stored;
#[cfg(feature = "stores")]
use super::wait;
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
    let leading = Leading {
        own: true,
        ..leading
    };
    in_background(leading.run(run, true), engine).await;
}

/// One run of the handler.
pub(crate) struct Leading {
    pub(crate) load: Arc<Load>,
    pub(crate) why: Forwarded,
    /// What is stored already.
    pub(crate) old: Option<(Arc<Stored>, Usable)>,
    pub(crate) start: Start,
    /// Its client has an answer already: the cache asks for the next ones.
    pub(crate) own: bool,
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
            own: false,
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
        if let Some(response) = self.by_now().or_else(|| self.put_off(served)) {
            return Ok(response);
        }
        #[cfg(feature = "stores")]
        match self.ask_store(served).await {
            Asked::Answer(response) => return Ok(response),
            Asked::Meanwhile(response) => {
                if self.goes_on() {
                    let engine = Arc::clone(&self.load.engine);
                    in_background(self.handle(run), engine).await;
                } else {
                    self.load.counters.fetched.one();
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
            Err(panic) => match self.fallback(Failure::Panic) {
                Some(response) => Ok(response),
                None => {
                    self.failed(Failure::Panic, None);
                    resume_unwind(panic)
                }
            },
            Ok(Err(error)) => self.fallback(Failure::Error).ok_or_else(|| {
                self.failed(Failure::Error, None);
                error
            }),
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

    /// Has the handler run for the next ones, as its client has an answer; false where it does already.
    #[cfg(feature = "stores")]
    fn goes_on(&mut self) -> bool {
        self.own = true;
        if self.start.duty.is_none() {
            load::widen(&mut self.load);
            self.start.duty = wait::lead(&self.load).and_then(|start| start.duty);
        }
        self.start.duty.is_some()
    }

    /// What the handler is asked for: news of what is stored, or the whole.
    fn conditions(&self) -> Conditions {
        let stored = self
            .old
            .as_ref()
            .map(|(old, _)| Conditions::of(&old.headers));
        let conditions = match stored.filter(|conditions| !conditions.is_empty()) {
            Some(conditions) => conditions,
            // Where most responses are stored, a whole one serves the next client too.
            None if self.own || self.load.view.policy.timeout.is_some() => Conditions::default(),
            None => Conditions::own(),
        };
        conditions.widened(self.own)
    }

    fn count(&self, timing: &Timing, failed: bool) {
        let counters = &self.load.counters;
        let gone = timing.received.saturating_sub(timing.asked);
        counters.loaded(self.load.named(), gone, failed);
    }

    fn settle(
        self,
        response: Response<ViewBody>,
        replaced: bool,
        timing: &Timing,
    ) -> Response<ViewBody> {
        let status = response.status();
        if is_failure(status)
            && let Some(stale) = self.fallback(Failure::Status(status))
        {
            return stale;
        }
        if let (StatusCode::NOT_MODIFIED, true, Some((old, _))) = (status, replaced, &self.old) {
            let old = Arc::clone(old);
            return if Conditions::of(&old.headers).are_confirmed_by(response.headers()) {
                self.freshened(&old, response, timing)
            } else {
                self.contradicted(response)
            };
        }
        if self.load.asked.method == Method::HEAD {
            return self.headed(response, replaced);
        }
        self.filled(response, replaced, timing)
    }
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
