//! The part of a request's life in which the handler runs.

use std::future::Future;
use std::sync::Arc;

use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, Method, Response, Uri, request};

use super::body::ViewBody;
use super::conditional::{Conditions, judged};
use super::lead::{self, Leading};
use super::load::{self, Load};
use super::look::{Usable, report};
use super::pass::add_vary;
use super::status::{Forwarded, Report};
use super::stored::Stored;
use super::storing::has_credentials;
use super::unstored::guard;
use super::url;
use super::view::View;
use super::wait::{self, Turn};
use crate::cache::invalidate::{Invalidated, Invalidation};
use crate::engine::Engine;

/// What a request says, as far as the cache needs it when the handler has run.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    pub(crate) fn new(request: &request::Parts) -> Self {
        Asked {
            method: request.method.clone(),
            uri: url::of(request).clone(),
            headers: request.headers.clone(),
        }
    }
}

/// What a request that is not the cache's business may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pass,
    /// It may change what is cached.
    Unsafe,
}

/// A request that the handler has to see, or should.
pub struct Job(Work);

enum Work {
    Pass {
        view: Arc<View>,
        engine: Arc<Engine>,
        asked: Asked,
        kind: Kind,
        why: Forwarded,
    },
    Load {
        load: Arc<Load>,
        why: Forwarded,
        old: Option<(Arc<Stored>, Usable)>,
        /// Nobody else's load will do, or nobody else can use what comes of this one.
        alone: bool,
    },
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Work::Pass { .. } => "Job::Pass",
            Work::Load { .. } => "Job::Load",
        })
    }
}

impl Job {
    pub(crate) fn pass(
        view: &Arc<View>,
        engine: &Arc<Engine>,
        asked: Asked,
        kind: Kind,
        why: Forwarded,
    ) -> Self {
        Job(Work::Pass {
            view: Arc::clone(view),
            engine: Arc::clone(engine),
            asked,
            kind,
            why,
        })
    }

    pub(crate) fn load(
        load: Load,
        why: Forwarded,
        old: Option<(Arc<Stored>, Usable)>,
        alone: bool,
    ) -> Self {
        Job(Work::Load {
            load: Arc::new(load),
            why,
            old,
            alone,
        })
    }

    /// Answers the request; `run` runs the handler under the conditions that it is given.
    ///
    /// # Errors
    /// What `run` failed with, where nothing that is stored can stand in.
    pub async fn run<F, Fut, E>(self, run: F) -> Result<Response<ViewBody>, E>
    where
        F: FnOnce(Conditions) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Response<ViewBody>, E>> + Send + 'static,
        E: Send + 'static,
    {
        match self.0 {
            Work::Pass {
                view,
                engine,
                asked,
                kind,
                why,
            } => {
                let changes = (kind == Kind::Unsafe).then(|| Changes::new(&engine, &view, &asked));
                let mut response = run(Conditions::own()).await?;
                if let Some(changes) = changes.and_then(|it| it.done(&asked, &response)) {
                    // What the store did not confirm is kept, counted, and tried again.
                    let _ = changes.await;
                }
                let status = response.status();
                let reads = matches!(asked.method, Method::GET | Method::HEAD);
                if reads && view.is_handler() {
                    response = judged(response, &asked.headers, ViewBody::none);
                }
                let forwarded = Report {
                    status: Some(status),
                    ..Report::forwarded(why)
                };
                if kind == Kind::Pass {
                    add_vary(&view, response.headers_mut());
                    guard(&view.policy, &asked.headers, response.headers_mut());
                }
                report(&view, &mut response, &forwarded);
                Ok(response)
            }
            Work::Load {
                load,
                why,
                old,
                alone,
            } => run_load(load, why, old, alone, run).await,
        }
    }
}

async fn run_load<F, Fut, E>(
    mut load: Arc<Load>,
    why: Forwarded,
    old: Option<(Arc<Stored>, Usable)>,
    alone: bool,
    run: F,
) -> Result<Response<ViewBody>, E>
where
    F: FnOnce(Conditions) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Response<ViewBody>, E>> + Send + 'static,
    E: Send + 'static,
{
    if let Some((stored, _)) = old.as_ref().filter(|(_, usable)| usable.meanwhile) {
        let response = load.answer_stale(stored);
        load::widen(&mut load);
        if let Some(start) = wait::lead(&load) {
            lead::refresh(Leading::new(load, why, old, start), run).await;
        }
        return Ok(response);
    }
    let other = alone || load.asked.method == Method::HEAD;
    let alone = other
        || !load.view.policy.single_flight
        || load.is_alone()
        // What another makes of it must be asked after by this request as well.
        || old.as_ref().is_some_and(|(stored, _)| stored.is_never_fresh())
        || has_credentials(&load.view.policy, &load.asked.headers);
    let start = if alone {
        load.begin()
    } else {
        match wait::turn(&load, old.as_ref()).await {
            Turn::Lead(start) => start,
            #[cfg(feature = "stores")]
            Turn::Stale(stored) => {
                load.counters.fallbacks.one();
                return Ok(load.answer_stale(&stored));
            }
            Turn::Failed(stored, how) => return Ok(load.stand_in(&stored, why, how, true)),
            Turn::Collapsed(stored) => match collapsed(&load, why, &stored) {
                Some(response) => return Ok(response),
                None => load.begin(),
            },
        }
    };
    lead::lead(Leading::new(load, why, old, start), run).await
}

/// The response to a request that waited for another's, if that is one for it.
fn collapsed(load: &Load, why: Forwarded, stored: &Arc<Stored>) -> Option<Response<ViewBody>> {
    let now = load.engine.clock.now();
    let headers = &load.asked.headers;
    if !load.is_fresh(stored, now) || !stored.selecting.matches(headers) {
        return None;
    }
    let mut response = stored.answer(&load.asked.method, headers, now);
    let said = Report {
        ttl: Some(stored.ttl(now)),
        collapsed: true,
        ..Report::forwarded(why)
    };
    report(&load.view, &mut response, &said);
    Some(response)
}

/// What waits for the end of a request that may change what is cached.
///
/// Where it fails without an answer, or nobody waits for that any more, nobody knows how far it
/// came: what it may have changed is invalidated.
struct Changes {
    engine: Arc<Engine>,
    view: Arc<View>,
    /// None for any.
    hosts: Vec<Option<String>>,
    uri: Uri,
    done: bool,
}

impl Changes {
    fn new(engine: &Arc<Engine>, view: &Arc<View>, asked: &Asked) -> Self {
        Changes {
            engine: Arc::clone(engine),
            view: Arc::clone(view),
            hosts: url::changed_on(&asked.uri, &asked.headers),
            uri: asked.uri.clone(),
            done: false,
        }
    }

    /// Invalidates after success (RFC 9111, section 4.4).
    fn done(mut self, asked: &Asked, response: &Response<ViewBody>) -> Option<Invalidated> {
        self.done = true;
        let status = response.status();
        if !status.is_success() && !status.is_redirection() {
            return None;
        }
        let mut urls = self.own();
        let host = self.hosts.iter().flatten().next();
        let host = host.map_or("", String::as_str);
        for field in [LOCATION, CONTENT_LOCATION] {
            let value = response.headers().get(field);
            if let Some(found) = value.and_then(|it| url::resolve(host, &asked.uri, it.as_bytes()))
            {
                urls.extend(self.names(found.path(), found.query()));
            }
        }
        Some(self.invalidate(&urls))
    }

    /// What is stored for the URL itself.
    fn own(&self) -> Vec<String> {
        self.names(self.uri.path(), self.uri.query())
    }

    /// A URL's names: with its query, and with what counts of that, where it is less.
    fn names(&self, path: &str, query: Option<&str>) -> Vec<String> {
        let counted = self.view.policy.query.apply(query);
        let counted = counted.as_deref();
        let less = (counted != query).then_some(counted);
        let mut all = Vec::new();
        for query in std::iter::once(query).chain(less) {
            for host in &self.hosts {
                all.extend(url::names(host.as_deref(), path, query));
            }
        }
        all
    }

    fn invalidate(&self, urls: &[String]) -> Invalidated {
        let what = || format!("url {}", self.uri.path());
        let invalidation = Invalidation::on(&self.engine, what, |order| {
            urls.iter().for_each(|url| order.url(url));
        });
        invalidation.run()
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if !self.done {
            drop(self.invalidate(&self.own()));
        }
    }
}
