//! What one request asked of the caches, for development.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::watch::{EventKind, Report};

/// Makes a [`Report`] for each request, for what is behind it.
///
/// A handler finds it among the request's extensions (`Extension<Report>` in axum); the response
/// says in `Server-Timing`, which browsers show beside the request, how many reads were hits, stale
/// or misses and how long its loads took. Meant for development: hits are noted one by one from then
/// on, and the header tells everybody what was cached.
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

/// Such as `cache;desc="3 hits, 0 stale, 1 miss", cache-load;dur=12.3`.
fn timing(report: &Report) -> String {
    let (mut hits, mut stale, mut misses, mut millis) = (0, 0, 0, 0.0);
    for event in report.events() {
        match event.kind {
            EventKind::Hit => hits += 1,
            EventKind::Stale => stale += 1,
            EventKind::Miss(_) => misses += 1,
            EventKind::Loaded { time, .. } => millis += time.as_secs_f64() * 1e3,
            _ => {}
        }
    }
    format!(
        "cache;desc=\"{hits} hits, {stale} stale, {misses} misses\", cache-load;dur={millis:.3}"
    )
}
