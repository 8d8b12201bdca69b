//! Invalidation: the builder behind `invalidate!`, and what it returns.

use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::deliver::Deliveries;
pub(crate) use super::deliver::names;
use super::{Cache, current};
use crate::engine::Engine;
use crate::engine::answers::Answers;
use crate::engine::at::{At, Place};
use crate::engine::batch::Batch;
use crate::engine::call::Load;
use crate::engine::site::Site;
use crate::error::Error;
use crate::scope::ticks::Order;
use crate::scope::{Glob, Label, Scope, of_any_tag, of_function, of_key, of_level, of_tag};

/// Several things to invalidate in one step; `invalidate!` writes one for you.
///
/// ```
/// use dewar::{Cache, Label};
///
/// let cache = Cache::current();
/// let user = 42;
/// cache.invalidation().prefix(Label::new().text("user:").value(user)).tag("users").run().wait()?;
/// # Ok::<(), dewar::Error>(())
/// ```
#[must_use = "nothing is invalidated before `run`"]
pub struct Invalidation {
    /// Where prefixes, tags and patterns are looked for.
    cache: Result<Cache, Error>,
    soft: bool,
    orders: Vec<(Arc<Engine>, Order)>,
    error: Option<Error>,
}

impl Invalidation {
    /// In the current cache.
    pub fn new() -> Self {
        Invalidation {
            cache: Ok(Cache::current()),
            soft: false,
            orders: Vec::new(),
            error: None,
        }
    }

    /// In the cache that functions use which name this one: itself, but where a test has put its
    /// own in the place of all.
    pub fn of(mut self, cache: &Cache) -> Self {
        self.cache = Ok(current::cache(false).unwrap_or_else(|| cache.clone()));
        self
    }

    /// The same for the cache registered under this name.
    pub fn named(mut self, name: &str) -> Self {
        self.cache = current::cache(false).map_or_else(|| Cache::named(name), Ok);
        self
    }

    /// Expired, not gone: may still be served stale while it reloads.
    pub fn soft(mut self) -> Self {
        self.soft = true;
        self
    }

    /// A level of a prefix, and everything below it.
    ///
    /// A `:` at its end may be left out. One that names no level is an error of
    /// [`run`](Invalidation::run)'s result.
    pub fn prefix(mut self, prefix: impl Into<Label>) -> Self {
        let prefix = prefix.into();
        let level = prefix.as_str().trim_end_matches(':');
        if level.is_empty() {
            let what = format!(
                "is `{prefix}`, which names no level: give one such as `user:42`, or invalidate `all`"
            );
            self.error = Some(Error::config("prefix", what));
            return self;
        }
        let what = || format!("prefix {level}");
        self.here(what, |order| {
            order.add(of_level(level), || names::level(level))
        })
    }

    /// Everything that has this tag.
    pub fn tag(self, tag: impl Into<Label>) -> Self {
        let tag = tag.into();
        let what = || format!("tag {tag}");
        self.here(what, |order| {
            order.add(of_tag(tag.as_str()), || names::tag(tag.as_str()));
            order.scopes.push(of_any_tag());
            order.name(names::any_tag);
        })
    }

    /// Everything whose whole prefix fits: `*` stands for any text, `?` for one character.
    ///
    /// On a shared store, which knows of no prefixes, it invalidates everything.
    pub fn pattern(self, pattern: impl Into<Label>) -> Self {
        let pattern = pattern.into();
        let glob = Glob::new(pattern.as_str());
        self.here(
            || format!("pattern {pattern}"),
            |order| {
                order.patterns.push(glob);
                order.name(names::everything);
            },
        )
    }

    /// Everything.
    pub fn all(self) -> Self {
        self.here(
            || "everything".to_owned(),
            |order| {
                order.all = true;
                order.name(names::everything);
            },
        )
    }

    /// One call's entry, or those of a batch.
    #[doc(hidden)]
    pub fn call(mut self, places: impl Places) -> Self {
        places.add_to(&mut self);
        self
    }

    fn load<R>(&mut self, load: &dyn Load<R>) {
        let base = load.base();
        let engine = Arc::clone(&base.engine);
        let what = || format!("call {}", base.function);
        self.add(engine, what, |order| {
            order.scopes.push(of_key(load.key().marker(), base.hash));
            #[cfg(feature = "stores")]
            order.names.extend(base.told_as());
        });
    }

    /// Every entry of a function.
    #[doc(hidden)]
    pub fn function(mut self, site: &'static Site) -> Self {
        match site.resolve() {
            Ok(cache) => {
                let scope = of_function(site.id());
                let what = || format!("function {}", site.name());
                self.add(Arc::clone(cache.engine()), what, |order| {
                    order.add(scope, || names::function(site.name()));
                });
            }
            Err(error) => self.error = Some(error),
        }
        self
    }

    /// What it is to name cannot be named.
    #[cfg(feature = "tower")]
    pub(crate) fn refused(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }

    /// Every entry of the functions with these numbers, which have this name.
    #[cfg(feature = "dashboard")]
    pub(crate) fn functions(self, name: &str, ids: Vec<usize>) -> Self {
        let what = || format!("function {name}");
        self.here(what, |order| {
            order.name(|| names::function(name));
            order.scopes.extend(ids.into_iter().map(of_function));
        })
    }

    pub(crate) fn here(
        mut self,
        what: impl FnOnce() -> String,
        say: impl FnOnce(&mut Order),
    ) -> Self {
        if let Ok(cache) = &self.cache {
            let engine = Arc::clone(cache.engine());
            self.add(engine, what, say);
        }
        self
    }

    /// The same in the cache of an engine.
    #[cfg(feature = "tower")]
    pub(crate) fn on(
        engine: &Arc<Engine>,
        what: impl FnOnce() -> String,
        say: impl FnOnce(&mut Order),
    ) -> Self {
        Cache(Arc::clone(engine)).invalidation().here(what, say)
    }

    /// Has the order for this cache say more, and name it in words where somebody is told.
    fn add(
        &mut self,
        engine: Arc<Engine>,
        what: impl FnOnce() -> String,
        say: impl FnOnce(&mut Order),
    ) {
        let watched = engine.counters.watched();
        let say = |order: &mut Order| {
            if watched {
                order.what.push(what());
            }
            say(order);
        };
        let known = self
            .orders
            .iter_mut()
            .find(|(known, _)| Arc::ptr_eq(known, &engine));
        match known {
            Some((_, order)) => say(order),
            None => {
                let mut order = Order::default();
                say(&mut order);
                self.orders.push((engine, order));
            }
        }
    }

    /// Invalidates. In this process it has happened when this returns.
    pub fn run(mut self) -> Invalidated {
        let mut deliveries = Deliveries::new();
        for (engine, order) in &mut self.orders {
            order.soft = self.soft;
            // First the store: what is announced is not read from it any more, so nothing old
            // comes back into memory after the tick.
            deliveries.announce(engine, order);
            engine.invalidate(order);
        }
        let error = self.error.or(self.cache.err());
        if let Some(error) = &error {
            crate::trace::refused(error);
        }
        Invalidated { error, deliveries }
    }
}

impl Order {
    pub(crate) fn add(&mut self, scope: Scope, name: impl FnOnce() -> String) {
        self.scopes.push(scope);
        self.name(name);
    }

    /// Names a scope for the shared store.
    #[cfg(feature = "stores")]
    fn name(&mut self, name: impl FnOnce() -> String) {
        self.names.push(name());
    }

    /// Names a scope for the shared store: there is none.
    #[cfg(not(feature = "stores"))]
    fn name(&mut self, _name: impl FnOnce() -> String) {}
}

/// An invalidation that waits for the end of the function that changes the data.
///
/// Where that function panics, or its future is dropped, nobody knows how far it came: what it may
/// have changed is invalidated.
#[doc(hidden)]
pub struct Pending(Option<Invalidation>);

impl Pending {
    /// For generated code.
    pub fn new(invalidation: Invalidation) -> Self {
        Pending(Some(invalidation))
    }

    /// Invalidates once ahead of the body as well.
    pub fn ahead(&self) {
        let Some(invalidation) = &self.0 else { return };
        let mut deliveries = Deliveries::new();
        for (engine, order) in &invalidation.orders {
            let order = Order {
                soft: invalidation.soft,
                ..order.clone()
            };
            deliveries.announce(engine, &order);
            engine.invalidate(&order);
        }
    }

    /// The function has returned; `wanted` unless it returned an error.
    pub fn finish(mut self, wanted: bool) -> Invalidated {
        match self.0.take().filter(|_| wanted) {
            Some(invalidation) => invalidation.run(),
            None => Invalidated {
                error: None,
                deliveries: Deliveries::new(),
            },
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(invalidation) = self.0.take() {
            drop(invalidation.run());
        }
    }
}

/// What `call` accepts.
#[doc(hidden)]
pub trait Places {
    /// Adds the places to an invalidation.
    fn add_to(self, invalidation: &mut Invalidation);
}

impl<R: 'static> Places for At<R> {
    fn add_to(self, invalidation: &mut Invalidation) {
        match self.0 {
            Place::Miss { load, .. } | Place::Ready { load, .. } => invalidation.load(&*load),
            Place::Hit(_) => {}
            // Not in the cache, or in none that is known.
            Place::Bypass(error) => invalidation.error = error.or(invalidation.error.take()),
        }
    }
}

impl<R> Places for Batch<R>
where
    R: Answers<Key: Clone + Eq + Hash, Value: 'static>,
{
    fn add_to(self, invalidation: &mut Invalidation) {
        self.places().for_each(|place| place.add_to(invalidation));
    }
}

impl Default for Invalidation {
    fn default() -> Self {
        Self::new()
    }
}

/// An invalidation that has happened in this process: await it, or [`wait`](Invalidated::wait), to
/// know that it has reached the shared store.
///
/// Dropped without that, it is delivered in the background, and tried again until it is through.
#[derive(Debug)]
pub struct Invalidated {
    error: Option<Error>,
    deliveries: Deliveries,
}

impl Invalidated {
    /// Waits for the shared store's confirmation.
    ///
    /// # Errors
    /// The cache is unknown, or the store did not confirm; the invalidation is kept and replayed.
    pub fn wait(self) -> Result<(), Error> {
        crate::rt::block_on(self)
    }
}

impl Future for Invalidated {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let delivered = ready!(self.deliveries.poll(cx));
        Poll::Ready(match self.error.take() {
            Some(error) => Err(error),
            None => delivered,
        })
    }
}

impl Cache {
    /// Starts an invalidation in this cache.
    pub fn invalidation(&self) -> Invalidation {
        let cache = Ok(self.clone());
        Invalidation {
            cache,
            ..Invalidation::new()
        }
    }
}
