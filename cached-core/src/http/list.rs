//! Lists in header fields: `a, b="c, d"`, on one line or several.

use http::HeaderMap;
use http::header::AsHeaderName;

/// The members of a list field, over all its lines, without the empty ones. A comma in a quoted
/// string separates nothing (RFC 9110, section 5.6.1).
pub(crate) fn members(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter();
    lines.flat_map(|line| Members(line.as_bytes()))
}

struct Members<'a>(&'a [u8]);

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if self.0.is_empty() {
                return None;
            }
            let end = end(self.0);
            let member = self.0[..end].trim_ascii();
            self.0 = self.0.get(end + 1..).unwrap_or_default();
            if !member.is_empty() {
                return Some(member);
            }
        }
    }
}

/// Where the first member ends. A quoted string that nothing closes takes all the rest.
fn end(bytes: &[u8]) -> usize {
    scan(bytes).unwrap_or(bytes.len())
}

/// Whether a quoted string in it has no end.
pub(crate) fn is_open(member: &[u8]) -> bool {
    scan(member).is_err_and(|quoted| quoted)
}

/// The place of the first comma that separates; or else whether a quoted string is left open.
fn scan(bytes: &[u8]) -> Result<usize, bool> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return Ok(at),
            _ => {}
        }
    }
    Err(quoted)
}

#[cfg(test)]
mod tests {
    use super::members;
    use http::{HeaderMap, HeaderValue};

    fn split(lines: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x", HeaderValue::from_str(line).unwrap());
        }
        members(&headers, "x")
            .map(|member| String::from_utf8_lossy(member).into_owned())
            .collect()
    }

    #[test]
    fn members_are_split_at_commas_outside_quoted_strings() {
        assert_eq!(split(&["a, b"]), ["a", "b"]);
        assert_eq!(split(&["a=\"b, c\",d"]), ["a=\"b, c\"", "d"]);
        assert_eq!(split(&["a=\"b\\\", c\",d"]), ["a=\"b\\\", c\"", "d"]);
        assert_eq!(split(&["a=\"b, c"]), ["a=\"b, c"]);
    }

    #[test]
    fn empty_members_and_lines_are_none() {
        assert_eq!(split(&["", " , ,a,, ", "b"]), ["a", "b"]);
        assert!(split(&[]).is_empty());
    }
}
