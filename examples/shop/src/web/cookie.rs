//! Cookies: one is read, one is set.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of a cookie.
pub(crate) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// `Set-Cookie` for a name and a value that hold nothing but letters, digits and `_`; no time at
/// all takes the cookie away.
pub(crate) fn set(name: &str, value: &str, seconds: u32) -> Option<HeaderValue> {
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    HeaderValue::from_str(&cookie).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("xsession=1; session=2"),
        );
        headers.append(header::COOKIE, HeaderValue::from_static("flash=3"));
        assert_eq!(get(&headers, "session"), Some("2"));
        assert_eq!(get(&headers, "flash"), Some("3"));
        assert_eq!(get(&headers, "sess"), None);
    }
}
