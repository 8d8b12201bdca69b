//! `entry!(f(ids))`: a handle on the entries of a batch.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::load::{LoadMany, load};
use super::rest::Carried;
use super::rows::{Grouped, Rows};
use super::{Batch, Sharing};
use crate::cache::entry::duration;
use crate::cache::invalidate::{Invalidated, Invalidation};
use crate::engine::answers::Answers;
use crate::engine::call::Load;
use crate::engine::detach::{Attached, Detachable};
use crate::engine::peek::{fresh_all, left_all};
#[cfg(feature = "stores")]
use crate::engine::through::{encoded, publish_all};
use crate::error::Error;
use crate::rt;
use crate::watch::MissReason;

/// A handle on the entries of a batch of an `async fn`: what `entry!(f(ids))` returns where `f` has
/// the option `batch`.
///
/// ```
/// # futures::executor::block_on(async {
/// use dewar::{cached, entry};
/// use std::collections::HashMap;
///
/// #[cached(timeout = 60, batch = ids)]
/// async fn squares(ids: &[u64]) -> HashMap<u64, u64> {
///     ids.iter().map(|id| (*id, id * id)).collect()
/// }
///
/// squares(&[1, 2]).await;
/// assert_eq!(entry!(squares(&[1, 2, 3])).get().await, HashMap::from([(1, 1), (2, 4)]));
/// assert!(!entry!(squares(&[1, 2, 3])).contains().await);
/// entry!(squares(&[2, 3])).put([(2, 0), (3, 0)]).await?;
/// assert_eq!(squares(&[1, 2, 3]).await[&3], 0);
/// assert_eq!(entry!(squares(&[2, 3])).refresh().await[&3], 9);
/// # Ok::<(), dewar::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "a handle does nothing by itself"]
pub struct BatchEntry<R: Answers<Value: 'static>, B> {
    batch: Batch<R>,
    body: B,
    sharing: Option<Sharing<R>>,
}

/// A handle on the entries of a batch of a synchronous function: what `entry!(f(ids))` returns where
/// `f` has the option `batch`.
///
/// ```
/// use dewar::{cached, entry};
/// use std::collections::HashMap;
///
/// #[cached(timeout = 60, batch = ids)]
/// fn cubes(ids: &[u64]) -> HashMap<u64, u64> {
///     ids.iter().map(|id| (*id, id * id * id)).collect()
/// }
///
/// cubes(&[1, 2]);
/// assert_eq!(entry!(cubes(&[1, 2, 3])).get(), HashMap::from([(1, 1), (2, 8)]));
/// entry!(cubes(&[2])).invalidate().wait()?;
/// assert_eq!(entry!(cubes(&[1, 2, 3])).get().len(), 1);
/// # Ok::<(), dewar::Error>(())
/// ```
#[must_use = "a handle does nothing by itself"]
pub struct BlockingBatchEntry<R: Answers<Value: 'static>, B> {
    batch: Batch<R>,
    body: B,
    sharing: Option<Sharing<R>>,
}

impl<R> Batch<R>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    /// The handle on a call whose body is asynchronous.
    pub fn entry<B, F>(self, sharing: Option<Sharing<R>>, body: B) -> BatchEntry<R, B>
    where
        B: Fn(Vec<R::Key>) -> F,
        F: Future<Output = R>,
    {
        BatchEntry {
            batch: self,
            body,
            sharing,
        }
    }

    /// The handle on a call whose body blocks.
    pub fn blocking<B>(self, sharing: Option<Sharing<R>>, body: B) -> BlockingBatchEntry<R, B>
    where
        B: Fn(Vec<R::Key>) -> R,
    {
        BlockingBatchEntry {
            batch: self,
            body,
            sharing,
        }
    }

    fn names(&self) -> Vec<String> {
        let places = self.missing.iter().map(|missing| missing.at().name());
        places.collect()
    }

    /// The places that are in a cache.
    fn loads(&self) -> impl Iterator<Item = (&R::Key, &Arc<dyn Load<R::Value>>)> {
        self.missing
            .iter()
            .filter_map(|missing| Some((missing.key.as_ref()?, missing.load.as_ref().ok()?)))
    }

    async fn fresh(&self) -> HashMap<R::Key, R::Value> {
        let (keys, loads): (Vec<_>, Vec<_>) = self.loads().unzip();
        let fresh = keys.into_iter().zip(fresh_all(&loads).await);
        fresh
            .filter_map(|(key, value)| Some((key.clone(), value?)))
            .collect()
    }

    async fn left(&self) -> HashMap<R::Key, Duration> {
        let (keys, loads): (Vec<_>, Vec<_>) = self.loads().unzip();
        let left = keys.into_iter().zip(left_all(&loads).await);
        left.filter_map(|(key, left)| Some((key.clone(), duration(left?))))
            .collect()
    }

    async fn all(&self) -> bool {
        let loads: Vec<_> = self.loads().map(|(_, load)| load).collect();
        let left = left_all(&loads).await;
        left.len() == self.missing.len() && left.iter().all(Option::is_some)
    }

    /// Stores values as if the body had returned them.
    async fn put(&self, pairs: impl IntoIterator<Item = (R::Key, R::Value)>) -> Result<(), Error> {
        let mut values = Grouped::new(pairs);
        let mut given = Vec::new();
        for missing in &self.missing {
            let key = missing.key.as_ref();
            if let Some(rows) = key.and_then(|key| values.take(key)) {
                given.push((missing, rows));
            }
        }
        if values.rest().next().is_some() {
            let problem = "is for a key that `entry!` was not given: name it there";
            return Err(Error::value("entry!(…).put(…)", problem));
        }
        #[cfg(feature = "stores")]
        let mut published = Vec::new();
        for (missing, rows) in given {
            let load = match &missing.load {
                Ok(load) => load,
                Err(super::Uncached(Some(error))) => return Err(error.again()),
                Err(super::Uncached(None)) => continue,
            };
            let value = match rows {
                Rows::One(value) => Some(value),
                // As where the body returns them: none is stored.
                Rows::Several(_) => None,
            };
            match &value {
                Some(value) => missing.at().place(value)?,
                None => load.base().engine.forget(load.key()),
            }
            #[cfg(feature = "stores")]
            published.push((
                Arc::clone(load),
                value.and_then(|value| encoded(&**load, &value)),
            ));
        }
        #[cfg(feature = "stores")]
        return publish_all(published).await;
        #[cfg(not(feature = "stores"))]
        Ok(())
    }

    /// The same batch, every key to be loaded whatever is there.
    fn anew(mut self) -> Self {
        for missing in &mut self.missing {
            if let Ok(load) = &missing.load {
                let base = load.base();
                base.counters.missed(base.named(), MissReason::Refreshed);
                missing.anew = true;
            }
        }
        self
    }

    /// Runs an asynchronous body in its caller's task.
    pub(crate) async fn run<B>(self, body: B, sharing: Option<Sharing<R>>) -> R
    where
        B: LoadMany<R::Key, R> + Clone,
    {
        let take = sharing.map(|sharing| sharing.take);
        self.whole(move |leads| load(leads, body.clone(), sharing), take)
            .await
    }

    /// Runs a body that blocks.
    fn run_blocking<B: Fn(Vec<R::Key>) -> R>(self, body: B, sharing: Option<Sharing<R>>) -> R {
        if self.missing.is_empty() {
            return self.answers();
        }
        let body = &body;
        // It runs when it is polled: as part of the load that it is.
        rt::block_on(self.run(move |keys| async move { body(keys) }, sharing))
    }
}

macro_rules! common {
    () => {
        /// For generated code.
        #[doc(hidden)]
        pub fn place(self) -> Batch<R> {
            self.batch
        }

        /// The entries' keys, as statistics and logs show them, in the order in which they were
        /// given, without repetitions.
        pub fn keys(&self) -> Vec<String> {
            self.batch.names()
        }

        /// Invalidates the entries, and any load of them that is under way.
        pub fn invalidate(self) -> Invalidated {
            Invalidation::new().call(self.batch).run()
        }
    };
}

impl<R, B> BatchEntry<R, B>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
    B: LoadMany<R::Key, R> + Clone,
{
    /// For generated code: makes the call.
    #[doc(hidden)]
    pub fn run(self) -> impl Future<Output = R> {
        self.batch.run(self.body, self.sharing)
    }

    /// For generated code: makes the call, its body handed over if `how` says that it can be.
    #[doc(hidden)]
    pub fn run_as<D: DriveMany<R, B>>(
        self,
        how: impl FnOnce(&Self) -> D,
    ) -> impl Future<Output = R> {
        how(&self).drive(self)
    }

    common!();

    /// Those values that are cached and fresh, in memory or on a shared store; no body runs, and they
    /// count as neither hits nor misses.
    pub async fn get(&self) -> HashMap<R::Key, R::Value> {
        self.batch.fresh().await
    }

    /// Whether there is a fresh value for every key, in memory or on a shared store.
    pub async fn contains(&self) -> bool {
        self.batch.all().await
    }

    /// How long those values that are cached are fresh still; [`Duration::MAX`] for one that never
    /// expires.
    pub async fn ttl(&self) -> HashMap<R::Key, Duration> {
        self.batch.left().await
    }

    /// Stores values as if the function had returned them. A load that is under way will not
    /// overwrite them. Keys of the handle that are not among them are left as they are.
    ///
    /// # Errors
    /// A value is for a key that the handle does not name, and then none is stored; the function's
    /// cache is unknown, or its shared store refused.
    pub async fn put(
        &self,
        values: impl IntoIterator<Item = (R::Key, R::Value)>,
    ) -> Result<(), Error> {
        self.batch.put(values).await
    }

    /// Runs the function once for all keys and stores what it returns, whatever is cached.
    pub async fn refresh(self) -> R {
        self.batch.anew().run(self.body, self.sharing).await
    }

    /// Runs the function's body for all keys, past the cache.
    pub async fn uncached(self) -> R {
        self.body.load(self.batch.keys()).await
    }
}

impl<R, B> BlockingBatchEntry<R, B>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
    B: Fn(Vec<R::Key>) -> R,
{
    /// For generated code: makes the call.
    #[doc(hidden)]
    pub fn run(self) -> R {
        self.batch.run_blocking(self.body, self.sharing)
    }

    common!();

    /// Those values that are cached and fresh, in memory or on a shared store; no body runs, and they
    /// count as neither hits nor misses.
    pub fn get(&self) -> HashMap<R::Key, R::Value> {
        rt::block_on(self.batch.fresh())
    }

    /// Whether there is a fresh value for every key, in memory or on a shared store.
    pub fn contains(&self) -> bool {
        rt::block_on(self.batch.all())
    }

    /// How long those values that are cached are fresh still; [`Duration::MAX`] for one that never
    /// expires.
    pub fn ttl(&self) -> HashMap<R::Key, Duration> {
        rt::block_on(self.batch.left())
    }

    /// Stores values as if the function had returned them. A load that is under way will not
    /// overwrite them. Keys of the handle that are not among them are left as they are.
    ///
    /// # Errors
    /// A value is for a key that the handle does not name, and then none is stored; the function's
    /// cache is unknown, or its shared store refused.
    pub fn put(&self, values: impl IntoIterator<Item = (R::Key, R::Value)>) -> Result<(), Error> {
        rt::block_on(self.batch.put(values))
    }

    /// Runs the function once for all keys and stores what it returns, whatever is cached.
    pub fn refresh(self) -> R {
        self.batch.anew().run_blocking(self.body, self.sharing)
    }

    /// Runs the function's body for all keys, past the cache.
    pub fn uncached(self) -> R {
        (self.body)(self.batch.keys())
    }
}

/// How the body of a batch is run: in its caller's task alone, or to be handed over if need be.
pub trait DriveMany<R: Answers<Value: 'static>, B> {
    /// Runs the body for what the cache cannot serve.
    #[doc(hidden)]
    fn drive(self, entry: BatchEntry<R, B>) -> impl Future<Output = R>;
}

impl<R, B> DriveMany<R, B> for Attached
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
    B: LoadMany<R::Key, R> + Clone,
{
    fn drive(self, entry: BatchEntry<R, B>) -> impl Future<Output = R> {
        entry.run()
    }
}

impl<R, B> DriveMany<R, B> for Detachable
where
    R: Answers<Key: Clone + Eq + Hash + Send + Sync + 'static, Value: Send + Sync + 'static>,
    R: Send + 'static,
    B: LoadMany<R::Key, R, Run: Send + 'static> + Clone + Send + 'static,
{
    fn drive(self, entry: BatchEntry<R, B>) -> impl Future<Output = R> {
        let BatchEntry {
            batch,
            body,
            sharing,
        } = entry;
        let take = sharing.map(|sharing| sharing.take);
        let load = move |leads| {
            let body = body.clone();
            Carried::new(leads, |leads| load(leads, body, sharing))
        };
        batch.whole(load, take)
    }
}

/// Asks a batch whether its body may be handed to another task: `auto_many(&entry).send()`.
pub struct AutoMany<'a, R, B>(NotSend<'a, R, B>);

/// A batch whose body is not known to be `Send`.
pub struct NotSend<'a, R, B>(PhantomData<fn(&'a B) -> R>);

/// Asks about a batch.
pub fn auto_many<R: Answers<Value: 'static>, B>(_: &BatchEntry<R, B>) -> AutoMany<'_, R, B> {
    AutoMany(NotSend(PhantomData))
}

impl<'a, R, B> Deref for AutoMany<'a, R, B> {
    type Target = NotSend<'a, R, B>;

    fn deref(&self) -> &NotSend<'a, R, B> {
        &self.0
    }
}

impl<R, B> AutoMany<'_, R, B>
where
    R: Answers<Key: Send + Sync, Value: Send + Sync> + Send,
    B: LoadMany<R::Key, R, Run: Send> + Send,
{
    /// It may.
    pub fn send(&self) -> Detachable {
        Detachable
    }
}

impl<R, B> NotSend<'_, R, B> {
    /// It may not.
    pub fn send(&self) -> Attached {
        Attached
    }
}
