//! Header fields for tables of tests.

use http::{HeaderMap, HeaderName, HeaderValue};

/// These fields, in their order.
pub(super) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}
