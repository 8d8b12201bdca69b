//! What a request says of the way that it has come, and what ends with a connection.

use std::net::IpAddr;

use http::header::{
    CONNECTION, FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version, request};

/// A request does not say, or not clearly, which host it is for.
#[derive(Debug)]
pub(crate) struct NoHost;

/// Makes a client's request one that the cache and the origin may see.
pub(crate) fn received(
    request: &mut request::Parts,
    client: IpAddr,
    upstream: &Authority,
) -> Result<(), NoHost> {
    // Before `Connection` can name it: whoever comes after is to see the same host.
    let host = host(request, upstream)?;
    of_one_connection(&mut request.headers);
    request.headers.insert(HOST, host);
    forwarded(&mut request.headers, client);
    // In which version it came; it goes on in the proxy's own.
    let via = match request.version {
        Version::HTTP_10 => "1.0 dewar",
        _ => "1.1 dewar",
    };
    request.headers.append(VIA, HeaderValue::from_static(via));
    Ok(())
}

/// What the proxy tells its cache of a response, in the place of the origin's `Cache-Control`. It comes
/// from nobody else, and goes to nobody.
pub(crate) const TO_CACHE: HeaderName = HeaderName::from_static("dewar-cache-control");

/// Takes out the fields that concern one connection only (RFC 9110, section 7.6.1).
pub(crate) fn of_one_connection(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    let known = [
        CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    let more = [
        "keep-alive",
        "proxy-connection",
        "proxy-authentication-info",
    ];
    let more = more.map(HeaderName::from_static);
    for name in listed.into_iter().chain(known).chain(more) {
        headers.remove(name);
    }
}

/// The host that a request is for, which stands in its field alone from here on. That of a whole URL
/// counts more than the field (RFC 9112, section 3.2.2), which has to be one all the same.
///
/// # Errors
/// Without exactly one `Host`, or where it is none (section 3.2). Clients before HTTP/1.1 need not
/// name one: they are taken to mean the origin's own.
fn host(request: &mut request::Parts, upstream: &Authority) -> Result<HeaderValue, NoHost> {
    let mut lines = request.headers.get_all(HOST).iter();
    let said = match (lines.next(), lines.next()) {
        (Some(said), None) => Some(authority(said)?),
        (None, _) if request.version < Version::HTTP_11 => None,
        _ => return Err(NoHost),
    };
    let whole = request.uri.authority();
    if !whole.is_none_or(is_host) {
        return Err(NoHost);
    }
    let host = whole.or(said.as_ref()).unwrap_or(upstream);
    let host = HeaderValue::from_str(host.as_str()).map_err(|_| NoHost)?;
    let path = request.uri.path_and_query().cloned();
    request.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    Ok(host)
}

fn authority(value: &HeaderValue) -> Result<Authority, NoHost> {
    let authority = Authority::try_from(value.as_bytes()).ok().filter(is_host);
    authority.ok_or(NoHost)
}

/// A name or an address, and perhaps a port; no user (RFC 9110, section 7.2).
fn is_host(authority: &Authority) -> bool {
    let (host, text) = (authority.host(), authority.as_str());
    let port = match text.strip_prefix(host) {
        Some("") => return !host.is_empty(),
        Some(rest) => rest.strip_prefix(':'),
        None => None,
    };
    let is_port = |port: &str| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        digits && (port.is_empty() || port.parse::<u16>().is_ok())
    };
    !host.is_empty() && port.is_some_and(is_port)
}

/// Says where the request comes from, and nothing that the client says of it.
fn forwarded(headers: &mut HeaderMap, client: IpAddr) {
    let told: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("x-forwarded-"))
        .cloned()
        .collect();
    let known = [FORWARDED, HeaderName::from_static("x-real-ip")];
    for name in told.into_iter().chain(known) {
        headers.remove(name);
    }
    if let Ok(client) = HeaderValue::from_str(&client.to_string()) {
        headers.insert("x-forwarded-for", client);
    }
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert("x-forwarded-host", host);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::uri::Authority;
    use http::{HeaderMap, Request};

    fn received(uri: &str, fields: &[(&'static str, &str)]) -> (String, HeaderMap) {
        let mut request = Request::get(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let upstream = Authority::from_static("10.0.0.1:9000");
        super::received(&mut parts, IpAddr::from([192, 0, 2, 7]), &upstream).unwrap();
        (parts.uri.to_string(), parts.headers)
    }

    #[test]
    fn what_connection_lists_ends_here() {
        let fields = [
            ("host", "shop.test"),
            ("connection", "close, X-One ,,"),
            ("connection", "\"x\", accept-language, host"),
            ("x-one", "1"),
            ("accept-language", "de"),
            ("upgrade", "websocket"),
            ("te", "trailers"),
            ("proxy-authorization", "Basic x"),
            ("accept", "text/html"),
        ];
        let (_, headers) = received("/", &fields);
        let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        let left = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
        assert_eq!(names, [&["accept", "host", "via"][..], &left[..]].concat());
    }

    #[test]
    fn what_clients_say_of_their_way_is_taken_out() {
        let fields = [
            ("host", "shop.test"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-host", "evil.test"),
            ("x-forwarded-port", "1"),
            ("x-real-ip", "10.0.0.1"),
            ("forwarded", "for=10.0.0.1"),
            // Before the proxy says its own.
            ("connection", "x-forwarded-for"),
        ];
        let (_, headers) = received("/", &fields);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
        assert_eq!(headers["x-forwarded-host"], "shop.test");
        assert_eq!(headers["x-forwarded-proto"], "http");
        for name in ["x-forwarded-port", "x-real-ip", "forwarded"] {
            assert!(!headers.contains_key(name), "{name}");
        }
    }

    #[test]
    fn a_whole_url_names_the_host() {
        let (uri, headers) = received("http://shop.test/a?b", &[("host", "evil.test")]);
        assert_eq!(
            (&*uri, &headers["host"]),
            ("/a?b", &"shop.test".parse().unwrap())
        );
    }
}
