//! What the options say about one call, worked out on a miss only.

#[cfg(feature = "stores")]
use std::sync::Arc;

#[cfg(feature = "stores")]
use super::named::{Known, Said};
#[cfg(feature = "stores")]
use super::site::Marker;
use super::site::Site;
use crate::clock::Nanos;
use crate::error::TimedOut;
use crate::outcome::FromTimedOut;
use crate::policy::IntoTimeout;
use crate::scope::{Label, Scope, Scopes, of_function, of_tag};

type OnValue<V, T> = Option<Box<dyn Fn(&V) -> T + Send + Sync>>;

/// Prefix, tags and the closures on the value: for results of type `R`, which hold a `V` or an `E`.
pub struct Plan<R, V: ?Sized, E> {
    pub(crate) prefix: Option<Label>,
    tags: Vec<Label>,
    timeout: Option<Nanos>,
    timeout_by: OnValue<V, u64>,
    pub(crate) cache_if: OnValue<V, bool>,
    #[cfg_attr(
        not(feature = "stores"),
        allow(
            dead_code,
            reason = "without a store, memory is all that is asked about"
        )
    )]
    pub(crate) stale_if: OnValue<V, bool>,
    tags_by: OnValue<V, Vec<Label>>,
    pub(crate) only: OnValue<E, bool>,
    pub(crate) timed_out: Option<fn(TimedOut) -> R>,
}

impl<R, V: ?Sized, E> Plan<R, V, E> {
    pub(crate) fn new() -> Self {
        Plan {
            prefix: None,
            tags: Vec::new(),
            timeout: None,
            timeout_by: None,
            cache_if: None,
            stale_if: None,
            tags_by: None,
            only: None,
            timed_out: None,
        }
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

    /// `timeout = expression`.
    pub fn timeout(&mut self, timeout: impl IntoTimeout) -> &mut Self {
        self.timeout = Some(timeout.into_timeout());
        self
    }

    /// `timeout = |value| …`.
    pub fn timeout_by<D: IntoTimeout>(
        &mut self,
        by: impl Fn(&V) -> D + Send + Sync + 'static,
    ) -> &mut Self {
        self.timeout_by = Some(Box::new(move |value| by(value).into_timeout()));
        self
    }

    /// `cache_if = |value| …`.
    pub fn cache_if(&mut self, by: impl Fn(&V) -> bool + Send + Sync + 'static) -> &mut Self {
        self.cache_if = Some(Box::new(by));
        self
    }

    /// `stale_if = |value| …`, for what the shared store has.
    pub fn stale_if(&mut self, by: impl Fn(&V) -> bool + Send + Sync + 'static) -> &mut Self {
        self.stale_if = Some(Box::new(by));
        self
    }

    /// A closure among `tags(…)`.
    pub fn tags_by<I>(&mut self, by: impl Fn(&V) -> I + Send + Sync + 'static) -> &mut Self
    where
        I: IntoIterator<Item: Into<Label>>,
    {
        self.tags_by = Some(Box::new(move |value| {
            by(value).into_iter().map(Into::into).collect()
        }));
        self
    }

    /// The errors that `stale_if_error` holds for.
    pub fn only(&mut self, by: impl Fn(&E) -> bool + Send + Sync + 'static) -> &mut Self {
        self.only = Some(Box::new(by));
        self
    }

    /// `hard_timeout`: makes the error.
    pub fn hard(&mut self) -> &mut Self
    where
        R: FromTimedOut,
    {
        self.timed_out = Some(R::from_timed_out);
        self
    }

    /// The scopes of the key `own` that are known before the body runs. Where neither prefix nor
    /// tags are the call's, they are the function's, the same for all its entries.
    pub(crate) fn scopes(&self, site: &'static Site, own: Scope) -> Scopes {
        if self.prefix.is_none() && self.tags.is_empty() {
            return site.scopes().of(own);
        }
        let prefix = self.prefix.as_ref().map_or(site.name(), Label::as_str);
        let tags = self.tags.iter().map(|tag| of_tag(tag.as_str()));
        Scopes::new(own, prefix, tags.chain([of_function(site.id())]))
    }

    /// What the call has in common with others on a shared store.
    #[cfg(feature = "stores")]
    pub(super) fn known(&self, site: &'static Site, marker: Marker) -> Arc<Known> {
        let said = Said {
            marker: marker.name,
            prefix: self.prefix.as_ref(),
            tags: &self.tags,
            late: self.tags_by.is_some(),
        };
        site.last().get(site, &said, || self.scopes(site, 0))
    }

    /// Whether there are tags known only from the value.
    pub(crate) fn has_late_tags(&self) -> bool {
        self.tags_by.is_some()
    }

    /// The tags known only from the value.
    pub(crate) fn late_tags(&self, value: &V) -> Vec<Label> {
        self.tags_by.as_ref().map_or_else(Vec::new, |by| by(value))
    }

    /// The time to live, where this call or its value says so.
    pub(crate) fn lifetime(&self, value: Option<&V>) -> Option<Nanos> {
        match (&self.timeout_by, value) {
            (Some(by), Some(value)) => Some(by(value)),
            _ => self.timeout,
        }
    }
}
