//! Directives for some caches alone (RFC 9213).

use http::{HeaderMap, HeaderName};

use super::list::members;
use super::policy::ViewPolicy;

/// The field that takes the place of `Cache-Control` and `Expires`: one that is there, says something,
/// and can be read. Of one that is empty or broken nobody knows what it would have forbidden (section
/// 2.2).
pub(crate) fn field<'a>(policy: &'a ViewPolicy, headers: &HeaderMap) -> Option<&'a HeaderName> {
    let field = policy.targeted.as_ref()?;
    let mut members = members(headers, field).peekable();
    members.peek()?;
    members.all(is_member).then_some(field)
}

/// Whether it is a member of a dictionary: `key`, `key=item`, `key=(item item)`, each with parameters
/// (RFC 8941, section 3.2).
fn is_member(member: &[u8]) -> bool {
    let read = || {
        let rest = key(member)?;
        let rest = match rest {
            [b'=', b'(', inner @ ..] => inner_list(inner)?,
            [b'=', value @ ..] => item(value)?,
            _ => rest,
        };
        parameters(rest)
    };
    read().is_some_and(<[u8]>::is_empty)
}

// Each of these gives what is left after what it reads; none if that is not there.

fn key(bytes: &[u8]) -> Option<&[u8]> {
    let first = bytes.first()?;
    let is_first = first.is_ascii_lowercase() || *first == b'*';
    let is_more =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(byte);
    is_first.then(|| skip(&bytes[1..], is_more))
}

fn parameters(mut bytes: &[u8]) -> Option<&[u8]> {
    while let [b';', rest @ ..] = bytes {
        bytes = key(skip(rest, |byte| *byte == b' '))?;
        if let [b'=', value @ ..] = bytes {
            bytes = item(value)?;
        }
    }
    Some(bytes)
}

fn inner_list(bytes: &[u8]) -> Option<&[u8]> {
    let mut bytes = skip(bytes, |byte| *byte == b' ');
    loop {
        if let [b')', rest @ ..] = bytes {
            return Some(rest);
        }
        bytes = parameters(item(bytes)?)?;
        let next = skip(bytes, |byte| *byte == b' ');
        if next.len() == bytes.len() && !next.starts_with(b")") {
            return None;
        }
        bytes = next;
    }
}

fn item(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [b'"', rest @ ..] => string(rest),
        [b'?', b'0' | b'1', rest @ ..] => Some(rest),
        [b':', rest @ ..] => {
            let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
            skip(rest, is_base64).strip_prefix(b":")
        }
        [b'-', rest @ ..] => number(rest),
        [b'0'..=b'9', ..] => number(bytes),
        [first, rest @ ..] if first.is_ascii_alphabetic() || *first == b'*' => {
            let is_token =
                |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(byte);
            Some(skip(rest, is_token))
        }
        _ => None,
    }
}

fn string(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        bytes = match bytes {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'"' | b'\\', rest @ ..] => rest,
            [b' '..=b'[' | b']'..=b'~', rest @ ..] => rest,
            _ => return None,
        };
    }
}

fn number(bytes: &[u8]) -> Option<&[u8]> {
    let rest = skip(bytes, u8::is_ascii_digit);
    let whole = bytes.len() - rest.len();
    let [b'.', fraction @ ..] = rest else {
        return (1..=15).contains(&whole).then_some(rest);
    };
    let rest = skip(fraction, u8::is_ascii_digit);
    let decimals = fraction.len() - rest.len();
    ((1..=12).contains(&whole) && (1..=3).contains(&decimals)).then_some(rest)
}

fn skip(bytes: &[u8], skipped: impl Fn(&u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|byte| !skipped(byte));
    &bytes[end.unwrap_or(bytes.len())..]
}

#[cfg(test)]
mod tests {
    use super::is_member;

    #[test]
    fn members_are_those_of_a_dictionary() {
        for member in [
            "max-age=60",
            "no-store",
            "foo",
            "*a",
            "a=-1.5",
            "a=?1",
            "a=:YQ==:",
            "content=\"ESI/1.0, \\\"x\\\"\"",
            "a=token/*;q=1;  b",
            "a=(1 \"b\";c d)",
            "a=()",
            "max-age=99999999999",
        ] {
            assert!(is_member(member.as_bytes()), "{member}");
        }
        for member in [
            "&&&&&",
            "Max-Age=60",
            "max-age =60",
            "max-age= 60",
            "max-age=",
            "max-age=60s",
            "max-age=9999999999999999",
            "a=1.",
            "a=\"b",
            "a=\"b\\c\"",
            "a=?2",
            "a=:YQ==",
            "a=(1",
            "a=(1\"b\")",
            "a;",
            "1",
            "=",
            "a=\u{e9}",
        ] {
            assert!(!is_member(member.as_bytes()), "{member}");
        }
    }
}
