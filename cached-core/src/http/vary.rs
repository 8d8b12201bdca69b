//! Which variant a request selects (RFC 9111, section 4.1).

use http::header::{ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, VARY};
use http::{HeaderMap, HeaderName};

use super::list::members;

/// The values of the request's fields that selected a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

    /// Whether another request says the same. What is absent is like what is absent only.
    pub(crate) fn matches(&self, request: &HeaderMap) -> bool {
        self.0
            .iter()
            .all(|(name, value)| matches(request, name, value.as_deref()))
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

/// All lines as one, without the space around commas; where the field's definition allows it, in
/// one order and case.
fn combined(request: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    if !request.contains_key(name) {
        return None;
    }
    let mut list: Vec<Vec<u8>> = members(request, name).map(<[u8]>::to_vec).collect();
    if [ACCEPT_LANGUAGE, ACCEPT_ENCODING, ACCEPT_CHARSET].contains(name) {
        // Their order means nothing: preference is said with `q` (RFC 9110, section 12.4.2).
        for member in &mut list {
            member.retain(|byte| *byte != b' ' && *byte != b'\t');
            member.make_ascii_lowercase();
        }
        list.sort_unstable();
        list.dedup();
    }
    Some(list.join(&b","[..]))
}

#[cfg(test)]
#[path = "vary_tests.rs"]
mod tests;
