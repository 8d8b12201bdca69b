//! What generated code calls.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use super::argument::{Arguments, Sources};
use super::asked::{Never, Snapshot};
use super::rules::Rules;
use super::source::Travels;
use crate::engine::at::Mode;
use crate::engine::site::{Marker, Site};
use crate::http::{
    Credentials, Labels, Look, Unstored, View, ViewBody, ViewPolicy, Way, add_vary, guard, judged,
    look, url_seen,
};
use crate::key::arg;

/// The description of an annotated handler: a `static` in generated code.
pub struct ViewSite {
    rules: fn(Rules) -> Rules,
    views: OnceLock<Views>,
}

/// One view for each way of taking credentials; their entries are the same.
struct Views {
    head: bool,
    of: [Arc<View>; 4],
}

/// How far the arguments say whose page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Everything the handler sees is in the URL or the state.
    Url,
    /// Everything it sees is in the key.
    Keyed,
    /// The same, and the request says who asks.
    Personal,
    /// It sees something that the key leaves out.
    Unknown,
}

impl Trust {
    fn of(sources: Sources, request: &HeaderMap) -> Self {
        match (sources.skipped, sources.keyed) {
            (true, _) => Trust::Unknown,
            (false, false) => Trust::Url,
            (false, true)
                if request.contains_key(COOKIE) || request.contains_key(AUTHORIZATION) =>
            {
                Trust::Personal
            }
            (false, true) => Trust::Keyed,
        }
    }

    /// Cookies and authorization, where the options do not say.
    fn credentials(self) -> (Credentials, Credentials) {
        match self {
            // A handler that is not given cookies cannot look at them; what is behind an
            // `Authorization` stays private, as RFC 9111 has it.
            Trust::Url => (Credentials::Ignored, Credentials::Private),
            // What the handler made of them is in the key.
            Trust::Keyed | Trust::Personal => (Credentials::Ignored, Credentials::Ignored),
            Trust::Unknown => (Credentials::Private, Credentials::Private),
        }
    }

    /// Whose a page is that is not stored.
    fn unstored(self) -> Unstored {
        match self {
            Trust::Url => Unstored::Shared,
            Trust::Keyed | Trust::Personal => Unstored::Personal,
            Trust::Unknown => Unstored::Doubtful,
        }
    }
}

impl ViewSite {
    /// A handler with these options.
    pub const fn new(rules: fn(Rules) -> Rules) -> Self {
        ViewSite {
            rules,
            views: OnceLock::new(),
        }
    }

    fn views(&'static self, site: &'static Site) -> &'static Views {
        self.views.get_or_init(|| {
            let rules = (self.rules)(Rules::new());
            let all = [Trust::Url, Trust::Keyed, Trust::Personal, Trust::Unknown];
            Views {
                head: rules.head,
                of: all.map(|trust| Arc::new(View::of(site, policy(&rules, trust)))),
            }
        })
    }
}

fn policy(rules: &Rules, trust: Trust) -> ViewPolicy {
    let (cookies, authorization) = trust.credentials();
    let policy = rules.policy.clone();
    let policy = policy
        .cookies(rules.cookies.unwrap_or(cookies))
        .authorization(rules.authorization.unwrap_or(authorization))
        .unstored(trust.unstored());
    match trust {
        // Caches between here and the client know the URL only.
        Trust::Keyed | Trust::Personal if !rules.told => {
            policy.cache_control(HeaderValue::from_static("private, no-cache"))
        }
        // Nor what an argument was made of, unless `vary` says so.
        Trust::Keyed if policy.vary.is_empty() => policy.never_public(),
        Trust::Personal | Trust::Unknown => policy.never_public(),
        Trust::Url | Trust::Keyed => policy,
    }
}

/// The same for a handler whose pages are meant to reach other processes.
pub fn shared_view<A: Arguments + Travels>(
    asked: Option<Snapshot>,
    site: &'static Site,
    page: &'static ViewSite,
    marked: &impl Sized,
    mode: Mode,
    arguments: A,
    plan: impl FnOnce(&mut Labels),
) -> ViewAt {
    view(asked, site, page, marked, mode, arguments, plan)
}

/// Where a request stands after looking into the cache.
#[must_use]
pub struct ViewAt(Place);

enum Place {
    /// A call that is no request: a test's.
    Direct,
    /// There is no cache to look into.
    Uncached(Arc<View>, Parts),
    Looked(Look),
}

/// Looks a request up.
///
/// `marked` is a value whose type tells the instantiations of a generic handler apart.
pub fn view<A: Arguments>(
    asked: Option<Snapshot>,
    site: &'static Site,
    view: &'static ViewSite,
    marked: &impl Sized,
    mode: Mode,
    arguments: A,
    plan: impl FnOnce(&mut Labels),
) -> ViewAt {
    let Some(asked) = asked else {
        return ViewAt(Place::Direct);
    };
    let views = view.views(site);
    let Snapshot { parts, seen, since } = asked;
    let view = &views.of[Trust::of(A::SOURCES, &parts.headers) as usize];
    let cache = match site.resolve() {
        Ok(cache) => cache,
        Err(error) => {
            crate::trace::refused(&error);
            return ViewAt(Place::Uncached(Arc::clone(view), parts));
        }
    };
    let mode = match mode {
        Mode::Read if parts.method == Method::HEAD && !views.head => Mode::Bypass,
        mode => mode,
    };
    // What a router has taken off the path, or a middleware has put in its place, may have chosen
    // the handler's arguments.
    let seen = seen.map(|uri| url_seen(&uri, &view.policy.query));
    let extra = (arg(&seen).part(), arguments);
    let default = cache.engine().default_timeout;
    let labels = |labels: &mut Labels| {
        labels.since = Some(since);
        if view.policy.timeout.is_none() {
            labels.timeout = Some(default);
        }
        plan(labels);
    };
    let way = Way {
        mode,
        marker: Marker::of(marked),
        travels: A::SOURCES.travel(),
        early: A::SOURCES.stated || A::SOURCES.keyed,
    };
    ViewAt(Place::Looked(look(
        way, view, &cache, &parts, extra, labels,
    )))
}

impl ViewAt {
    /// Answers the request; the handler's body runs where it has to.
    pub async fn run<F>(self, body: F, respond: fn(F::Output) -> Response) -> Response
    where
        F: Future + Send + 'static,
    {
        let job = match self.0 {
            Place::Direct => return respond(body.await),
            Place::Uncached(view, request) => {
                let mut response = respond(body.await);
                add_vary(&view, response.headers_mut());
                guard(&view.policy, &request.headers, response.headers_mut());
                return match request.method {
                    Method::GET | Method::HEAD => judged(response, &request.headers, none),
                    _ => response,
                };
            }
            Place::Looked(Look::Answer(response)) => return response.map(Body::new),
            Place::Looked(Look::Run(job)) => job,
        };
        let answered = job.run(move |_| async move {
            let response = respond(body.await);
            Ok::<_, Never>(response.map(ViewBody::new))
        });
        match answered.await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

fn none() -> Body {
    Body::new(ViewBody::none())
}

/// What a handler returns, as a response.
pub fn respond<R: IntoResponse>(result: R) -> Response {
    result.into_response()
}
