//! Dates, as seconds since 1970.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderValue;

/// Seconds since 1970.
pub(crate) type Seconds = u64;

/// Reads a date in any of the three forms (RFC 9110, section 5.6.7), whatever the case of its
/// letters; what is before 1970 counts as 1970.
pub(crate) fn parse(value: &HeaderValue) -> Option<Seconds> {
    let text = value.to_str().ok()?;
    let text = text.trim();
    // The longest form has 33 characters.
    if text.len() > 40 {
        return None;
    }
    let date = httpdate::parse_http_date(&usual_case(text)).ok()?;
    Some(date.duration_since(UNIX_EPOCH).map_or(0, |at| at.as_secs()))
}

/// Writes a date in the preferred form.
pub(crate) fn format(seconds: Seconds) -> HeaderValue {
    // The last second of the year 9999: there is no way to write a later one.
    let seconds = seconds.min(253_402_300_799);
    let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    // What a date is written with is what header values may hold.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// `sun, 06 NOV 1994 08:49:37 gmt` as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn usual_case(text: &str) -> String {
    let mut inside = false;
    let letters = text.chars().map(|c| {
        let first = !std::mem::replace(&mut inside, c.is_ascii_alphabetic());
        if first {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    });
    letters.collect::<String>().replace("Gmt", "GMT")
}

#[cfg(test)]
mod tests {
    use super::{format, parse};
    use http::HeaderValue;

    fn read(text: &str) -> Option<u64> {
        parse(&HeaderValue::from_str(text).unwrap())
    }

    #[test]
    fn all_three_forms_are_read_in_any_case() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "sun, 06 NOV 1994 08:49:37 gmt",
        ] {
            assert_eq!(read(text), Some(784_111_777), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in [
            "",
            "0",
            "-1",
            "784111777",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let long = "Sun, 06 Nov 1994 08:49:37 GMT".repeat(3);
        assert_eq!(read(&long), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for at in [0, 784_111_777, 1_800_000_000, 253_402_300_799] {
            assert_eq!(parse(&format(at)), Some(at));
        }
        assert_eq!(parse(&format(u64::MAX)), Some(253_402_300_799));
    }
}
