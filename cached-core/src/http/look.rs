//! From a request to a stored response: the read.

use std::any::TypeId;
use std::marker::PhantomData;
use std::sync::Arc;

use http::header::{CONTENT_LENGTH, IF_RANGE, RANGE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, request};

use super::body::ViewBody;
use super::conditional;
use super::control::Control;
use super::freshness::nanos;
use super::job::{Asked, Job, Kind};
#[cfg(feature = "stores")]
use super::load::Early;
use super::load::Load;
use super::status::{Forwarded, Report};
use super::stored::{Stored, Variants};
use super::storing::{has_credentials, selecting};
use super::url::{self, Target, UrlNames};
use super::view::{Key, Labels, Spot, View, own_scope};
use crate::cache::Cache;
use crate::clock::Nanos;
use crate::engine::Engine;
use crate::engine::at::Mode;
use crate::engine::site::Marker;
use crate::key::{self, Parts};
use crate::memory::{Entry, Query, Slot};
use crate::scope::ticks::Verdict;
use crate::stats::Counters;
use crate::watch::{EvictionReason, MissReason};

/// Where a request stands after looking into the cache.
#[must_use]
#[derive(Debug)]
pub enum Look {
    /// Answered.
    Answer(Response<ViewBody>),
    /// The handler has to run, or should.
    Run(Job),
}

/// What was found for a request.
enum Found {
    Answer(Response<ViewBody>),
    /// Stale, or to be validated.
    Old {
        stored: Arc<Stored>,
        usable: Usable,
    },
    /// Other variants of the URL, or one that is not for this client.
    Other(Forwarded),
    /// The same, and what tells the variants apart.
    Varies(Vec<HeaderName>),
    /// Nothing, or nothing that may be served any more.
    Absent,
}

/// What a response that is not simply served is good for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usable {
    /// Served while it is loaded afresh.
    pub(crate) meanwhile: bool,
    /// Served where a fresh one cannot be had.
    pub(crate) on_error: bool,
    /// Served without a load: the last one failed a moment ago.
    pub(crate) throttled: bool,
}

/// How a request is looked up.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) mode: Mode,
    /// Tells the instantiations of a generic handler apart.
    pub(crate) marker: Marker,
    /// Other processes can be given what comes of it: the key says all that it was made of.
    #[cfg_attr(not(feature = "stores"), expect(dead_code, reason = "nothing travels"))]
    pub(crate) travels: bool,
    /// The handler works with what extractors may have read before this.
    #[cfg_attr(not(feature = "stores"), expect(dead_code, reason = "nothing travels"))]
    pub(crate) early: bool,
}

/// Looks a request up.
///
/// `extra` holds what tells responses apart beside the URL, and `labels` says its prefix and tags on
/// a miss.
pub(crate) fn look<P: Parts>(
    way: Way,
    view: &Arc<View>,
    cache: &Cache,
    request: &request::Parts,
    extra: P,
    labels: impl FnOnce(&mut Labels),
) -> Look {
    let Way { mode, marker, .. } = way;
    let engine = cache.engine();
    let pass = |kind, why| Look::Run(pass(view, engine, request, kind, why));
    let uri = url::of(request);
    if !request.method.is_safe() {
        return pass(Kind::Unsafe, Forwarded::Method);
    }
    if request.method != Method::GET && request.method != Method::HEAD {
        return pass(Kind::Pass, Forwarded::Method);
    }
    let (Some(origin), true) = (url::origin(uri, &request.headers), is_plain(request)) else {
        return pass(Kind::Pass, Forwarded::Bypass);
    };
    if engine.memory.is_none() || mode == Mode::Bypass {
        return pass(Kind::Pass, Forwarded::Bypass);
    }
    let policy = &view.policy;
    let query = policy.query.apply(uri.query());
    let target = Target {
        view: view.id,
        origin: if policy.host { &origin } else { "" },
        path: uri.path(),
        query,
    };
    let parts = (target, extra);
    let hash = key::hash(marker.id, &parts);
    let found = match mode {
        Mode::Refresh => None,
        _ => find(view, engine, hash, marker.id, &parts, request),
    };
    // What is not there has no name yet, under which it could be told of.
    let (found, untold) = match (found, mode) {
        (Some(Found::Answer(response)), _) => return Look::Answer(response),
        (Some(found), _) => (found, None),
        (None, Mode::Refresh) => (
            Found::Other(Forwarded::Request),
            Some(MissReason::Refreshed),
        ),
        (None, _) => (Found::Absent, Some(MissReason::Absent)),
    };
    let key = Key::new(hash, marker.id, &parts);
    let mut said = Labels::default();
    labels(&mut said);
    let view = &said.of(view);
    // What the key holds of the query, and what else the client has sent.
    let counted = parts.0.query.as_deref();
    let host = match policy.host {
        true => url::host(&origin),
        false => url::ALL_HOSTS,
    };
    let urls = UrlNames::of(host, uri.path(), counted);
    let sent = (uri.query() != counted).then(|| UrlNames::of(host, uri.path(), uri.query()));
    let url_scopes = [Some(&urls), sent.as_ref()].into_iter().flatten();
    let url_scopes = url_scopes.flat_map(UrlNames::scopes);
    let scopes = said.scopes(view, own_scope(key.any()), url_scopes);
    #[cfg(feature = "stores")]
    let names = (way.travels && !view.policy.local).then(|| {
        super::shared::names(engine, view, &said, &urls, |out| {
            out.part(|out| out.bytes(marker.name.as_bytes()));
            parts.stable(out);
        })
    });
    #[cfg(feature = "stores")]
    let scopes = scopes.and(super::shared::scope(view));
    let asked = Asked::new(request);
    let only_if_cached = directives(view, &asked.headers).is_some_and(|it| it.only_if_cached);
    let counters = view.counters(engine);
    if let Some(memory) = &engine.memory {
        memory.missed_page(hash);
    }
    let varies = match &found {
        Found::Old { stored, .. } => stored.selecting.names(),
        Found::Varies(names) => names.clone(),
        _ => selecting(&view.policy),
    };
    let load = Load {
        view: Arc::clone(view),
        engine: Arc::clone(engine),
        spot: Arc::new(key),
        scopes,
        counters,
        asked,
        since: said.since,
        #[cfg(feature = "stores")]
        early: Early::new(engine, way.early),
        anew: mode == Mode::Refresh,
        only_if_cached,
        varies,
        #[cfg(feature = "stores")]
        names: names.flatten(),
    };
    if let Some(why) = untold {
        load.counters.missed(load.named(), why);
    }
    missed(load, found, mode)
}

/// Whether a request is one whose response a cache can tell apart by its key.
fn is_plain(request: &request::Parts) -> bool {
    let headers = &request.headers;
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get_all(CONTENT_LENGTH)
            .iter()
            .any(|length| length.as_bytes() != b"0");
    url::fits(url::of(request))
        && !has_body
        && !headers.contains_key(UPGRADE)
        && !conditional::is_for_handler(headers)
}

fn pass(
    view: &Arc<View>,
    engine: &Arc<Engine>,
    request: &request::Parts,
    kind: Kind,
    why: Forwarded,
) -> Job {
    if why == Forwarded::Bypass {
        view.counters(engine).missed(None, MissReason::Bypassed);
    }
    Job::pass(view, engine, Asked::new(request), kind, why)
}

/// What is there for a request, told of; none where nothing is.
fn find<P: Parts>(
    view: &View,
    engine: &Engine,
    hash: u64,
    marker: TypeId,
    parts: &(Target<'_>, P),
    request: &request::Parts,
) -> Option<Found> {
    let query = Query {
        hash,
        marker,
        parts,
        value: PhantomData,
    };
    let found = engine
        .memory
        .as_ref()?
        .look(&query, |slot, entry: &Entry<_, Variants>| {
            let meta = &entry.meta;
            if engine.verdict(meta, &entry.key) == Verdict::Invalid {
                return Err(slot.clone());
            }
            Ok(choose(
                view,
                engine,
                &meta.counters,
                slot,
                &entry.value,
                request,
            ))
        });
    Some(found?.unwrap_or_else(|slot| {
        (view.counters(engine)).missed(slot.named(), MissReason::Invalidated);
        engine.discard(&slot, EvictionReason::Invalidated);
        Found::Absent
    }))
}

fn choose(
    view: &View,
    engine: &Engine,
    counters: &Counters,
    slot: &Slot,
    variants: &Variants,
    request: &request::Parts,
) -> Found {
    let Some(stored) = variants.select(&request.headers) else {
        counters.missed(slot.named(), MissReason::Absent);
        return Found::Varies(variants.names());
    };
    if has_credentials(&view.policy, &request.headers) && !stored.freshness.shared {
        // For this client there is nothing; it is loaded, which a call past the cache is not.
        counters.missed(slot.named(), MissReason::Absent);
        return Found::Other(Forwarded::Bypass);
    }
    let now = engine.clock.now();
    let soft = match standing(slot, variants, now) {
        Standing::Valid => None,
        Standing::Soft(past) => Some(past),
        Standing::Unknown => {
            counters.missed(slot.named(), MissReason::Expired);
            return Found::Absent;
        }
    };
    match judge(view, stored, now, soft, &request.headers) {
        Judged::Fresh => {
            variants.served(stored, now);
            engine.hit(slot.meta(), slot.key().hash(), counters);
            let mut response = stored.answer(&request.method, &request.headers, now);
            report(view, &mut response, &Report::hit(stored.ttl(now)));
            Found::Answer(response)
        }
        Judged::Stale(usable) if usable.throttled => {
            variants.served(stored, now);
            counters.served_stale(slot.named());
            let mut response = stored.answer(&request.method, &request.headers, now);
            report(view, &mut response, &Report::hit(stored.ttl(now)));
            Found::Answer(response)
        }
        Judged::Stale(mut usable) => {
            usable.meanwhile &= can_refresh(view, &request.method, &request.headers);
            variants.served(stored, now);
            if usable.meanwhile {
                counters.served_stale(slot.named());
            } else {
                counters.missed(slot.named(), MissReason::Expired);
            }
            Found::Old {
                stored: Arc::clone(stored),
                usable,
            }
        }
    }
}

/// What the times of an entry say, beside those of each variant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is for the variants to say.
    Valid,
    /// So long ago an invalidation has let what is there be served stale only.
    Soft(Nanos),
    /// Memory cannot vouch for it any longer, as others may have invalidated it.
    #[cfg_attr(
        not(feature = "stores"),
        expect(dead_code, reason = "there are no others")
    )]
    Unknown,
}

pub(crate) fn standing(slot: &Slot, variants: &Variants, now: Nanos) -> Standing {
    let times = slot.meta().times();
    if times.fresh_until(now) {
        return Standing::Valid;
    }
    #[cfg(feature = "stores")]
    if now >= times.vouched() {
        return Standing::Unknown;
    }
    match times.past(now) {
        Some(past) if now < variants.until() => Standing::Soft(past),
        _ => Standing::Valid,
    }
}

pub(crate) enum Judged {
    Fresh,
    Stale(Usable),
}

/// What a stored response is good for, for a request that says this; `soft` says how long ago an
/// invalidation has let it be served stale only.
pub(crate) fn judge(
    view: &View,
    stored: &Stored,
    now: Nanos,
    soft: Option<Nanos>,
    request: &HeaderMap,
) -> Judged {
    let freshness = &stored.freshness;
    let asked = directives(view, request);
    let wanted = asked.is_none_or(|asked| accepts(&asked, stored, now));
    // From whichever was first.
    let stale = stored.staleness(now).max(soft);
    let past = match stale {
        None if !freshness.validate && wanted => return Judged::Fresh,
        None => 0,
        Some(past) => past,
    };
    // The client takes a stale one, and the response allows it (RFC 9111, section 5.2.1.2).
    let taken = asked.and_then(|asked| asked.max_stale);
    if freshness.may_be_stale
        && soft.is_none()
        && wanted
        && taken.is_some_and(|most| past <= nanos(most))
    {
        return Judged::Fresh;
    }
    let if_error = asked.and_then(|asked| asked.stale_if_error).map(nanos);
    let if_error = freshness.if_error.max(if_error.unwrap_or(0));
    let meanwhile = wanted && freshness.may_be_stale && past < freshness.while_revalidate;
    let on_error = freshness.may_be_stale && past < if_error;
    Judged::Stale(Usable {
        meanwhile,
        on_error,
        throttled: wanted && (meanwhile || on_error) && stored.retry.is_put_off(now),
    })
}

/// Whether the handler can be asked, by this request, for what the next ones are given. What answers a
/// HEAD may be no page, and the arguments of an annotated handler are made for one client.
pub(super) fn can_refresh(view: &View, method: &Method, request: &HeaderMap) -> bool {
    method == Method::GET && !(view.is_handler() && Control::of(request).no_store)
}

/// What the client asks of the cache, where it may.
pub(crate) fn directives(view: &View, request: &HeaderMap) -> Option<Control> {
    if !view.policy.obey_requests {
        return None;
    }
    let mut control = Control::of(request);
    if !control.present {
        // RFC 9111, section 5.4.
        let pragma = super::list::members(request, http::header::PRAGMA);
        control.no_cache = pragma
            .into_iter()
            .any(|it| it.eq_ignore_ascii_case(b"no-cache"));
    }
    Some(control)
}

/// Whether a client that says this takes a response of this age (RFC 9111, section 5.2.1).
pub(super) fn accepts(asked: &Control, stored: &Stored, now: Nanos) -> bool {
    let age = stored.age(now);
    let left = stored.freshness.lifetime.saturating_sub(age);
    !asked.no_cache
        && asked
            .max_age
            .is_none_or(|most| most > 0 && age <= nanos(most))
        && asked.min_fresh.is_none_or(|least| left >= nanos(least))
}

fn missed(load: Load, found: Found, mode: Mode) -> Look {
    let now = load.engine.clock.now();
    let (why, old) = match found {
        Found::Answer(response) => return Look::Answer(response),
        Found::Old { stored, usable } => {
            let why = match stored.staleness(now) {
                Some(_) => Forwarded::Stale,
                None if stored.freshness.validate => Forwarded::Stale,
                None => Forwarded::Request,
            };
            (why, Some((stored, usable)))
        }
        Found::Other(why) => (why, None),
        Found::Varies(_) => (Forwarded::VaryMiss, None),
        Found::Absent => (Forwarded::UriMiss, None),
    };
    // A load that began before is not what a refresh is to bring, and one that others wait for must
    // not end without having asked the handler.
    let meanwhile = old.as_ref().is_some_and(|(_, usable)| usable.meanwhile);
    let alone = mode == Mode::Refresh
        || (load.only_if_cached && !meanwhile)
        || Control::of(&load.asked.headers).no_store
        || load.asked.headers.contains_key(RANGE)
        || load.asked.headers.contains_key(IF_RANGE);
    Look::Run(Job::load(load, why, old, alone))
}

/// RFC 9111, section 5.2.1.7.
pub(crate) fn unavailable(view: &View) -> Response<ViewBody> {
    let mut response = Response::new(ViewBody::empty());
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    report(view, &mut response, &Report::default());
    response
}

/// Adds what this cache did to `Cache-Status`.
pub(crate) fn report(view: &View, response: &mut Response<ViewBody>, report: &Report) {
    if let Some(name) = &view.policy.name {
        report.append(name, response.headers_mut());
    }
}
