//! One URL to be loaded, and the way of what came of it into the memory tier.

use std::cell::Cell;
use std::sync::Arc;
#[cfg(feature = "stores")]
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, DATE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, response};

use super::body::ViewBody;
use super::conditional;
use super::control::digits;
use super::date::{self, Seconds};
use super::freshness::{self, Timing};
use super::job::Asked;
use super::landing::Duty;
use super::look::{Judged, Standing, judge, report, standing};
use super::policy::{Etag, never_public};
use super::status::Report;
use super::stored::{Retry, Stored, Used, Variants, detach, keep_places};
#[cfg(feature = "stores")]
use super::storing::has_credentials;
use super::storing::{self, Storable, strip};
use super::view::{Spot, View};
use crate::clock::{NEVER, Nanos};
#[cfg(feature = "stores")]
use crate::engine::Refreshing;
use crate::engine::{Began, Engine, Loading};
use crate::memory::{Meta, Slot};
use crate::policy::Policy;
use crate::scope::ticks::Verdict;
use crate::scope::{Scopes, Shared};
use crate::stats::Counters;
use crate::watch::Named;

/// Everything that a load of one URL needs.
pub(crate) struct Load {
    pub(crate) view: Arc<View>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) spot: Arc<dyn Spot>,
    pub(crate) scopes: Scopes,
    pub(crate) counters: Arc<Counters>,
    pub(crate) asked: Asked,
    /// The tick at which extractors began to read what the handler works with, where they came first.
    pub(crate) since: Option<u64>,
    #[cfg(feature = "stores")]
    pub(crate) early: Early,
    /// Whatever is stored, the handler is to run.
    pub(crate) anew: bool,
    /// The client wants nothing that the handler would have to make (RFC 9111, section 5.2.1.7).
    pub(crate) only_if_cached: bool,
    /// The fields that select, as far as that is known before the handler has answered.
    pub(crate) varies: Vec<HeaderName>,
    /// What the entry and its scopes are called on the shared store, if it is to go there.
    #[cfg(feature = "stores")]
    pub(crate) names: Option<crate::store::names::Names>,
}

/// What is known of what the handler works with, where extractors came first.
#[cfg(feature = "stores")]
pub(crate) struct Early {
    /// They had ended by then.
    at: Nanos,
    /// They may have read something.
    read: bool,
    /// Another's load was waited for since.
    waited: AtomicBool,
}

#[cfg(feature = "stores")]
impl Early {
    pub(crate) fn new(engine: &Engine, read: bool) -> Self {
        Early {
            at: engine.shared_now(),
            read,
            waited: AtomicBool::new(false),
        }
    }

    /// Whether what the store said when it was asked may be newer than what the handler works with;
    /// `valid` if nothing of it was invalidated here since extractors began.
    pub(crate) fn is_outdated(&self, valid: bool) -> bool {
        self.read && (!valid || self.waited.load(Ordering::Relaxed))
    }
}

/// A load that has begun: nothing invalidated since then will be stored.
pub(crate) struct Start {
    pub(crate) began: Began,
    /// Until when memory may vouch for what comes of it.
    vouched: Nanos,
    pub(crate) asked_at: u64,
    pub(crate) duty: Option<Duty>,
    /// A refresh ran when it began: what the shared store has is older than what comes of that.
    #[cfg(feature = "stores")]
    pub(crate) beside: bool,
    /// It is one itself, until the store has what came of it.
    #[cfg(feature = "stores")]
    pub(crate) refreshing: Option<Arc<Refreshing>>,
    _loading: Loading,
}

/// How many scopes the variants of one URL may have together.
const MOST_SCOPES: usize = 128;
/// What an entry is to know of the load that it comes from.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) began: Began,
    vouched: Nanos,
}

impl Start {
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            began: self.began,
            vouched: self.vouched,
        }
    }
}

/// What became of a variant that was to be put into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    Yes,
    /// And it counts as expired: there was a soft invalidation meanwhile.
    Expired,
    /// A newer one is there.
    Older,
    /// It was invalidated meanwhile, or memory was dropped. What it is worth to others, the store's
    /// versions say, unless extractors had read something before the store was asked for them.
    Void,
}

/// Takes out of a load that nobody has joined what its client wants for itself.
pub(super) fn widen(load: &mut Arc<Load>) {
    if let Some(load) = Arc::get_mut(load) {
        conditional::widen(&mut load.asked.headers);
    }
}

/// How often a variant is put beside others while they change.
const ATTEMPTS: usize = 64;

impl Load {
    /// Begins without anybody else.
    pub(crate) fn begin(&self) -> Start {
        // First the count, then the tick: a write that sees no load running comes before it.
        let hash = self.spot.any().hash();
        let loading = self.engine.loading(hash);
        #[cfg(feature = "stores")]
        let refreshing = (self.anew).then(|| Arc::new(self.engine.refreshing(hash)));
        let mut began = self.engine.begin();
        began.tick = self.since.map_or(began.tick, |since| since.min(began.tick));
        let now = self.engine.clock.now();
        #[cfg(feature = "stores")]
        if self.since.is_some() {
            began.at = began.at.min(self.early.at);
        }
        #[cfg(feature = "stores")]
        let vouched = self.vouched(began.at);
        #[cfg(not(feature = "stores"))]
        let vouched = NEVER;
        Start {
            began,
            vouched,
            asked_at: now,
            duty: None,
            // By now each refresh that is not seen has a later order.
            #[cfg(feature = "stores")]
            beside: !self.anew && self.engine.is_refreshed(hash),
            #[cfg(feature = "stores")]
            refreshing,
            _loading: loading,
        }
    }

    /// Another's load is waited for.
    pub(crate) fn waits(&self) {
        self.counters.waited(self.named());
        #[cfg(feature = "stores")]
        self.early.waited.store(true, Ordering::Relaxed);
    }

    /// Whether what came of it was of use to one client only, not long ago.
    pub(crate) fn is_alone(&self) -> bool {
        let now = self.engine.clock.now();
        self.view.alone.knows(self.spot.any().hash(), now)
    }

    /// From now on: what came of it, or is still to come, is of use to one client only.
    pub(crate) fn remember_alone(&self) {
        let now = self.engine.clock.now();
        self.view.alone.remember(self.spot.any().hash(), now);
    }

    /// Whether a response may be served as it is to the request that loads.
    pub(crate) fn is_fresh(&self, stored: &Stored, now: Nanos) -> bool {
        let judged = judge(&self.view, stored, now, None, &self.asked.headers);
        matches!(judged, Judged::Fresh)
    }

    /// Whether a response that the shared store has may be served to this request while it is loaded
    /// afresh.
    #[cfg(feature = "stores")]
    pub(crate) fn takes_stale(&self, stored: &Stored) -> bool {
        let headers = &self.asked.headers;
        if !stored.selecting.matches(headers)
            || (has_credentials(&self.view.policy, headers) && !stored.freshness.shared)
        {
            return false;
        }
        let now = self.engine.clock.now();
        let judged = judge(&self.view, stored, now, None, headers);
        matches!(judged, Judged::Stale(usable) if usable.meanwhile)
    }

    /// The moment at which an answer came.
    pub(crate) fn timing(&self, asked: u64) -> Timing {
        Timing {
            asked,
            received: self.engine.clock.now(),
            wall: self.engine.clock.wall_millis() / 1000,
        }
    }

    pub(crate) fn slot(&self) -> Option<Slot> {
        let memory = self.engine.memory.as_ref()?;
        let slot = memory.find(self.spot.any())?;
        (self.engine.verdict_of(&slot) != Verdict::Invalid).then_some(slot)
    }

    /// What is stored by now for this request.
    pub(crate) fn stored(&self) -> Option<Arc<Stored>> {
        let slot = self.slot()?;
        let variants: &Variants = slot.value().downcast_ref()?;
        if standing(&slot, variants, self.engine.clock.now()) != Standing::Valid {
            return None;
        }
        variants.select(&self.asked.headers).cloned()
    }

    /// A stored response past its freshness, as an answer.
    pub(crate) fn answer_stale(&self, stored: &Stored) -> Response<ViewBody> {
        self.answer(stored, Report::hit)
    }

    pub(super) fn answer(
        &self,
        stored: &Stored,
        said: impl FnOnce(i64) -> Report,
    ) -> Response<ViewBody> {
        let now = self.engine.clock.now();
        let mut response = stored.answer(&self.asked.method, &self.asked.headers, now);
        report(&self.view, &mut response, &said(stored.ttl(now)));
        response
    }

    /// A response that may be stored, once its body is whole; none if it is not what was announced.
    pub(crate) fn complete(
        &self,
        status: StatusCode,
        mut headers: HeaderMap,
        body: Bytes,
        storable: Storable,
        order: u64,
        timing: &Timing,
    ) -> Option<Arc<Stored>> {
        let announced = headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
        if announced.is_some_and(|length| digits(length) != Some(body.len() as u64)) {
            return None;
        }
        if let Some(kind) = self.view.policy.etag
            && self.is_tagged(status, &headers)
        {
            headers.insert(ETAG, etag(&body, kind));
        }
        let initial_age = freshness::initial_age(&headers, timing);
        strip(&self.view.policy, &mut headers);
        detach(&mut headers);
        keep_places(&self.view, &mut headers);
        let stored = Arc::new(Stored {
            status,
            made_stale: storable.freshness.lifetime <= initial_age,
            date: date_of(&headers, timing.wall),
            headers,
            body,
            selecting: storable.selecting,
            freshness: storable.freshness,
            initial_age,
            received: timing.received,
            order,
            used: Used::at(timing.received),
            retry: Retry::default(),
        });
        Some(stored)
    }

    /// The entry's name for people.
    pub(crate) fn named(&self) -> Named<'_> {
        Named {
            prefix: self.scopes.prefix(),
            hash: self.spot.any().hash(),
        }
    }

    /// Puts a variant beside the others of its URL, unless it was invalidated meanwhile or a newer
    /// one is there.
    pub(crate) fn insert(&self, stored: &Arc<Stored>, origin: Origin) -> Inserted {
        let inserted = (0..ATTEMPTS).find_map(|_| self.try_insert(stored, origin));
        let inserted = inserted.unwrap_or(Inserted::Older);
        let is_there = matches!(inserted, Inserted::Yes | Inserted::Expired);
        self.counters.kept(self.named(), is_there);
        if is_there {
            self.view.alone.forget(self.spot.any().hash());
        }
        inserted
    }

    /// One attempt; none if another writer came between.
    fn try_insert(&self, stored: &Arc<Stored>, origin: Origin) -> Option<Inserted> {
        let engine = &self.engine;
        let Some(memory) = &engine.memory else {
            return Some(Inserted::Void);
        };
        let now = engine.clock.now();
        let current = memory.find(self.spot.any());
        let base = current
            .as_ref()
            .filter(|slot| engine.verdict_of(slot) == Verdict::Valid)
            .and_then(|slot| Some((slot, slot.value().downcast_ref::<Variants>()?)))
            .filter(|(slot, variants)| standing(slot, variants, now) == Standing::Valid)
            .and_then(|(slot, variants)| Some((slot, variants, self.merged(slot)?)));
        let none = Variants::default();
        let variants = base.as_ref().map_or(&none, |(_, variants, _)| variants);
        let Some(variants) = variants.with(Arc::clone(stored), self.view.policy.variants) else {
            return Some(Inserted::Older);
        };
        // For what stands beside older variants no longer than for those.
        #[cfg(feature = "stores")]
        let vouched = base.as_ref().map_or(origin.vouched, |(slot, ..)| {
            origin.vouched.min(slot.meta().times().vouched())
        });
        #[cfg(not(feature = "stores"))]
        let vouched = origin.vouched;
        let scopes = base.map_or_else(|| self.scopes.clone(), |(.., scopes)| scopes);
        let known = current.as_ref().map(|slot| slot.meta().order());
        // Of its own: which variant is the newer, each of them says.
        let began = Began {
            order: engine.begin().order,
            ..origin.began
        };
        let heap = variants.bytes() + self.spot.heap();
        let meta = self.meta(&variants, scopes, began, now, vouched);
        let slot = self.spot.slot(meta, variants);
        let verdict = Cell::new(Verdict::Valid);
        let inserted = memory.insert_page(slot.clone(), heap, |old| {
            if old.map(|old| old.meta().order()) != known {
                return false;
            }
            verdict.set(engine.verdict_of(&slot));
            verdict.get() != Verdict::Invalid
        });
        match (inserted, verdict.get()) {
            (true, Verdict::Expired) => Some(Inserted::Expired),
            (true, _) => Some(Inserted::Yes),
            (false, Verdict::Invalid) => Some(Inserted::Void),
            (false, _) => None,
        }
    }

    /// The scopes of this load and of what is stored under the URL; none where they do not go
    /// together: then older variants make room. Scopes can come from a part of the request that no
    /// key holds, so that what clients send must not add to them for ever; and a pattern is matched
    /// with one prefix only.
    pub(super) fn merged(&self, slot: &Slot) -> Option<Scopes> {
        let stored = slot.meta().scopes();
        let missing = missing(&self.scopes, stored);
        let few = self.scopes.ids().count() + missing.len() <= MOST_SCOPES;
        let one_prefix = stored.prefix() == self.scopes.prefix();
        (few && one_prefix).then(|| self.scopes.and(missing))
    }

    /// Where other processes share a store and cannot be heard, memory vouches for a page for as long
    /// as for other copies, counted from when its load began.
    #[cfg(feature = "stores")]
    fn vouched(&self, began: Nanos) -> Nanos {
        let tier = self.engine.tier.as_ref();
        tier.map_or(NEVER, |tier| tier.vouched(began))
    }

    /// Whether a load that began then is too old for a request that was made then: what others had
    /// invalidated before it may not have been heard of, and the load may have read what was there
    /// before.
    pub(super) fn comes_too_late(&self, began: Began, asked: Nanos) -> bool {
        #[cfg(feature = "stores")]
        return asked > began.at && asked >= self.vouched(began.at);
        #[cfg(not(feature = "stores"))]
        {
            let _ = (began, asked);
            false
        }
    }

    pub(super) fn meta(
        &self,
        variants: &Variants,
        scopes: Scopes,
        began: Began,
        now: Nanos,
        vouched: Nanos,
    ) -> Meta {
        // After an invalidation that lets what is there be served stale, it stays for as long as it
        // would have: each variant knows its own windows, which end by then.
        static POLICY: Policy = Policy::DEFAULT.stale_if_error(NEVER);
        let until = variants.until();
        let times = POLICY.times(now, until.saturating_sub(now), 0);
        let times = times.end_at(until);
        #[cfg(feature = "stores")]
        let times = times.vouch_until(now, vouched);
        #[cfg(not(feature = "stores"))]
        let _ = vouched;
        Meta::new(began, times, scopes, Arc::clone(&self.counters))
    }

    /// Whether a response is given a tag of its bytes, once they are whole.
    fn is_tagged(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        let policy = &self.view.policy;
        policy.etag.is_some() && status == StatusCode::OK && !headers.contains_key(ETAG)
    }

    /// What a response is given that the handler left out, where it may be stored.
    ///
    /// A date is given beside a tag only: of two pages of one second it makes one. Says whether
    /// `Cache-Control` was left out.
    pub(crate) fn dress(
        &self,
        head: &mut response::Parts,
        storable: &Storable,
        wall: Seconds,
    ) -> bool {
        let policy = &self.view.policy;
        let tagged = self.is_tagged(head.status, &head.headers);
        let headers = &mut head.headers;
        if !headers.contains_key(DATE) {
            headers.insert(DATE, date::format(wall));
        }
        let tagged = tagged || headers.contains_key(ETAG);
        if policy.last_modified && tagged && !headers.contains_key(LAST_MODIFIED) {
            // Not later than the date (RFC 9110, section 8.8.2.1), which may be older than the answer.
            let sent = date_of(headers, wall).min(wall);
            headers.insert(LAST_MODIFIED, date::format(sent));
        }
        let Some(client) = &policy.client else {
            return false;
        };
        // Never more than the handler itself would allow.
        let silent = !headers.contains_key(CACHE_CONTROL)
            && !headers.contains_key(http::header::EXPIRES)
            && !storable.freshness.validate;
        if silent {
            let told = match storing::is_of_one_user(policy, &self.asked.headers) {
                true => never_public(client),
                false => client.clone(),
            };
            headers.insert(CACHE_CONTROL, told);
        }
        silent
    }
}

/// The scopes of an entry that another one of the same URL has not.
fn missing(known: &Scopes, other: &Shared) -> Vec<u64> {
    other
        .ids()
        .filter(|scope| !known.ids().any(|known| known == *scope))
        .collect()
}

fn date_of(headers: &HeaderMap, wall: Seconds) -> Seconds {
    headers.get(DATE).and_then(date::parse).unwrap_or(wall)
}

/// An entity tag: the same bytes have the same one, in every process.
pub(crate) fn etag(body: &[u8], kind: Etag) -> HeaderValue {
    let digest = blake3::hash(body).to_hex();
    let digest = &digest[..32];
    let text = match kind {
        Etag::Strong => format!("\"{digest}\""),
        Etag::Weak => format!("W/\"{digest}\""),
    };
    // Quotes, letters and digits.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}
