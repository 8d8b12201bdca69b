//! What the calls of one function have in common on a store: worked out when it changes, which for
//! most functions is once.

use std::sync::{Arc, Mutex};

use super::site::Site;
use crate::clock::Nanos;
use crate::key::Stable;
use crate::scope::{Label, Scope, Scopes, levels};
use crate::store::names::{self, ANY_TAG, Digest, EVERYTHING, Names, Root, Shared};

/// What a call says of itself beside its arguments.
pub(super) struct Said<'a> {
    /// The name of the function with its type parameters.
    pub(super) marker: &'static str,
    pub(super) prefix: Option<&'a Label>,
    pub(super) tags: &'a [Label],
    /// There are tags that are known only from the value.
    pub(super) late: bool,
}

/// What follows from that.
pub(super) struct Known {
    marker: &'static str,
    prefix: Option<Label>,
    tags: Vec<Label>,
    late: bool,
    root: Root,
    shared: Arc<Shared>,
    /// In this process, for no key yet.
    scopes: Scopes,
}

impl Known {
    fn new(site: &'static Site, said: &Said<'_>, scopes: Scopes) -> Self {
        let prefix = said.prefix.map_or(site.name(), Label::as_str);
        let mut named = vec![EVERYTHING.to_owned(), names::function(site.name())];
        named.extend(levels(prefix).map(names::level));
        named.extend(said.tags.iter().map(|tag| names::tag(tag.as_str())));
        if said.late {
            named.push(ANY_TAG.to_owned());
        }
        Known {
            marker: said.marker,
            prefix: said.prefix.cloned(),
            tags: said.tags.to_vec(),
            late: said.late,
            root: Root::new(site.name(), said.marker),
            shared: Shared::new(prefix, named),
            scopes,
        }
    }

    fn is(&self, said: &Said<'_>) -> bool {
        let prefix = self.prefix.as_ref().zip(said.prefix);
        self.late == said.late
            && same(self.marker, said.marker)
            && self.prefix.is_some() == said.prefix.is_some()
            && prefix.is_none_or(|(one, other)| same(one.as_str(), other.as_str()))
            && self.tags == said.tags
    }

    /// The hash of the key with these arguments.
    pub(super) fn hash(&self, parts: &Stable) -> Digest {
        self.root.key(parts)
    }

    /// The names of the entry whose key has this hash.
    pub(super) fn names(&self, hash: Digest, lifetime: Nanos) -> Names {
        Names {
            shared: Arc::clone(&self.shared),
            hash,
            keyed: true,
            lifetime,
        }
    }

    /// Its scopes in this process: that of its key here, and that which other processes name.
    pub(super) fn scopes(&self, own: Scope, elsewhere: Scope) -> Scopes {
        self.scopes.of(own).told_as(Some(elsewhere))
    }
}

/// Whether texts are equal, most of which are one and the same.
fn same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// What one function's last call had in common with others.
pub(super) struct Last(Mutex<Option<Arc<Known>>>);

impl Last {
    pub(super) const fn new() -> Self {
        Last(Mutex::new(None))
    }

    /// What this call has; `scopes` in this process, for no key yet.
    pub(super) fn get(
        &self,
        site: &'static Site,
        said: &Said<'_>,
        scopes: impl FnOnce() -> Scopes,
    ) -> Arc<Known> {
        // Whoever would have to wait works it out afresh.
        let Ok(mut last) = self.0.try_lock() else {
            return Arc::new(Known::new(site, said, scopes()));
        };
        if let Some(last) = last.as_ref().filter(|last| last.is(said)) {
            return Arc::clone(last);
        }
        let known = Arc::new(Known::new(site, said, scopes()));
        let before = last.replace(Arc::clone(&known));
        drop(last);
        drop(before);
        known
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Known, Last, Said};
    use crate::key::Stable;
    use crate::policy::Policy;
    use crate::scope::Label;

    static SITE: super::Site = super::Site::new("tests::f", Policy::DEFAULT);

    fn known(last: &Last, prefix: Option<&str>, tag: &str, late: bool) -> Arc<Known> {
        let (prefix, tags) = (prefix.map(Label::from), [Label::from(tag)]);
        let said = Said {
            marker: "m",
            prefix: prefix.as_ref(),
            tags: &tags,
            late,
        };
        last.get(&SITE, &said, || SITE.scopes().clone())
    }

    #[test]
    fn names_are_those_of_the_call_whatever_the_last_one_had() {
        let (last, parts) = (Last::new(), Stable::default());
        let calls = [
            (Some("a"), "x", true),
            (Some("a"), "x", true),
            (Some("a:b"), "x", true),
            (Some("a:b"), "y", true),
            (Some("a:b"), "y", false),
            (None, "y", false),
            (Some("a"), "x", true),
        ];
        for (prefix, tag, late) in calls {
            let names = |known: Arc<Known>| known.names(known.hash(&parts), 0);
            let named = names(known(&last, prefix, tag, late));
            let afresh = names(known(&Last::new(), prefix, tag, late));
            assert_eq!(named.key(), afresh.key());
            assert!(named.scopes().eq(afresh.scopes()));
        }
    }

    #[test]
    fn the_same_is_worked_out_once() {
        let last = Last::new();
        let get = || known(&last, Some("a:b"), "x", false);
        assert!(Arc::ptr_eq(&get(), &get()));
    }
}
