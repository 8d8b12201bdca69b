//! The proxy between a client and an origin, each on a socket of its own.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reverse_proxy::{Settings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What an origin was asked.
type Asked = Arc<Mutex<Vec<String>>>;

/// An origin that answers each connection with these bytes, and keeps it open where it is told to.
async fn origin(answer: &'static str, silent: bool) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Asked::default();
    let heads = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let heads = Arc::clone(&heads);
            tokio::spawn(async move {
                let head = head(&mut stream).await;
                let mut body = vec![0; length(&head)];
                stream.read_exact(&mut body).await.unwrap();
                heads.lock().unwrap().push(head.to_ascii_lowercase());
                stream.write_all(answer.as_bytes()).await.unwrap();
                if silent {
                    pending::<()>().await;
                }
            });
        }
    });
    (address, asked)
}

async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap() == 0 {
            break;
        }
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

fn length(head: &str) -> usize {
    let (_, value) = head.split_once("content-length: ").unwrap_or_default();
    value
        .lines()
        .next()
        .map_or(0, |length| length.parse().unwrap())
}

/// A proxy in front of an origin that is given half a second.
async fn proxy(upstream: &str) -> String {
    proxy_with(upstream, "0.5").await
}

async fn proxy_with(upstream: &str, seconds: &str) -> String {
    let found = |name: &str| match name {
        "UPSTREAM" => Ok(Some(format!("http://{upstream}"))),
        "CONNECT_TIMEOUT" | "RESPONSE_TIMEOUT" => Ok(Some(seconds.to_owned())),
        _ => Ok(None),
    };
    let settings = Settings::read(found).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { serve(listener, &settings, pending()).await.unwrap() });
    address
}

/// Sends a request as it stands; what comes until the proxy closes, in lower case.
async fn send(proxy: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // A body that is cut short ends with an error.
    let _ = tokio::time::timeout(Duration::from_secs(20), read).await;
    String::from_utf8(bytes).unwrap().to_ascii_lowercase()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
}

const FRESH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=60\r\n\
     Connection: X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\n\r\npage";

#[tokio::test]
async fn a_page_comes_once_and_what_concerns_a_connection_ends_here() {
    let (upstream, asked) = origin(FRESH, false).await;
    let proxy = proxy(&upstream).await;
    let request = "GET /a?b=1 HTTP/1.1\r\nHost: shop.test\r\nConnection: close, X-Secret\r\n\
         X-Secret: 1\r\nTE: trailers\r\nX-Forwarded-For: 10.0.0.1\r\n\
         Forwarded: for=10.0.0.1\r\n\r\n";
    let first = send(&proxy, request).await;
    assert!(
        first.ends_with("page") && first.contains("stored"),
        "{first}"
    );
    for name in ["x-private", "keep-alive"] {
        assert!(!first.contains(name), "{first}");
    }
    // The same URL, whole.
    let whole = request.replace("/a?b=1", "http://shop.test/a?b=1");
    let second = send(&proxy, &whole).await;
    assert!(second.contains("cache-status: dewar; hit"), "{second}");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    let head = &asked[0];
    assert!(head.starts_with("get /a?b=1 http/1.1\r\n"), "{head}");
    for line in [
        "host: shop.test",
        "via: 1.1 dewar",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: shop.test",
        "x-forwarded-proto: http",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
    }
    for name in [
        "x-secret",
        "te:",
        "forwarded: for",
        "10.0.0.1",
        "connection: close",
    ] {
        assert!(!head.contains(name), "{name}: {head}");
    }
}

#[tokio::test]
async fn each_side_is_spoken_to_in_the_proxys_own_version() {
    let answer = "HTTP/1.0 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=60\r\n\r\npage";
    let (upstream, asked) = origin(answer, false).await;
    let proxy = proxy(&upstream).await;
    let old = send(&proxy, "GET /old HTTP/1.0\r\nHost: shop.test\r\n\r\n").await;
    assert!(old.ends_with("page"), "{old}");
    let new = send(&proxy, &get("/new")).await;
    assert!(new.starts_with("http/1.1 200 ok\r\n"), "{new}");
    // Its length is known.
    assert!(new.contains("; stored"), "{new}");
    let asked = asked.lock().unwrap();
    for (head, path, via) in [(&asked[0], "/old", "1.0"), (&asked[1], "/new", "1.1")] {
        let line = format!("get {path} http/1.1\r\n");
        assert!(head.starts_with(&line), "{head}");
        assert!(
            head.contains(&format!("\r\nvia: {via} dewar\r\n")),
            "{head}"
        );
    }
}

#[tokio::test]
async fn what_ends_with_its_connection_may_have_been_cut_and_is_not_stored() {
    for answer in [
        "HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n\r\npage",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\
             Dewar-Cache-Control: max-age=60\r\n\r\npage",
    ] {
        let (upstream, asked) = origin(answer, false).await;
        let proxy = proxy(&upstream).await;
        for _ in 0..2 {
            let reply = send(&proxy, &get("/")).await;
            assert!(reply.contains("page"), "{reply}");
            assert!(reply.contains("\r\ncache-control: max-age=60"), "{reply}");
            assert!(!reply.contains("stored"), "{reply}");
            assert!(!reply.contains("dewar-cache-control"), "{reply}");
        }
        assert_eq!(asked.lock().unwrap().len(), 2);
    }
    let (upstream, asked) = origin(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n\
             4\r\npage\r\n0\r\n\r\n",
        false,
    )
    .await;
    let proxy = proxy(&upstream).await;
    for _ in 0..2 {
        send(&proxy, &get("/")).await;
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn without_freshness_nothing_is_served_again() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\
         Last-Modified: Thu, 01 Jan 2015 00:00:00 GMT\r\n\r\npage";
    let (upstream, asked) = origin(answer, false).await;
    let proxy = proxy(&upstream).await;
    for _ in 0..2 {
        let got = send(&proxy, &get("/")).await;
        assert!(got.ends_with("page") && !got.contains("hit"), "{got}");
    }
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_origin_that_is_not_there_is_a_502() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let got = send(&proxy(&address).await, &get("/")).await;
    assert!(got.starts_with("http/1.1 502 "), "{got}");
    assert!(got.contains("cache-control: no-store"), "{got}");
}

#[tokio::test]
async fn an_origin_that_speaks_no_http_is_a_502() {
    let (upstream, _) = origin("hello\r\n\r\n", false).await;
    let got = send(&proxy(&upstream).await, &get("/")).await;
    assert!(got.starts_with("http/1.1 502 "), "{got}");
}

#[tokio::test]
async fn an_origin_that_does_not_answer_is_a_504() {
    let (upstream, _) = origin("", true).await;
    let got = send(&proxy(&upstream).await, &get("/")).await;
    assert!(got.starts_with("http/1.1 504 "), "{got}");
}

#[tokio::test]
async fn a_body_that_stands_still_is_cut_and_not_stored() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=60\r\n\r\npa";
    let (upstream, asked) = origin(answer, true).await;
    let proxy = proxy(&upstream).await;
    for n in 1..3 {
        let got = send(&proxy, &get("/")).await;
        assert!(got.ends_with("\r\n\r\npa"), "{got}");
        assert_eq!(asked.lock().unwrap().len(), n);
    }
}

#[tokio::test]
async fn an_upload_may_take_longer_than_a_response() {
    let (upstream, asked) =
        origin("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", true).await;
    let proxy = proxy_with(&upstream, "2").await;
    let mut stream = TcpStream::connect(&proxy).await.unwrap();
    let head =
        "POST / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\nContent-Length: 4\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for byte in [b"a", b"b", b"c", b"d"] {
        tokio::time::sleep(Duration::from_millis(700)).await;
        stream.write_all(byte).await.unwrap();
    }
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert!(bytes.starts_with(b"HTTP/1.1 204 "));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_of_a_get_goes_past_the_cache() {
    let (upstream, asked) = origin(FRESH, false).await;
    let proxy = proxy(&upstream).await;
    let chunked = "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for n in 1..3 {
        let got = send(&proxy, chunked).await;
        assert!(got.contains("fwd=bypass"), "{got}");
        assert_eq!(asked.lock().unwrap().len(), n);
    }
}

#[tokio::test]
async fn nobody_is_tunnelled_anywhere() {
    let (upstream, asked) = origin(FRESH, false).await;
    let request = "CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 10.0.0.1:22\r\n\r\n";
    let proxy = proxy(&upstream).await;
    let mut stream = TcpStream::connect(&proxy).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
    assert!(asked.lock().unwrap().is_empty());
}

/// An origin that keeps each connection open after one answer, and those connections.
async fn patient_origin(answer: &'static str) -> (String, Arc<Mutex<Vec<TcpStream>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let idle = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&idle);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            kept.lock().unwrap().push(stream);
        }
    });
    (address, idle)
}

#[tokio::test]
async fn a_connection_that_the_origin_closes_meanwhile_costs_no_request() {
    let (upstream, idle) = patient_origin("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage").await;
    let mut client = TcpStream::connect(proxy(&upstream).await).await.unwrap();
    for n in 0..20 {
        client.writable().await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
        // The request, and then the end of the connection that it would be sent on, before the proxy
        // sees either.
        assert_eq!(client.try_write(request).unwrap(), request.len());
        idle.lock().unwrap().clear();
        let head = head(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{n}: {head}");
        client.read_exact(&mut [0; 4]).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_without_one_host_that_can_be_one_is_a_400() {
    let (upstream, asked) = origin(FRESH, false).await;
    let proxy = proxy(&upstream).await;
    let page = |target: &str, version: &str, hosts: &[&str]| {
        let hosts: String = hosts.iter().map(|it| format!("Host: {it}\r\n")).collect();
        format!("GET {target} HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n")
    };
    let wrong: &[(&str, &[&str])] = &[
        ("/", &[]),
        ("/", &[""]),
        ("/", &["shop.test", "shop.test"]),
        ("/", &["shop.test", "evil.test"]),
        ("/", &["shop.test, evil.test"]),
        ("/", &["shop.test/path"]),
        ("/", &["me@shop.test"]),
        ("/", &["shop.test:port"]),
        ("/", &["shop.test:123456"]),
        ("/", &["shop.test:+80"]),
        ("/", &["shop test"]),
        ("/", &[":80"]),
        // A whole URL does not make up for them.
        ("http://shop.test/", &[]),
        ("http://shop.test/", &["shop.test", "evil.test"]),
        ("http://shop.test/", &["evil test"]),
        ("http://me@shop.test/", &["shop.test"]),
    ];
    for (target, hosts) in wrong {
        let got = send(&proxy, &page(target, "1.1", hosts)).await;
        assert!(
            got.starts_with("http/1.1 400 "),
            "{target} {hosts:?}: {got}"
        );
        assert!(got.contains("cache-control: no-store"), "{got}");
    }
    assert!(asked.lock().unwrap().is_empty());
    for host in [
        "shop.test",
        "shop.test:8080",
        "[::1]:80",
        "192.0.2.1",
        "shop.test:",
    ] {
        let got = send(&proxy, &page("/", "1.1", &[host])).await;
        assert!(got.starts_with("http/1.1 200 "), "{host}: {got}");
    }
    // Before HTTP/1.1 clients need not name it; the origin is told its own.
    let got = send(&proxy, &page("/", "1.0", &[])).await;
    assert!(got.contains(" 200 "), "{got}");
    let asked = asked.lock().unwrap();
    let host = format!("\r\nhost: {upstream}\r\n");
    assert!(asked.last().unwrap().contains(&host), "{asked:?}");
}
