//! Which variant a request selects (RFC 9111, section 4.1).

use http::header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::list::members;

/// The values of the request's fields that selected a response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Selecting(Vec<(HeaderName, Option<Box<[u8]>>)>);

/// The fields that select: those that the response names and those of the policy; none if it says
/// `*`, or names what is no field.
pub(crate) fn names(response: &HeaderMap, more: &[HeaderName]) -> Option<Vec<HeaderName>> {
    let mut names = more.to_vec();
    for member in members(response, VARY) {
        if member == b"*" {
            return None;
        }
        names.push(HeaderName::from_bytes(member).ok()?);
    }
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    Some(names)
}

impl Selecting {
    /// What the request says in these fields.
    pub(crate) fn of(request: &HeaderMap, names: Vec<HeaderName>) -> Self {
        let value = |name: HeaderName| {
            let value = combined(request, &name).map(Vec::into_boxed_slice);
            (name, value)
        };
        Selecting(names.into_iter().map(value).collect())
    }

    /// The fields.
    pub(crate) fn names(&self) -> Vec<HeaderName> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The fields and their values, as they were compared.
    #[cfg(feature = "stores")]
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&HeaderName, Option<&[u8]>)> {
        self.0.iter().map(|(name, value)| (name, value.as_deref()))
    }

    /// The same from fields and values.
    #[cfg(feature = "stores")]
    pub(crate) fn from_fields(
        fields: impl IntoIterator<Item = (HeaderName, Option<Box<[u8]>>)>,
    ) -> Self {
        Selecting(fields.into_iter().collect())
    }

    /// Whether another request says the same. What is absent is like what is absent only.
    pub(crate) fn matches(&self, request: &HeaderMap) -> bool {
        self.0
            .iter()
            .all(|(name, value)| matches(request, name, value.as_deref()))
    }

    /// The same but for the coding of the bytes, which says nothing of the page.
    pub(crate) fn of_the_page(mut self) -> Self {
        self.0.retain(|(name, _)| *name != ACCEPT_ENCODING);
        self
    }

    /// Whether one request can say both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, value)| {
            let mut fields = other.0.iter();
            let known = fields.find(|(other, _)| other == name);
            known.is_none_or(|(_, known)| known == value)
        })
    }

    /// How many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let each = |(_, value): &(HeaderName, Option<Box<[u8]>>)| {
            size_of::<(HeaderName, Option<Box<[u8]>>)>() + value.as_ref().map_or(0, |v| v.len())
        };
        self.0.iter().map(each).sum()
    }
}

fn matches(request: &HeaderMap, name: &HeaderName, stored: Option<&[u8]>) -> bool {
    let mut lines = request.get_all(name).iter();
    let Some(stored) = stored else {
        return lines.next().is_none();
    };
    let (first, second) = (lines.next(), lines.next());
    match (first, second) {
        (None, _) => false,
        (Some(line), None) if line.as_bytes() == stored => true,
        _ => combined(request, name).is_some_and(|value| value == stored),
    }
}

/// All lines as one. Where the field's syntax is known, what means the same has one spelling; of other
/// fields nothing is changed, since a handler may tell apart what looks alike here: then a request
/// in one spelling would choose the response for another.
fn combined(request: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    if !request.contains_key(name) {
        return None;
    }
    if *name == ACCEPT {
        let list: Vec<&[u8]> = members(request, name).collect();
        return Some(list.join(&b","[..]));
    }
    if ![ACCEPT_LANGUAGE, ACCEPT_ENCODING, ACCEPT_CHARSET].contains(name) {
        let lines = request.get_all(name).iter();
        let lines: Vec<&[u8]> = lines.map(HeaderValue::as_bytes).collect();
        return Some(lines.join(&b", "[..]));
    }
    let mut list: Vec<Vec<u8>> = members(request, name).map(weighted).collect();
    // Of languages with the same weight many servers take the first (RFC 9110, section 12.5.4).
    if *name != ACCEPT_LANGUAGE {
        list.sort_unstable();
        list.dedup();
    }
    Some(list.join(&b","[..]))
}

/// `EN ; q=0.5` as `en;q=0.5`.
fn weighted(member: &[u8]) -> Vec<u8> {
    let parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let parts: Vec<&[u8]> = parts.collect();
    parts.join(&b";"[..]).to_ascii_lowercase()
}

#[cfg(test)]
#[path = "vary_tests.rs"]
mod tests;
