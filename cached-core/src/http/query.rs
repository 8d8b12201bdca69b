//! Which part of a query tells responses apart.

use std::borrow::Cow;
#[cfg(feature = "stores")]
use std::collections::BTreeSet;

use super::url::hex;
#[cfg(feature = "stores")]
use crate::key::Stable;

/// By default the query counts byte for byte.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueryRule {
    sorted: bool,
    only: Option<Vec<Name>>,
    ignore: Vec<Name>,
}

/// A parameter's name, or the beginning of one.
#[derive(Clone, Debug)]
struct Name {
    text: Box<str>,
    open: bool,
}

impl Name {
    fn new(text: String) -> Self {
        let open = text.ends_with('*');
        let text = text.trim_end_matches('*').into();
        Name { text, open }
    }

    fn matches(&self, name: &str) -> bool {
        let (name, text) = (name.as_bytes(), self.text.as_bytes());
        if self.open {
            name.starts_with(text)
        } else {
            name == text
        }
    }
}

fn names(names: impl IntoIterator<Item = impl Into<String>>) -> Vec<Name> {
    names
        .into_iter()
        .map(|name| Name::new(name.into()))
        .collect()
}

impl QueryRule {
    pub(crate) fn sorted(mut self) -> Self {
        self.sorted = true;
        self
    }

    pub(crate) fn only(mut self, only: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only = Some(names(only));
        self
    }

    pub(crate) fn ignore(mut self, ignore: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ignore.extend(names(ignore));
        self
    }

    /// The part of the query that counts. A query of which nothing counts is none.
    pub(crate) fn apply<'a>(&self, query: Option<&'a str>) -> Option<Cow<'a, str>> {
        let query = query?;
        if !self.sorted && self.only.is_none() && self.ignore.is_empty() {
            return Some(Cow::Borrowed(query));
        }
        let mut parts: Vec<&str> = query.split('&').filter(|part| self.counts(part)).collect();
        if parts.is_empty() {
            return None;
        }
        if self.sorted {
            // By name alone, as the handler sees it, and stable: the order of one name's values may
            // mean something, however the name is spelled.
            parts.sort_by_cached_key(|part| decoded(name_of(part)));
        }
        Some(Cow::Owned(parts.join("&")))
    }

    /// What it makes of queries, whatever the order in which it was said.
    #[cfg(feature = "stores")]
    pub(crate) fn stable(&self, out: &mut Stable) {
        let flags = [u8::from(self.sorted), u8::from(self.only.is_some())];
        out.bytes(&flags);
        for names in [self.only.as_deref().unwrap_or_default(), &self.ignore] {
            let names: BTreeSet<_> = names.iter().map(|name| (name.open, &name.text)).collect();
            out.part(|out| {
                for (open, text) in names {
                    out.bytes(&[u8::from(open)]);
                    out.part(|out| out.bytes(text.as_bytes()));
                }
            });
        }
    }

    fn counts(&self, part: &str) -> bool {
        let name = decoded(name_of(part));
        let named = |names: &[Name]| names.iter().any(|known| known.matches(&name));
        self.only.as_deref().is_none_or(named) && !named(&self.ignore)
    }
}

fn name_of(part: &str) -> &str {
    part.split_once('=').map_or(part, |(name, _)| name)
}

/// The name as a handler sees it: `a%62c` is `abc`.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains(['%', '+']) {
        return Cow::Borrowed(name);
    }
    let bytes = name.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match (pair.and_then(hex), byte) {
            (Some(hex), _) => {
                out.push(hex);
                at += 2;
            }
            (None, b'+') => out.push(b' '),
            (None, byte) => out.push(*byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// The query with its parameters in order, for a name that is the same in whatever order they
/// stand.
pub(crate) fn in_order(query: &str) -> String {
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.sort_unstable();
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::{QueryRule, in_order};

    fn apply(rule: &QueryRule, query: &str) -> Option<String> {
        rule.apply(Some(query)).map(std::borrow::Cow::into_owned)
    }

    #[test]
    fn without_a_rule_the_query_counts_byte_for_byte() {
        let rule = QueryRule::default();
        for query in ["", "a", "b=1&a=2", "a=&a", "a=%41"] {
            assert_eq!(apply(&rule, query).as_deref(), Some(query));
        }
        assert_eq!(rule.apply(None), None);
    }

    #[test]
    fn sorting_is_by_name_and_keeps_the_order_of_values() {
        let rule = QueryRule::default().sorted();
        assert_eq!(apply(&rule, "b=1&a=2").as_deref(), Some("a=2&b=1"));
        assert_eq!(apply(&rule, "b=2&a=x&b=1").as_deref(), Some("a=x&b=2&b=1"));
        assert_ne!(apply(&rule, "a=1&a=2"), apply(&rule, "a=2&a=1"));
        assert_ne!(apply(&rule, "a="), apply(&rule, "a"));
        // One name in two spellings.
        assert_ne!(apply(&rule, "a%62=1&ab=2"), apply(&rule, "ab=2&a%62=1"));
    }

    #[test]
    fn only_and_ignored_names_are_matched_as_the_handler_sees_them() {
        let rule = QueryRule::default().only(["page", "f_*"]);
        assert_eq!(
            apply(&rule, "x=1&page=2&f_a=3").as_deref(),
            Some("page=2&f_a=3")
        );
        assert_eq!(apply(&rule, "p%61ge=2").as_deref(), Some("p%61ge=2"));
        assert_eq!(apply(&rule, "x=1"), None);
        let rule = QueryRule::default().ignore(["utm_*"]);
        assert_eq!(
            apply(&rule, "utm_source=a&q=1&%75tm_x=2").as_deref(),
            Some("q=1")
        );
        assert_eq!(apply(&rule, "utm_source=a"), None);
        assert_eq!(
            apply(&rule, "%zz=1&%=2&%4").as_deref(),
            Some("%zz=1&%=2&%4")
        );
    }

    #[test]
    fn a_name_for_any_order_is_the_same_for_all() {
        assert_eq!(in_order("b=1&a=2&b=0"), in_order("b=0&b=1&a=2"));
    }
}
