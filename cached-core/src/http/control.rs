//! `Cache-Control`, of requests and responses (RFC 9111, section 5.2; RFC 5861).

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{AsHeaderName, CACHE_CONTROL};

use super::list::{is_open, members};

/// The largest number of seconds that is told apart (RFC 9111, section 1.2.2).
pub(crate) const MOST: u64 = 1 << 31;

/// What a field says. Numbers are seconds; unknown directives are left out.
///
/// A directive that stands there twice counts with the smaller value, one whose value cannot be
/// read as zero: nothing is kept longer than the most cautious reading allows. A quoted string that
/// nothing closes may hide anything, and counts as `no-store`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) no_store: bool,
    /// Also where it names fields: then the whole response is validated.
    pub(crate) no_cache: bool,
    /// Also where it names fields: then nothing of the response is stored.
    pub(crate) private: bool,
    pub(crate) public: bool,
    pub(crate) must_revalidate: bool,
    pub(crate) proxy_revalidate: bool,
    pub(crate) must_understand: bool,
    pub(crate) only_if_cached: bool,
    pub(crate) max_age: Option<u64>,
    pub(crate) s_maxage: Option<u64>,
    pub(crate) min_fresh: Option<u64>,
    /// Without a value it stands for any time.
    pub(crate) max_stale: Option<u64>,
    pub(crate) stale_while_revalidate: Option<u64>,
    pub(crate) stale_if_error: Option<u64>,
    /// There is such a field.
    pub(crate) present: bool,
}

impl Control {
    /// Reads all lines of `Cache-Control`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self::in_field(headers, CACHE_CONTROL)
    }

    /// Reads a field of the same syntax.
    pub(crate) fn in_field(headers: &HeaderMap, name: impl AsHeaderName + Clone) -> Self {
        let mut control = Control {
            present: headers.contains_key(name.clone()),
            ..Control::default()
        };
        members(headers, name).for_each(|member| control.add(member));
        control
    }

    fn add(&mut self, member: &[u8]) {
        self.no_store |= is_open(member);
        let (name, value) = match member.iter().position(|byte| *byte == b'=') {
            Some(at) => (&member[..at], Some(&member[at + 1..])),
            None => (member, None),
        };
        // A space beside the `=` is an error of syntax: the name counts, the value does not.
        let name = name.trim_ascii().to_ascii_lowercase();
        match name.as_slice() {
            b"no-store" => self.no_store = true,
            b"no-cache" => self.no_cache = true,
            b"private" => self.private = true,
            b"public" => self.public = true,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand = true,
            b"only-if-cached" => self.only_if_cached = true,
            b"max-age" => least(&mut self.max_age, delta(member, value)),
            b"s-maxage" => least(&mut self.s_maxage, delta(member, value)),
            b"stale-while-revalidate" => {
                least(&mut self.stale_while_revalidate, delta(member, value));
            }
            b"stale-if-error" => least(&mut self.stale_if_error, delta(member, value)),
            b"max-stale" => {
                let value = value.map_or(MOST, |value| delta(member, Some(value)));
                least(&mut self.max_stale, value);
            }
            // Here the longer is the more cautious.
            b"min-fresh" => {
                let value = seconds(value).unwrap_or(MOST);
                self.min_fresh = self.min_fresh.max(Some(value));
            }
            _ => {}
        }
    }
}

fn least(known: &mut Option<u64>, value: u64) {
    *known = Some(known.map_or(value, |known| known.min(value)));
}

/// A value in seconds; zero for what is none.
fn delta(member: &[u8], value: Option<&[u8]>) -> u64 {
    let spaced = member
        .windows(2)
        .any(|pair| pair == b" =" || pair == b"\t=" || pair == b"= " || pair == b"=\t");
    if spaced {
        return 0;
    }
    seconds(value).unwrap_or(0)
}

/// Digits, quoted or not (RFC 9111, section 5.2); what is too large counts as the largest.
fn seconds(value: Option<&[u8]>) -> Option<u64> {
    let value = match value? {
        [b'"', inner @ .., b'"'] => unescaped(inner),
        value => Cow::Borrowed(value),
    };
    digits(&value).map(|seconds| seconds.min(MOST))
}

/// What a quoted string says: `\6` is a `6` (RFC 9110, section 5.6.4).
fn unescaped(quoted: &[u8]) -> Cow<'_, [u8]> {
    if !quoted.contains(&b'\\') {
        return Cow::Borrowed(quoted);
    }
    let mut bytes = quoted.iter();
    let next = || match bytes.next()? {
        b'\\' => bytes.next().copied(),
        byte => Some(*byte),
    };
    std::iter::from_fn(next).collect()
}

/// Digits and nothing else; what is too large counts as the largest number there is.
pub(crate) fn digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = value.iter().fold(0u64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    });
    Some(number)
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
