//! What one request asked of the caches, for development.

use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::watch::{Event, EventKind, Report};

/// Makes a [`Report`] for each request, for what is behind it.
///
/// A handler finds it among the request's extensions (in axum [`Report`] is an extractor); the
/// response says in `Server-Timing`, which browsers show beside the request, how many reads were
/// hits, stale or misses and how long its loads took, and of the first twenty calls which function
/// and key it was, how it went, and how long its load took. Meant for development: hits are noted
/// one by one from then on, and the header tells everybody what was cached.
///
/// ```
/// use dewar::http::ReportLayer;
///
/// let layer = ReportLayer::new();
/// ```
#[derive(Clone, Debug)]
pub struct ReportLayer {
    timing: bool,
}

impl ReportLayer {
    /// With `Server-Timing`.
    pub fn new() -> Self {
        ReportLayer { timing: true }
    }

    /// Without it: the report is for handlers and layers inside.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.timing = false;
        self
    }
}

impl Default for ReportLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ReportLayer {
    type Service = ReportService<S>;

    fn layer(&self, inner: S) -> ReportService<S> {
        let timing = self.timing;
        ReportService { inner, timing }
    }
}

/// The service that [`ReportLayer`] makes.
#[derive(Clone, Debug)]
pub struct ReportService<S> {
    inner: S,
    timing: bool,
}

impl<S, B, C> Service<Request<B>> for ReportService<S>
where
    S: Service<Request<B>, Response = Response<C>>,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = ReportFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let report = Report::new();
        request.extensions_mut().insert(report.clone());
        let inner = &mut self.inner;
        let answer = report.run(|| inner.call(request));
        ReportFuture {
            answer,
            report,
            timing: self.timing,
        }
    }
}

pin_project! {
    /// The answer of a [`ReportService`].
    #[derive(Debug)]
    pub struct ReportFuture<F> {
        #[pin]
        answer: F,
        report: Report,
        timing: bool,
    }
}

impl<F, C, E> Future for ReportFuture<F>
where
    F: Future<Output = Result<Response<C>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut response = ready!(this.report.run(|| this.answer.poll(cx)))?;
        if *this.timing
            && let Ok(timing) = HeaderValue::try_from(timing(this.report))
        {
            let name = HeaderName::from_static("server-timing");
            response.headers_mut().append(name, timing);
        }
        Poll::Ready(Ok(response))
    }
}

/// How many calls `Server-Timing` names, and how much it says of each: proxies bound headers.
const NAMED: usize = 20;
const LONGEST: usize = 120;

/// Calls of one function with one key that went the same way.
struct Call {
    event: Event,
    times: u32,
    /// How long the load took, where there was one.
    millis: Option<f64>,
}

/// Such as `cache;desc="3 hits, 0 stale, 1 misses", cache-load;dur=12.300,
/// cache-1;desc="miss (absent) shop::price price:1:00f3…";dur=12.300`.
fn timing(report: &Report) -> String {
    let (mut hits, mut stale, mut misses, mut millis) = (0, 0, 0, 0.0);
    let mut calls: Vec<Call> = Vec::new();
    for event in report.events() {
        match event.kind {
            EventKind::Hit => hits += 1,
            EventKind::Stale => stale += 1,
            EventKind::Miss(_) => misses += 1,
            EventKind::Loaded { time, .. } => {
                let time = time.as_secs_f64() * 1e3;
                millis += time;
                let of = |call: &&mut Call| is_same(&call.event, &event);
                if let Some(call) = calls.iter_mut().rev().find(of) {
                    *call.millis.get_or_insert(0.0) += time;
                }
                continue;
            }
            _ => continue,
        }
        note(&mut calls, event);
    }
    let mut text = format!(
        "cache;desc=\"{hits} hits, {stale} stale, {misses} misses\", cache-load;dur={millis:.3}"
    );
    for (n, call) in calls.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(text, ", cache-{};desc=\"{}\"", n + 1, quoted(call));
        if let Some(millis) = call.millis {
            let _ = write!(text, ";dur={millis:.3}");
        }
    }
    text
}

fn note(calls: &mut Vec<Call>, event: Event) {
    let alike = |call: &&mut Call| is_same(&call.event, &event) && call.event.kind == event.kind;
    if let Some(call) = calls.iter_mut().find(alike) {
        call.times += 1;
    } else if calls.len() < NAMED {
        calls.push(Call {
            event,
            times: 1,
            millis: None,
        });
    }
}

/// Whether both are of one entry: by the number at the end of its key, as the prefix of a page is
/// not known before it is loaded.
fn is_same(one: &Event, other: &Event) -> bool {
    one.function == other.function && number(one) == number(other)
}

fn number(event: &Event) -> Option<&str> {
    event.key.as_deref()?.rsplit(':').next()
}

/// What is said of a call, as a quoted string may hold it.
fn quoted(call: &Call) -> String {
    let times = match call.times {
        1 => String::new(),
        times => format!("{times} x "),
    };
    let said = format!("{times}{}", call.event);
    let inert = |c: char| match c {
        '"' | '\\' => '\'',
        ' '..='~' => c,
        _ => '?',
    };
    said.chars().take(LONGEST).map(inert).collect()
}

/// What the request has asked of the caches so far; behind a [`ReportLayer`] alone.
#[cfg(feature = "axum")]
impl<S: Sync> axum_core::extract::FromRequestParts<S> for Report {
    type Rejection = (http::StatusCode, &'static str);

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _state: &S,
    ) -> Result<Self, Self::Rejection> {
        let missing = "no report: put a `ReportLayer` in front of this handler";
        let report = parts.extensions.get::<Report>().cloned();
        report.ok_or((http::StatusCode::INTERNAL_SERVER_ERROR, missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::MissReason;

    #[test]
    fn calls_that_went_alike_are_one_and_names_are_inert_and_bounded() {
        let told = |key: &str, kind| Event {
            cache: "default".into(),
            function: "a::b",
            key: Some(key.into()),
            kind,
        };
        let mut calls = Vec::new();
        for _ in 0..3 {
            note(&mut calls, told("k\"\\\u{e9}\r\n", EventKind::Hit));
        }
        assert_eq!(quoted(&calls[0]), "3 x hit a::b k''???");
        for n in 0..100 {
            let kind = EventKind::Miss(MissReason::Absent);
            note(&mut calls, told(&format!("{n}{}", "x".repeat(500)), kind));
        }
        assert_eq!(calls.len(), NAMED);
        assert!(calls.iter().all(|call| quoted(call).len() <= LONGEST));
    }
}
