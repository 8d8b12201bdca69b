//! The load of the keys that one call leads: the store, one run of the body, and what comes of it.

use std::future::Future;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::rows::{Grouped, Rows};
use super::{Led, Sharing};
use crate::engine::answers::Answers;
use crate::engine::flights::Body;
use crate::engine::lead::{Lead, Panic};
use crate::engine::run::throttle;
#[cfg(feature = "stores")]
use crate::engine::through::{Read, accept, fetch_all, write_all};
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
    pub(super) asked: Vec<(R::Key, Rows<R::Value>)>,
    /// What the body returned beyond that.
    pub(super) beyond: Vec<(R::Key, Rows<R::Value>)>,
    /// How it failed, where nothing stands in for it.
    pub(super) failed: Option<Failure<R>>,
    /// It failed, whatever stands in for it.
    pub(super) ill: bool,
}

pub(super) enum Failure<R> {
    /// The `Err` or `None` of the whole.
    Result(R),
    Panic(Panic),
}

type Leads<R> = Vec<Led<<R as Answers>::Key, <R as Answers>::Value>>;

/// Runs the body once for keys that this call leads, and tells those who wait for them.
pub(super) async fn load<R, B>(leads: Leads<R>, body: B, sharing: Option<Sharing<R>>) -> Brought<R>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
    B: LoadMany<R::Key, R>,
{
    let mut brought = Brought {
        asked: Vec::new(),
        beyond: Vec::new(),
        failed: None,
        ill: false,
    };
    #[cfg(feature = "stores")]
    let (leads, fetched) = fetch::<R>(leads, &mut brought.asked).await;
    if leads.is_empty() {
        return brought;
    }
    let keys = leads.iter().map(|led| led.missing.key.clone()).collect();
    let run = body.load(keys);
    let answers = {
        let run = pin!(run);
        let span = span(&leads);
        let leads = &leads;
        Marked { leads, run, span }.await
    };
    let pairs = match answers.map(R::pairs) {
        Ok(Ok(pairs)) => pairs,
        Ok(Err(failed)) => {
            fail(&mut brought, leads, Failure::Result(failed), sharing);
            return brought;
        }
        Err(panic) => {
            fail(&mut brought, leads, Failure::Panic(panic), sharing);
            return brought;
        }
    };
    let answers = Grouped::new(pairs);
    #[cfg(feature = "stores")]
    write::<R>(&leads, fetched, &answers).await;
    land(&mut brought, leads, answers);
    brought
}

/// Takes what the shared store has, all read in one operation; the rest is left to be loaded.
#[cfg(feature = "stores")]
async fn fetch<R>(
    leads: Leads<R>,
    asked: &mut Vec<(R::Key, Rows<R::Value>)>,
) -> (Leads<R>, Vec<Read>)
where
    R: Answers<Value: 'static>,
{
    let loads: Vec<_> = leads
        .iter()
        .filter_map(|led| led.missing.load.as_ref().ok().cloned())
        .collect();
    let mut all = fetch_all(&loads.iter().collect::<Vec<_>>())
        .await
        .into_iter();
    let (mut left, mut rest) = (Vec::new(), Vec::new());
    for led in leads {
        let mut read = match &led.missing.load {
            Ok(_) => all.next().unwrap_or_default(),
            Err(_) => Read::default(),
        };
        let wanted = led.missing.load.as_ref().ok();
        let wanted = wanted.filter(|_| !led.missing.anew);
        match wanted.and_then(|load| accept(&**load, &mut read)) {
            Some(value) => {
                let value = match led.lead {
                    Some(lead) => lead.land(value),
                    None => value,
                };
                asked.push((led.missing.key, Rows::One(value)));
            }
            None => {
                left.push(led);
                rest.push(read);
            }
        }
    }
    (left, rest)
}

/// Writes what was loaded to the shared store, in one operation.
#[cfg(feature = "stores")]
async fn write<R>(leads: &Leads<R>, fetched: Vec<Read>, answers: &Grouped<R::Key, R::Value>)
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    let results = leads.iter().zip(fetched).filter_map(|(led, fetched)| {
        let load = led.missing.load.as_ref().ok()?;
        let encoded = load.encode(answers.one(&led.missing.key)?);
        Some((load, fetched, encoded))
    });
    let results = results.collect();
    write_all(results).await;
}

/// The load has ended well.
fn land<R>(brought: &mut Brought<R>, leads: Leads<R>, mut answers: Grouped<R::Key, R::Value>)
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    for Led { missing, lead } in leads {
        let rows = match (answers.take(&missing.key), lead) {
            (Some(Rows::One(value)), Some(lead)) => Rows::One(lead.land(value)),
            (Some(Rows::Several(rows)), Some(lead)) => {
                lead.land_rows(&rows, missing.anew);
                Rows::Several(rows)
            }
            (None, Some(lead)) => {
                lead.land_rows(&[], missing.anew);
                continue;
            }
            (Some(rows), None) => rows,
            (None, None) => continue,
        };
        brought.asked.push((missing.key, rows));
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
        .map(|led| {
            let load = led.missing.load.as_ref().ok()?;
            Some((led.missing.key.clone(), Rows::One(load.stale()?)))
        })
        .collect();
    let error = match &failure {
        Failure::Result(failed) => sharing.map(|sharing| (sharing.give)(failed)),
        Failure::Panic(_) => None,
    };
    for Led { missing, lead } in leads {
        if let Ok(load) = &missing.load {
            throttle(&**load);
            if stale.is_some() {
                load.base().counters.fallbacks.one();
            }
        }
        match (&failure, lead) {
            (Failure::Result(_), Some(lead)) => lead.land_failed(error.clone()),
            (Failure::Panic(_), Some(lead)) => lead.panicked(),
            (_, None) => {}
        }
    }
    brought.ill = true;
    match stale {
        Some(stale) => brought.asked.extend(stale),
        None => brought.failed = Some(failure),
    }
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
        let leads = self.leads.iter().filter_map(|led| led.lead.as_ref());
        let _inside: Vec<Body> = leads.filter_map(Lead::body).collect();
        let Marked { run, span, .. } = &mut *self;
        let _span = span.enter();
        let run = run.as_mut();
        match catch_unwind(AssertUnwindSafe(|| run.poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
