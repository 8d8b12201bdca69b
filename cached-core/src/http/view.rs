//! What is cached in one way: a handler, or everything behind a layer.

use std::any::TypeId;
use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::alone::Alone;
use super::policy::ViewPolicy;
use super::stored::Variants;
use super::url::{OwnedTarget, Target};
use crate::clock::Nanos;
use crate::engine::Engine;
use crate::engine::site::Site;
use crate::key::{AnyKey, OwnedKey, Parts};
use crate::memory::{Entry, Meta, Slot};
use crate::policy::IntoTimeout;
use crate::scope::{Label, Scope, Scopes, of_function, of_key, of_tag};
use crate::stats::Counters;

/// What is cached in one way, and tells its entries apart from those of all others.
pub struct View {
    pub(crate) id: usize,
    pub(crate) name: &'static str,
    pub(crate) policy: ViewPolicy,
    pub(crate) prefix: Option<Label>,
    pub(crate) tags: Vec<Label>,
    pub(crate) known: Known,
    /// Shared with what holds for one call only.
    pub(crate) alone: Arc<Alone>,
}

/// What a view is to other processes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known {
    /// A handler of this name.
    Handler,
    /// A layer, known by the name that it was given, or else by the place where it was made.
    Layer(Option<&'static Location<'static>>),
}

impl View {
    /// A layer, with a number of its own; other processes know it by where it was made.
    #[track_caller]
    pub fn new(name: &'static str, policy: ViewPolicy) -> Self {
        // From the top: addresses, which number functions, never come so far.
        static NEXT: AtomicUsize = AtomicUsize::new(usize::MAX);
        let id = NEXT.fetch_sub(1, Ordering::Relaxed);
        View {
            known: Known::Layer(Some(Location::caller())),
            ..Self::numbered(id, name, policy)
        }
    }

    /// That of an annotated handler: `invalidate!(handler)` names it.
    pub fn of(site: &'static Site, policy: ViewPolicy) -> Self {
        Self::numbered(site.id(), site.name(), policy)
    }

    /// The same with a number of its own.
    pub(crate) fn again(&self) -> Self {
        View {
            prefix: self.prefix.clone(),
            tags: self.tags.clone(),
            known: self.known,
            ..Self::new(self.name, self.policy.clone())
        }
    }

    fn numbered(id: usize, name: &'static str, policy: ViewPolicy) -> Self {
        View {
            id,
            name,
            policy,
            prefix: None,
            tags: Vec::new(),
            known: Known::Handler,
            alone: Arc::default(),
        }
    }

    /// What other processes call it.
    pub(crate) fn shared_name(&self) -> Cow<'static, str> {
        match self.known {
            Known::Layer(Some(place)) => Cow::Owned(format!("{} {place}", self.name)),
            Known::Layer(None) | Known::Handler => Cow::Borrowed(self.name),
        }
    }

    /// Whether it is an annotated handler. Its arguments are made of the request as it comes, but for
    /// what the client has already: that it is never shown.
    pub(crate) fn is_handler(&self) -> bool {
        matches!(self.known, Known::Handler)
    }

    pub(crate) fn counters(&self, engine: &Engine) -> Arc<Counters> {
        engine.counters_at(self.id, self.name)
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("name", &self.name).finish()
    }
}

/// What one call adds to its view's own prefix and tags.
#[derive(Debug, Default)]
pub struct Labels {
    pub(crate) prefix: Option<Label>,
    pub(crate) tags: Vec<Label>,
    pub(crate) timeout: Option<Nanos>,
    /// The tick at which what the handler works with began to be read.
    pub(crate) since: Option<u64>,
}

impl Labels {
    /// `timeout`, for responses that do not say so themselves.
    pub fn timeout(&mut self, timeout: impl IntoTimeout) -> &mut Self {
        self.timeout = Some(timeout.into_timeout());
        self
    }

    /// The view as it holds for this call.
    pub(crate) fn of(&self, view: &Arc<View>) -> Arc<View> {
        let Some(timeout) = self.timeout else {
            return Arc::clone(view);
        };
        let policy = ViewPolicy {
            timeout: Some(timeout),
            ..view.policy.clone()
        };
        Arc::new(View {
            prefix: view.prefix.clone(),
            tags: view.tags.clone(),
            known: view.known,
            alone: Arc::clone(&view.alone),
            ..View::numbered(view.id, view.name, policy)
        })
    }

    /// `key_prefix`.
    pub fn prefix(&mut self, label: Label) -> &mut Self {
        self.prefix = Some(label);
        self
    }

    /// One of `tags(…)`.
    pub fn tag(&mut self, label: Label) -> &mut Self {
        self.tags.push(label);
        self
    }

    pub(crate) fn scopes(
        &self,
        view: &View,
        own: Scope,
        url: impl IntoIterator<Item = Scope>,
    ) -> Scopes {
        let tags = self.tags_of(view).map(of_tag);
        let more = [of_function(view.id)].into_iter().chain(url).chain(tags);
        Scopes::new(own, self.prefix_of(view), more)
    }

    /// The prefix of an entry.
    pub(crate) fn prefix_of<'a>(&'a self, view: &'a View) -> &'a str {
        let prefix = self.prefix.as_ref().or(view.prefix.as_ref());
        prefix.map_or(view.name, Label::as_str)
    }

    /// The tags of an entry.
    pub(crate) fn tags_of<'a>(&'a self, view: &'a View) -> impl Iterator<Item = &'a str> {
        let tags = view.tags.iter().chain(&self.tags);
        tags.map(Label::as_str)
    }
}

/// The place of one URL's entry, the types of its key forgotten.
pub(crate) trait Spot: Send + Sync {
    fn key(&self) -> Arc<dyn AnyKey>;
    fn any(&self) -> &dyn AnyKey;
    fn heap(&self) -> usize;
    fn slot(&self, meta: Meta, variants: Variants) -> Slot;
}

/// The key of one URL's entry: the URL, and what the view adds.
pub(crate) struct Key<K> {
    key: Arc<OwnedKey<(OwnedTarget, K)>>,
    heap: usize,
}

impl<K: Clone + Eq + Send + Sync + 'static> Key<K> {
    pub(crate) fn new<P: Parts<Owned = K>>(
        hash: u64,
        marker: TypeId,
        parts: &(Target<'_>, P),
    ) -> Self {
        let parts = parts.own();
        let heap = <(Target<'_>, P) as Parts>::heap(&parts);
        let key = Arc::new(OwnedKey {
            hash,
            marker,
            parts,
        });
        Key { key, heap }
    }
}

impl<K: Clone + Eq + Send + Sync + 'static> Spot for Key<K> {
    fn key(&self) -> Arc<dyn AnyKey> {
        Arc::clone(&self.key) as Arc<dyn AnyKey>
    }

    fn any(&self) -> &dyn AnyKey {
        &*self.key
    }

    fn heap(&self) -> usize {
        self.heap
    }

    fn slot(&self, meta: Meta, value: Variants) -> Slot {
        let key = self.key.as_ref().clone();
        Slot::new(Entry { meta, key, value })
    }
}

/// The scope of one entry.
pub(crate) fn own_scope(key: &dyn AnyKey) -> Scope {
    of_key(key.marker(), key.hash())
}
