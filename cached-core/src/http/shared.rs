//! Responses on the shared store, behind the memory tier.
//!
//! Whoever is about to run the handler asks the store first, by the same rules as memory: freshness,
//! `Vary`, credentials, request directives. What the store has is put into memory as if it had been
//! loaded when the store was asked. What the handler makes is written when its body is whole, under
//! the versions of its scopes that were read *before* it ran; so a response whose handler began
//! before an invalidation, in whatever process, is void there.
//!
//! All variants of one URL are one value. Who writes one puts it beside those that it was given, and
//! in the place of exactly these bytes; where others were faster, beside theirs, and what they have
//! stored for the same requests stays. A refresh is to take the place of whatever is there, and has
//! the others drop what they hold in memory.

use std::sync::{Arc, Mutex};

use http::Response;

use super::body::ViewBody;
use super::landing::Landing;
use super::lead::Leading;
use super::load::Load;
use super::look::{Judged, can_refresh, judge, report};
use super::status::Report;
use super::stored::{Stored, Variants};
use super::storing::has_credentials;
use super::url::UrlNames;
use super::view::{Known, Labels, View};
use super::wire::{self, Moment};
use crate::clock::{NEVER, Nanos};
use crate::codec::Format;
use crate::engine::{Engine, Refreshing};
use crate::key::Stable;
use crate::rt;
use crate::scope::{Scope, levels, of_layer};
use crate::store::deliver::Delivery;
use crate::store::guard::Budget;
use crate::store::names::{self, Digest, EVERYTHING, Names};
use crate::store::tier::{Fetched, Tier};
use crate::store::versions::Versions;
use crate::store::write::Written;
use crate::store::{Found, Item};
use crate::sync::lock;

/// How many bytes the variants of one URL take together. The one that was stored last is written
/// whatever its size.
const TOGETHER: usize = 512 << 10;

/// How long pages live that do not say so, as far as the versions of their scopes are concerned.
const USUAL: Nanos = 300 * 1_000_000_000;

/// What lives longer lives for ever: a hundred years.
const AGES: Nanos = 100 * 365 * 24 * 3600 * 1_000_000_000;

/// What a view's entry and its scopes are called on the store; none where there is no store, or the
/// entry is for this process alone.
pub(crate) fn names(
    engine: &Engine,
    view: &Arc<View>,
    said: &Labels,
    // Of what the key holds: all who ask for one entry name the same scopes.
    urls: &UrlNames,
    key: impl FnOnce(&mut Stable),
) -> Option<Names> {
    let tier = engine.tier.as_ref()?;
    let name = view.shared_name();
    if let Known::Layer(_) = view.known
        && !tier.claims.claim(&name, view)
    {
        let why = "another layer of this name is in use: give each a name of its own";
        engine.memory_only_at(view.id, view.name, why);
        return None;
    }
    let mut stable = Stable::default();
    stable.part(|out| out.bytes(b"view"));
    stable.part(|out| out.bytes(name.as_bytes()));
    stable.part(|out| view.policy.stable(out));
    key(&mut stable);
    let hash = Digest::new(stable.as_bytes());
    let prefix = said.prefix_of(view);
    let own = match view.known {
        Known::Handler => names::function(&name),
        Known::Layer(_) => names::layer(&name),
    };
    let mut scopes = vec![EVERYTHING.to_owned(), own];
    scopes.extend([
        names::url(&urls.on_host),
        names::url(&urls.on_any),
        names::path(&urls.path),
    ]);
    scopes.extend(levels(prefix).map(names::level));
    scopes.extend(said.tags_of(view).map(names::tag));
    Some(Names {
        shared: names::Shared::new(prefix, scopes),
        hash,
        keyed: false,
        lifetime: view.policy.timeout.unwrap_or(USUAL),
    })
}

/// The scope by which other processes name all of a layer's entries.
pub(crate) fn scope(view: &View) -> Option<Scope> {
    match view.known {
        Known::Handler => None,
        Known::Layer(_) => Some(of_layer(&view.shared_name())),
    }
}

/// What the store had when it was asked, and what is left of the time of the call.
pub(crate) struct Read {
    versions: Option<Versions>,
    /// The bytes that were there.
    raw: Found,
    /// Valid under these versions.
    variants: Variants,
    budget: Budget,
}

impl Read {
    /// Whether the store had nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.variants.iter().next().is_none()
    }
}

/// What came of asking the store.
pub(crate) enum Asked {
    /// The handler need not run.
    Answer(Response<ViewBody>),
    /// The client is answered; the handler should run all the same.
    Meanwhile(Response<ViewBody>),
    /// It has to run.
    Nothing,
}

impl Load {
    fn place(&self) -> Option<(&Arc<Tier>, &Names)> {
        Some((self.engine.tier.as_ref()?, self.names.as_ref()?))
    }

    /// All that the store has for the URL is void, from now on; it is told when this is dropped, in the
    /// background.
    ///
    /// All variants are, as they are one value: what others write meanwhile would bring one of them back
    /// that is put beside it.
    pub(crate) fn void(&self) -> Option<Delivery> {
        let (tier, names) = self.place()?;
        Some(tier.announce(names.shared.scopes[URL..=URL].to_vec(), false))
    }

    fn moment(&self) -> Moment {
        let clock = &self.engine.clock;
        Moment {
            now: clock.now(),
            wall: clock.wall_millis(),
        }
    }

    fn variants(&self, fetched: &Fetched, order: u64) -> Variants {
        let Some(value) = &fetched.value else {
            return Variants::default();
        };
        let variants = wire::read(value.bytes(&fetched.raw), &self.view, self.moment(), order);
        variants.unwrap_or_else(|| {
            self.counters.undecodable.one();
            Variants::default()
        })
    }
}

/// Where the scope of the URL on its host stands.
const URL: usize = 2;

impl Leading {
    /// Asks the store before the handler runs; `served` if the client has its answer already.
    pub(crate) async fn ask_store(&mut self, served: bool) -> Asked {
        let Some((tier, names)) = self.load.place() else {
            return Asked::Nothing;
        };
        let budget = tier.budget();
        let fetched = match self.load.is_alone() {
            // It will hardly be written: no versions are made for it.
            true => tier.peek(&budget, &[names]).await.pop(),
            false => tier.fetch(&budget, &[names]).await.pop(),
        };
        let fetched = fetched.unwrap_or_default();
        let load = Arc::clone(&self.load);
        fetched.count_unreadable(&load.counters);
        let variants = load.variants(&fetched, self.start.began.order);
        let found = variants.select(&load.asked.headers).cloned();
        self.read = Some(Read {
            versions: fetched.versions,
            raw: fetched.raw,
            variants,
            budget,
        });
        self.start.asked_at = load.engine.clock.now();
        match found {
            Some(stored) if !load.anew => self.take(stored, served),
            _ => Asked::Nothing,
        }
    }

    fn take(&mut self, stored: Arc<Stored>, served: bool) -> Asked {
        let load = &self.load;
        let headers = &load.asked.headers;
        if has_credentials(&load.view.policy, headers) && !stored.freshness.shared {
            return Asked::Nothing;
        }
        let now = load.engine.clock.now();
        let mut usable = match judge(&load.view, &stored, now, None, headers) {
            Judged::Fresh => {
                load.counters.fetched.one();
                self.keep(&stored);
                let mut response = stored.answer(&load.asked.method, headers, now);
                report(&load.view, &mut response, &Report::hit(stored.ttl(now)));
                self.land(Landing::Stored(stored));
                return Asked::Answer(response);
            }
            Judged::Stale(usable) => usable,
        };
        usable.meanwhile &= can_refresh(&load.view, &load.asked.method, headers);
        let newer = |(old, _): &(Arc<Stored>, _)| old.date <= stored.date;
        if !self.old.as_ref().is_none_or(newer) {
            return Asked::Nothing;
        }
        if usable.meanwhile || usable.on_error {
            // There it is known when a load of it has failed.
            self.keep(&stored);
        }
        let flight = self.start.duty.as_ref().and_then(|it| it.flight.as_ref());
        if let Some(flight) = flight {
            flight.offer(&stored);
        }
        let answer = (usable.meanwhile && !served).then(|| {
            // The read was counted as a miss when memory had nothing.
            load.counters.fallbacks.one();
            load.answer_stale(&stored)
        });
        self.old = Some((stored, usable));
        answer.map_or(Asked::Nothing, Asked::Meanwhile)
    }
}

impl Leading {
    /// Puts what the store had into memory, unless a refresh is to bring something newer.
    fn keep(&self, stored: &Arc<Stored>) {
        if !self.start.beside {
            self.load.insert(stored, self.start.origin());
        }
    }
}

/// A response on its way to the store.
pub(crate) struct Publish {
    load: Arc<Load>,
    read: Read,
    stored: Arc<Stored>,
    /// Until it is there.
    _refreshing: Option<Arc<Refreshing>>,
}

/// How often it is put beside what others write at the same moment.
const ATTEMPTS: usize = 10;
/// Nothing is there, and nothing can be put there, so often: what is there is of no cache's.
const FOREIGN: usize = 2;

/// What became of a response.
enum Published {
    /// It is there, or what is there by now is as good.
    Done,
    /// Nobody knows.
    Unknown,
}

impl Publish {
    /// One that may go there; `valid` if nothing of it was invalidated here meanwhile.
    pub(crate) fn new(
        load: &Arc<Load>,
        read: Option<Read>,
        stored: &Arc<Stored>,
        valid: bool,
        refreshing: Option<Arc<Refreshing>>,
    ) -> Option<Self> {
        if load.early.is_outdated(valid) {
            return None;
        }
        Some(Publish {
            load: Arc::clone(load),
            read: read?,
            stored: Arc::clone(stored),
            _refreshing: refreshing,
        })
    }

    async fn run(self) {
        let Some((tier, names)) = self.load.place() else {
            return;
        };
        if !self.load.anew {
            // What could not be written is loaded again; that is counted.
            self.publish(tier, names).await;
            return;
        }
        let mut untold = Untold(Some(&self.load));
        if let Published::Done = self.publish(tier, names).await {
            // What they hold in memory is what was there before.
            let url = &names.shared.scopes[URL..=URL];
            tier.tell_changed(&self.read.budget, url).await;
            untold.0 = None;
        }
    }

    /// Puts it beside the other variants, where the store has exactly what it had when it was asked;
    /// where not, beside those that are there by now.
    async fn publish(&self, tier: &Arc<Tier>, names: &Names) -> Published {
        let Publish { load, read, .. } = self;
        let Some(versions) = &read.versions else {
            return Published::Unknown;
        };
        let (mut variants, mut raw) = (read.variants.clone(), read.raw.clone());
        let mut nothing = 0;
        for _ in 0..ATTEMPTS {
            let Some(item) = self.item(tier, names, &variants) else {
                return Published::Unknown;
            };
            nothing = if raw.is_none() { nothing + 1 } else { 0 };
            let put = async {
                match nothing > FOREIGN {
                    true => tier.set_over(&read.budget, item).await.map(|()| true),
                    false => tier.put_for_longer(&read.budget, raw, item, names).await,
                }
            };
            match put.await {
                Ok(true) => return Published::Done,
                Ok(false) => {}
                Err(_) => return Published::Unknown,
            }
            let fetched = tier.peek(&read.budget, &[names]).await.pop();
            let fetched = fetched.unwrap_or_default();
            if fetched.versions.as_ref() != Some(versions) {
                // Invalidated meanwhile: this is void, and what was there before as well.
                return match fetched.versions {
                    Some(_) => Published::Done,
                    None => Published::Unknown,
                };
            }
            let there = load.variants(&fetched, self.stored.order);
            let now = load.engine.clock.now();
            // What another has stored since stays, unless this was to take the place of whatever is
            // there.
            if !load.anew && there.have_overtaken(&self.stored, &read.variants, now) {
                return Published::Done;
            }
            (variants, raw) = (there, fetched.raw);
        }
        Published::Unknown
    }

    /// What is to be written, beside these; none if that cannot be.
    fn item(&self, tier: &Tier, names: &Names, variants: &Variants) -> Option<Item> {
        let policy = &self.load.view.policy;
        let all = variants.with(Arc::clone(&self.stored), policy.variants)?;
        let (all, moment) = (together(&all), self.load.moment());
        let lifetime = match all.until().saturating_sub(moment.now) {
            lifetime if lifetime < AGES => lifetime,
            _ => NEVER,
        };
        tier.item(&Written {
            names,
            versions: self.read.versions.clone()?,
            value: wire::write(&all, moment)?,
            // Responses have a form of their own.
            format: Format::default(),
            lifetime,
            stale: 0,
            useful: lifetime,
        })
    }
}

/// A refresh that the others have not been told of: what is there is void, in the background.
struct Untold<'a>(Option<&'a Load>);

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        if let Some(load) = self.0 {
            drop(load.void());
        }
    }
}

/// The last of some variants, and those before it for which there is room.
fn together(all: &Variants) -> Variants {
    let mut bytes = 0;
    let mut kept: Vec<_> = (all.iter().rev().enumerate())
        .take_while(|(at, stored)| {
            bytes += stored.bytes();
            *at == 0 || bytes <= TOGETHER
        })
        .map(|(_, stored)| Arc::clone(stored))
        .collect();
    kept.reverse();
    Variants::from(kept)
}

/// What is to be written when a response is there: by the one that waits for it, or else in the
/// background.
#[derive(Default)]
pub(crate) struct Outbox(Mutex<State>);

#[derive(Default)]
struct State {
    left: bool,
    publish: Option<Publish>,
}

impl Outbox {
    /// Something is to be written.
    pub(crate) fn put(&self, publish: Option<Publish>) {
        let Some(publish) = publish else { return };
        let mut state = lock(&self.0);
        if !state.left {
            state.publish = Some(publish);
            return;
        }
        drop(state);
        let runtime = Arc::clone(&publish.load.engine.runtime);
        if let Err(task) = runtime.spawn(Box::pin(publish.run())) {
            // Where there is no room for that either, the next who asks makes it again.
            drop(rt::spawn_thread(task));
        }
    }

    /// Writes what is there by now; what comes later goes by itself.
    pub(crate) async fn deliver(&self) {
        let publish = {
            let mut state = lock(&self.0);
            state.left = true;
            state.publish.take()
        };
        if let Some(publish) = publish {
            publish.run().await;
        }
    }
}
