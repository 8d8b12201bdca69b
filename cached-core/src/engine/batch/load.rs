//! The load of the keys that one call leads: the store, one run of the body, and what comes of it.

use std::future::Future;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::rows::{Grouped, Rows};
use super::{Found, Led, Sharing};
#[cfg(feature = "stores")]
use crate::engine::anew::write_all_anew;
use crate::engine::answers::Answers;
#[cfg(feature = "stores")]
use crate::engine::fill::fill_leased;
use crate::engine::lead::{Lead, Panic};
#[cfg(feature = "stores")]
use crate::engine::lease::{Lease, Turn, release_all, take_many};
use crate::engine::run::throttle;
#[cfg(feature = "stores")]
use crate::engine::through::{Read, accept, encoded, fetch_all, offer, replaces, write_all};
use crate::trace;

/// A body that loads many keys at once.
pub trait LoadMany<K, R> {
    /// One run of it.
    type Run: Future<Output = R>;

    /// Starts a run for these keys.
    fn load(&self, keys: Vec<K>) -> Self::Run;
}

#[diagnostic::do_not_recommend]
impl<K, R, B, F> LoadMany<K, R> for B
where
    B: Fn(Vec<K>) -> F,
    F: Future<Output = R>,
{
    type Run = F;

    fn load(&self, keys: Vec<K>) -> F {
        self(keys)
    }
}

/// What a load brought.
pub(super) struct Brought<R: Answers> {
    pub(super) asked: Vec<Answer<R>>,
    /// What was asked for, and not returned.
    pub(super) absent: Vec<(usize, R::Key)>,
    /// What the body returned beyond that.
    pub(super) beyond: Vec<(R::Key, Rows<R::Value>)>,
    /// How it failed, where nothing stands in for it.
    pub(super) failed: Option<Failure<R>>,
    /// It failed, whatever stands in for it.
    pub(super) ill: bool,
}

/// What there is for a key.
type Answer<R> = Found<<R as Answers>::Key, <R as Answers>::Value>;

pub(super) enum Failure<R> {
    /// The `Err` or `None` of the whole.
    Result(R),
    Panic(Panic),
}

type LedBy<R> = Led<<R as Answers>::Key, <R as Answers>::Value>;
type Leads<R> = Vec<LedBy<R>>;

/// Runs the body once for keys that this call leads, and tells those who wait for them.
pub(super) async fn load<R, B>(leads: Leads<R>, body: B, sharing: Option<Sharing<R>>) -> Brought<R>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
    B: LoadMany<R::Key, R>,
{
    let mut brought = Brought {
        asked: Vec::new(),
        absent: Vec::new(),
        beyond: Vec::new(),
        failed: None,
        ill: false,
    };
    let mut left = leads;
    #[cfg(feature = "stores")]
    let mut turn = Turn::new();
    while !left.is_empty() {
        #[cfg(feature = "stores")]
        let (mine, others, store) = share_out::<R>(left, &mut brought.asked, &mut turn).await;
        #[cfg(not(feature = "stores"))]
        let (mine, others) = (left, Vec::new());
        left = others;
        if mine.is_empty() {
            continue;
        }
        let keys = (mine.iter()).filter_map(|led| led.missing.key.clone());
        let run = body.load(keys.collect());
        match drive::<R, _>(&mine, run).await {
            Ok(pairs) => {
                #[cfg_attr(
                    not(feature = "stores"),
                    expect(unused_mut, reason = "nobody overtakes")
                )]
                let mut answers = Grouped::new(pairs);
                #[cfg(feature = "stores")]
                // In a box: a hit on the store need not make room for that.
                Box::pin(store.write::<R>(&mine, &mut answers)).await;
                land(&mut brought, mine, answers);
            }
            Err(failure) => {
                #[cfg(feature = "stores")]
                release_all(store.leases).await;
                let all = mine.into_iter().chain(left).collect();
                fail(&mut brought, all, failure, sharing);
                break;
            }
        }
    }
    brought
}

/// Polls one run of the body, for these keys.
async fn drive<R, F>(leads: &Leads<R>, run: F) -> Result<Vec<(R::Key, R::Value)>, Failure<R>>
where
    R: Answers<Value: 'static>,
    F: Future<Output = R>,
{
    let run = pin!(run);
    let span = span(leads);
    match (Marked { leads, run, span }).await.map(R::pairs) {
        Ok(pairs) => pairs.map_err(Failure::Result),
        Err(panic) => Err(Failure::Panic(panic)),
    }
}

/// What the store had of the keys that are to be loaded, and the right to load them.
#[cfg(feature = "stores")]
struct Shared {
    fetched: Vec<Read>,
    leases: Vec<Lease>,
}

/// Takes what the shared store has, and parts what this call is to load from what other processes
/// do; where they load all of it, that has been waited for.
#[cfg(feature = "stores")]
async fn share_out<R>(
    leads: Leads<R>,
    asked: &mut Vec<Answer<R>>,
    turn: &mut Turn,
) -> (Leads<R>, Leads<R>, Shared)
where
    R: Answers<Value: 'static>,
{
    let (leads, fetched) = fetch::<R>(leads, asked).await;
    let load = |led: &LedBy<R>| led.missing.load.as_ref().ok().cloned();
    let loads: Vec<_> = leads.iter().map(load).collect();
    let anew: Vec<_> = leads.iter().map(|led| led.missing.anew).collect();
    let mut fetched = fetched;
    let taken = Box::pin(take_many(&loads, &anew, &mut fetched, turn)).await;
    let (mut mine, mut others) = (Vec::new(), Vec::new());
    let (mut read, mut leases, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for ((mut led, mut fetched), lease) in leads.into_iter().zip(fetched).zip(taken) {
        let Some(lease) = lease else {
            others.push(led);
            continue;
        };
        match take::<R>(&mut led, &mut fetched, asked) {
            true => done.push(lease),
            false => {
                mine.push(led);
                read.push(fetched);
                leases.push(lease);
            }
        }
    }
    release_all(done).await;
    let store = Shared {
        fetched: read,
        leases,
    };
    (mine, others, store)
}

/// Takes what was fetched for a key, if that is good enough; else it is left to be loaded.
#[cfg(feature = "stores")]
fn take<R>(led: &mut LedBy<R>, read: &mut Read, asked: &mut Vec<Answer<R>>) -> bool
where
    R: Answers<Value: 'static>,
{
    let wanted = led.missing.load.as_ref().ok();
    let Some(load) = wanted.filter(|_| !led.missing.anew) else {
        return false;
    };
    let Some(value) = accept(&**load, read) else {
        offer(&**load, read);
        return false;
    };
    if let Some(lead) = led.lead.take() {
        lead.landed(&value);
    }
    let (at, key) = (led.missing.at, led.missing.key.take());
    asked.extend(key.map(|key| (at, key, Rows::One(value))));
    true
}

/// Takes what the shared store has, all read in one operation; the rest is left to be loaded.
#[cfg(feature = "stores")]
async fn fetch<R>(leads: Leads<R>, asked: &mut Vec<Answer<R>>) -> (Leads<R>, Vec<Read>)
where
    R: Answers<Value: 'static>,
{
    let mut loads = Vec::with_capacity(leads.len());
    loads.extend(
        leads
            .iter()
            .filter_map(|led| led.missing.load.as_ref().ok()),
    );
    let fetched = fetch_all(&loads).await;
    let reads = match fetched.len() == leads.len() {
        true => fetched,
        false => with_none_for_uncached(&leads, fetched),
    };
    asked.reserve(leads.len());
    keep_untaken::<R>(leads, reads, asked)
}

/// What was fetched for those that the cache is to be asked for, and nothing for the others.
#[cfg(feature = "stores")]
fn with_none_for_uncached<K, V: 'static>(leads: &[Led<K, V>], fetched: Vec<Read>) -> Vec<Read> {
    let mut fetched = fetched.into_iter();
    let read = |led: &Led<K, V>| match &led.missing.load {
        Ok(_) => fetched.next().unwrap_or_default(),
        Err(_) => Read::default(),
    };
    leads.iter().map(read).collect()
}

/// Takes what is good enough of what was fetched; the rest is left, and nothing is moved where all
/// of it is taken.
#[cfg(feature = "stores")]
fn keep_untaken<R>(
    mut leads: Leads<R>,
    mut reads: Vec<Read>,
    asked: &mut Vec<Answer<R>>,
) -> (Leads<R>, Vec<Read>)
where
    R: Answers<Value: 'static>,
{
    let mut taken = Vec::with_capacity(leads.len());
    for (led, read) in leads.iter_mut().zip(&mut reads) {
        taken.push(take::<R>(led, read, asked));
    }
    let mut each = taken.iter();
    leads.retain(|_| each.next() == Some(&false));
    let mut each = taken.iter();
    reads.retain(|_| each.next() == Some(&false));
    (leads, reads)
}

#[cfg(feature = "stores")]
impl Shared {
    /// Writes what was loaded to the shared store, in one operation, and has others load again. Where
    /// another process has brought something newer meanwhile, that is taken.
    async fn write<R>(self, leads: &Leads<R>, answers: &mut Grouped<R::Key, R::Value>)
    where
        R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
    {
        let Shared { fetched, leases } = self;
        let (mut plain, mut leased, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let mut anew = Vec::new();
        for ((led, fetched), lease) in leads.iter().zip(fetched).zip(&leases) {
            let Ok(load) = &led.missing.load else {
                continue;
            };
            let key = led.missing.key.as_ref();
            let value = key.and_then(|key| answers.one(key));
            if led.missing.anew {
                let encoded = value.and_then(|value| encoded(&**load, value));
                // What it does not find is no longer there for anybody.
                if value.is_none_or(|value| replaces(&**load, value, &encoded)) {
                    anew.push((load, fetched, encoded));
                }
                continue;
            }
            let Some(value) = value else {
                continue;
            };
            let fresh = (load, fetched, encoded(&**load, value));
            match load.base().policy.distributed {
                true => {
                    leased.push((fresh, lease));
                    keys.push(key);
                }
                false => plain.push(fresh),
            }
        }
        let _ = write_all(plain).await;
        write_all_anew(anew).await;
        for (key, newer) in keys.into_iter().zip(fill_leased(leased).await) {
            if let (Some(key), Some(newer)) = (key, newer) {
                answers.replace(key, newer);
            }
        }
        release_all(leases).await;
    }
}

/// The load has ended well.
fn land<R>(brought: &mut Brought<R>, leads: Leads<R>, mut answers: Grouped<R::Key, R::Value>)
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    for Led { missing, lead } in leads {
        let Some(key) = missing.key else { continue };
        let rows = match (answers.take(&key), lead) {
            (Some(Rows::One(value)), Some(lead)) => Rows::One(lead.land(value)),
            (Some(Rows::Several(rows)), Some(lead)) => {
                lead.land_rows(&rows, missing.anew);
                Rows::Several(rows)
            }
            (None, Some(lead)) => {
                lead.land_rows(&[], missing.anew);
                brought.absent.push((missing.at, key));
                continue;
            }
            (Some(rows), None) => rows,
            (None, None) => {
                brought.absent.push((missing.at, key));
                continue;
            }
        };
        brought.asked.push((missing.at, key, rows));
    }
    brought.beyond.extend(answers.rest());
}

/// The load failed: stale values in its stead, if there is one for every key.
fn fail<R>(
    brought: &mut Brought<R>,
    leads: Leads<R>,
    failure: Failure<R>,
    sharing: Option<Sharing<R>>,
) where
    R: Answers<Value: 'static>,
    R::Key: Clone,
{
    let stale: Option<Vec<_>> = leads
        .iter()
        .map(|led| led.missing.load.as_ref().ok()?.stale())
        .collect();
    let error = match &failure {
        Failure::Result(failed) => sharing.map(|sharing| (sharing.give)(failed)),
        Failure::Panic(_) => None,
    };
    let panicked = matches!(failure, Failure::Panic(_));
    brought.failed = stale.is_none().then_some(failure);
    let mut stale = stale.into_iter().flatten();
    for Led { missing, lead } in leads {
        let stands_in = stale.next();
        if let Ok(load) = &missing.load {
            throttle(&**load);
            if stands_in.is_some() {
                load.base().counters.fallbacks.one();
            }
        }
        if let (Some(value), Some(key)) = (stands_in, missing.key) {
            brought.asked.push((missing.at, key, Rows::One(value)));
        }
        match lead {
            Some(lead) if panicked => lead.panicked(),
            Some(lead) => lead.land_failed(error.clone()),
            None => {}
        }
    }
    brought.ill = true;
}

/// One span for all keys.
fn span<K, V: 'static>(leads: &[Led<K, V>]) -> trace::Load {
    let first = leads.iter().find_map(|led| led.missing.load.as_ref().ok());
    first.map_or(trace::Load::NONE, |load| {
        let base = load.base();
        trace::Load::new(&base.engine, base.function, None, leads.len())
    })
}

/// A run of the body, marked as running for every key that it loads.
struct Marked<'a, K, V: 'static, F> {
    leads: &'a [Led<K, V>],
    run: Pin<&'a mut F>,
    span: trace::Load,
}

impl<K, V: 'static, F: Future> Future for Marked<'_, K, V, F> {
    type Output = Result<F::Output, Panic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // They have one number.
        let lead = self.leads.iter().find_map(|led| led.lead.as_ref());
        let _inside = lead.and_then(Lead::body);
        let Marked { run, span, .. } = &mut *self;
        let _span = span.enter();
        let run = run.as_mut();
        match catch_unwind(AssertUnwindSafe(|| run.poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
