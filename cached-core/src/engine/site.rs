//! One annotated function.

use std::any::TypeId;
use std::ops::Deref;

use once_cell::sync::OnceCell;

use crate::cache::current::Current;
use crate::cache::{self, Cache};
use crate::error::Error;
use crate::policy::Policy;
use crate::scope::{Scopes, of_function};

/// The description of an annotated function: a `static` in generated code.
pub struct Site {
    name: &'static str,
    policy: Policy,
    source: Source,
    cache: OnceCell<Cache>,
    scopes: OnceCell<Scopes>,
    #[cfg(feature = "stores")]
    last: super::named::Last,
}

/// Which cache a function uses.
#[derive(Clone, Copy)]
enum Source {
    Default,
    Static(fn() -> &'static Cache),
    Named(&'static str),
}

impl Policy {
    /// The description of the function of that name, which uses the default cache.
    pub const fn site(self, name: &'static str) -> Site {
        Site::new(name, self)
    }
}

impl Site {
    /// A function that uses the default cache.
    pub const fn new(name: &'static str, policy: Policy) -> Self {
        Site {
            name,
            policy,
            source: Source::Default,
            cache: OnceCell::new(),
            scopes: OnceCell::new(),
            #[cfg(feature = "stores")]
            last: super::named::Last::new(),
        }
    }

    /// `cache = PATH`.
    #[must_use]
    pub const fn cache(mut self, cache: fn() -> &'static Cache) -> Self {
        self.source = Source::Static(cache);
        self
    }

    /// `cache = "name"`.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.source = Source::Named(name);
        self
    }

    /// `crate::module::function`.
    pub(crate) fn name(&'static self) -> &'static str {
        self.name
    }

    pub(crate) fn policy(&'static self) -> &'static Policy {
        &self.policy
    }

    /// A number that no other function has in this process.
    pub(crate) fn id(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The scopes of an entry without a prefix or tags of its own.
    pub(crate) fn scopes(&'static self) -> &'static Scopes {
        let new = || Scopes::new(0, self.name, [of_function(self.id())]);
        self.scopes.get_or_init(new)
    }

    /// What the last call of the function had in common with others.
    #[cfg(feature = "stores")]
    pub(super) fn last(&'static self) -> &'static super::named::Last {
        &self.last
    }

    /// The cache that holds for a call made here and now.
    #[inline]
    pub(crate) fn resolve(&'static self) -> Result<Resolved, Error> {
        if let Some(cache) = cache::current::of(matches!(self.source, Source::Default)) {
            return Ok(Resolved::Current(cache));
        }
        let cache = match self.source {
            Source::Default => cache::registry::default_cache(),
            Source::Static(cache) => cache(),
            Source::Named(name) => self
                .cache
                .get_or_try_init(|| cache::registry::named(name))?,
        };
        Ok(Resolved::Fixed(cache))
    }
}

/// A cache, without a reference counted that other threads count too.
pub(crate) enum Resolved {
    Fixed(&'static Cache),
    Current(Current),
}

impl Deref for Resolved {
    type Target = Cache;

    #[inline]
    fn deref(&self) -> &Cache {
        match self {
            Resolved::Fixed(cache) => cache,
            Resolved::Current(cache) => cache,
        }
    }
}

/// Tells the instantiations of a generic function, and of the `impl` around it, apart: the type of
/// the function itself carries all their type parameters. Lifetimes do not count.
#[derive(Clone, Copy)]
pub(crate) struct Marker {
    pub(crate) id: TypeId,
    /// The same in every process of one build.
    #[cfg_attr(
        not(feature = "stores"),
        expect(dead_code, reason = "only stores need a name")
    )]
    pub(crate) name: &'static str,
}

impl Marker {
    #[inline]
    pub(crate) fn of<F>(_inside: &F) -> Marker {
        Marker {
            id: typeid::of::<F>(),
            name: std::any::type_name::<F>(),
        }
    }
}
