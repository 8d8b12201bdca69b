//! Fragments: pieces of a page, kept as text.
//!
//! Here: the function for any template engine, and what an entry of it is made of. Beside it
//! [`call_block`], the function that minijinja's `call` block calls, with [`key_value`] and [`time`]:
//! values and lengths of time as a template has them.

#[cfg(feature = "minijinja")]
pub(crate) mod call_block;
#[cfg(feature = "minijinja")]
mod key_value;
mod markup;
#[cfg(feature = "minijinja")]
mod time;

use std::future::Future;
use std::sync::Arc;

use serde_core::Serialize;

pub(crate) use markup::Markup;

use crate::cache::api::Expiry;
use crate::cache::{Cache, current};
use crate::engine::at::{At, Mode, Place, at_in};
use crate::engine::plan::Plan;
use crate::engine::site::{Marker, Site};
use crate::key::canonical::{self, Bytes};
use crate::key::{self, Part, stable::Stable};
use crate::outcome::{Fallible, out};
use crate::policy::Policy;
use crate::scope::Label;

/// Stands for all fragments where functions have a site of their own.
static SITE: Site = Site::new("dewar::fragment", Policy::DEFAULT);

/// Tells the keys of fragments apart from those of functions.
struct OfFragment;

/// The level of a value that has no text of its own, such as a list. No value is written so.
const NO_TEXT: &str = "%+";

/// A piece of a page, by its name and the values that it depends on; made by [`fragment`].
///
/// Where nothing else is said it lives for the cache's default timeout, in the current cache.
#[must_use = "nothing is rendered before `render`"]
#[derive(Clone)]
pub struct Fragment {
    /// The name and the values, each with its length.
    key: Vec<u8>,
    prefix: Label,
    tags: Vec<Label>,
    expiry: Expiry,
    cache: Option<Cache>,
    refresh: bool,
    bypass: bool,
}

/// A piece of a page that is rendered once and then served as text, for any template engine.
///
/// The name is the first level of its prefix, each [`key`](Fragment::key) the next one: the
/// fragment below is invalidated by `prefix = "sidebar"` and by `prefix = "sidebar:{user}"`.
///
/// ```
/// use dewar::{fragment, invalidate};
/// use std::time::Duration;
///
/// let user = 42;
/// let sidebar = || {
///     fragment("sidebar")
///         .key(user)
///         .timeout(Duration::from_secs(60))
///         .render(|| Ok::<_, std::fmt::Error>(format!("<nav>user {user}</nav>")))
/// };
/// assert_eq!(&*sidebar()?, "<nav>user 42</nav>");
/// assert_eq!(&*sidebar()?, "<nav>user 42</nav>"); // nothing is rendered
/// invalidate!(prefix = "sidebar:{user}").wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fragment(name: impl Into<Label>) -> Fragment {
    let prefix: Label = name.into();
    let mut fragment = Fragment {
        key: Vec::new(),
        prefix: prefix.clone(),
        tags: Vec::new(),
        expiry: Expiry::Default,
        cache: None,
        refresh: false,
        bypass: false,
    };
    fragment.add(prefix.as_str());
    fragment
}

impl Fragment {
    /// A value that the fragment depends on: it counts by its whole serialised value.
    ///
    /// Everything that the fragment shows and that can differ from one reader to the next belongs
    /// here, the user's id above all. A value whose `Serialize` fails makes the fragment one that
    /// is not cached.
    pub fn key(mut self, value: impl Serialize) -> Self {
        let level = self.add(&value);
        self.prefix = self.prefix.text(":");
        self.prefix = match level {
            Some(text) => self.prefix.value(text),
            None => self.prefix.text(NO_TEXT),
        };
        self
    }

    /// How long it lives; no time at all means that it is not stored.
    pub fn timeout(mut self, timeout: impl Into<Expiry>) -> Self {
        self.expiry = timeout.into();
        self
    }

    /// A tag, for `invalidate!(tag = …)`.
    pub fn tag(mut self, tag: impl Into<Label>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// The cache that it is kept in, instead of the current one.
    pub fn cache(mut self, cache: &Cache) -> Self {
        self.cache = Some(cache.clone());
        self
    }

    /// True goes past the cache: nothing is read or stored.
    pub fn unless(mut self, condition: bool) -> Self {
        self.bypass |= condition;
        self
    }

    /// True renders and stores, whatever is there.
    pub fn refresh_if(mut self, condition: bool) -> Self {
        self.refresh |= condition;
        self
    }

    /// The fragment; `render` is called if the cache has none, once for all who ask at once.
    ///
    /// The text is served as it is: escaping is the engine's business while it renders.
    ///
    /// # Errors
    /// What `render` returned; it is not stored.
    pub fn render<T, E>(self, render: impl FnOnce() -> Result<T, E>) -> Result<Arc<str>, E>
    where
        T: Into<Arc<str>>,
        E: 'static,
    {
        let at: At<Result<Markup, E>> = self.at();
        at.call(|| Ok(Markup(render()?.into())))
            .map(|markup| markup.0)
    }

    /// The same for a body that has to await something.
    ///
    /// Render a fragment in one way or the other: `render` blocks its thread while it waits for
    /// another caller, which is in vain where that one is a task of the same thread.
    ///
    /// # Errors
    /// As [`render`](Fragment::render).
    pub async fn render_async<T, E, F>(self, render: impl FnOnce() -> F) -> Result<Arc<str>, E>
    where
        T: Into<Arc<str>>,
        E: 'static,
        F: Future<Output = Result<T, E>>,
    {
        let at: At<Result<Markup, E>> = self.at();
        let markup = match at.0 {
            Place::Hit(result) => result?,
            _ => {
                let body = render();
                at.run_here(async { Ok(Markup(body.await?.into())) })
                    .await?
            }
        };
        Ok(markup.0)
    }

    /// Adds a value to the key; returns its text, if it has one.
    fn add(&mut self, value: impl Serialize) -> Option<String> {
        match canonical::bytes(&value) {
            Bytes::Whole(raw) => {
                self.key
                    .extend_from_slice(&(raw.len() as u64).to_le_bytes());
                self.key.extend_from_slice(&raw);
                key::shown(&raw)
            }
            Bytes::Unique(_) => {
                self.bypass = true;
                None
            }
        }
    }

    fn at<E: 'static>(self) -> At<Result<Markup, E>> {
        let cache = match &self.cache {
            Some(cache) => current::cache(false).unwrap_or_else(|| cache.clone()),
            None => Cache::current(),
        };
        let mode = Mode::Read
            .unless(|| self.bypass)
            .refresh_if(|| self.refresh);
        let outcome: Fallible<Markup, E> = out::<Result<Markup, E>>().kind();
        let (prefix, tags, expiry) = (self.prefix, self.tags, self.expiry);
        let fill = |plan: &mut Plan<_, _, _>| {
            plan.prefix(prefix);
            for tag in tags {
                plan.tag(tag);
            }
            match expiry {
                Expiry::Default => {}
                Expiry::After(timeout) => {
                    plan.timeout(timeout);
                }
                Expiry::Never => {
                    plan.timeout(None);
                }
            }
        };
        at_in(
            cache.engine(),
            mode,
            &SITE,
            Marker::of(&OfFragment),
            (Whole(&self.key), ()),
            outcome,
            |_| false,
            fill,
        )
    }
}

impl std::fmt::Debug for Fragment {
    /// Without its values: they are nobody's business but the cache's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fragment")
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}

/// Bytes that are compared whole.
struct Whole<'a>(&'a [u8]);

impl Part for Whole<'_> {
    type Owned = Box<[u8]>;

    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        hasher.write(self.0);
    }

    fn matches(&self, owned: &Box<[u8]>) -> bool {
        *self.0 == **owned
    }

    fn own(&self) -> Box<[u8]> {
        self.0.into()
    }

    fn stable(&self, out: &mut Stable) {
        out.bytes(self.0);
    }

    fn heap(owned: &Box<[u8]>) -> usize {
        owned.len()
    }
}
