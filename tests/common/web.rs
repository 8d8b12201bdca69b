//! A server on a real socket, and a client that sends exactly what it is told.
#![allow(
    dead_code,
    reason = "every test is a crate of its own and uses a part of this"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use axum::Router;
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::testing::TestCache;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running server; it ends with the test's runtime.
#[derive(Clone, Copy)]
pub(crate) struct Server(SocketAddr);

/// Serves a router on a free port of this machine.
pub(crate) async fn serve(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Server(address)
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    /// The value of a header, its lines joined; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        let values = lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim());
        values.collect::<Vec<_>>().join(", ")
    }

    /// Whether the cache answered by itself.
    pub(crate) fn is_hit(&self) -> bool {
        self.header("cache-status").contains("; hit")
    }
}

impl Server {
    pub(crate) async fn connect(self) -> TcpStream {
        TcpStream::connect(self.0).await.unwrap()
    }

    /// Sends a request as it stands, and reads what comes until the server closes.
    pub(crate) async fn send(self, request: &str) -> Reply {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // A server that cuts a body short resets the connection.
        let _ = stream.read_to_end(&mut bytes).await;
        parse(&bytes)
    }

    /// A request with some lines of headers.
    pub(crate) async fn ask(self, method: &str, path: &str, headers: &[&str]) -> Reply {
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|line| line.starts_with("Host:")) {
            request.push_str("Host: shop.test\r\n");
        }
        for line in headers {
            request.push_str(line);
            request.push_str("\r\n");
        }
        self.send(&format!("{request}\r\n")).await
    }

    pub(crate) async fn get(self, path: &str) -> Reply {
        self.ask("GET", path, &[]).await
    }
}

fn parse(bytes: &[u8]) -> Reply {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let body = bytes.get(end + 4..).unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
    let mut reply = Reply {
        status: status.unwrap_or(0),
        head,
        body: String::new(),
    };
    let body = if reply.header("transfer-encoding") == "chunked" {
        unchunked(body)
    } else {
        body.to_vec()
    };
    reply.body = String::from_utf8_lossy(&body).into_owned();
    reply
}

/// The chunks put together; `!` at the end where the last one is missing.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let size = |bytes: &[u8]| {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        Some((size, end + 2))
    };
    while let Some((size, start)) = size(bytes) {
        if size == 0 {
            return body;
        }
        let Some(chunk) = bytes.get(start..start + size) else {
            break;
        };
        body.extend_from_slice(chunk);
        bytes = bytes.get(start + size + 2..).unwrap_or_default();
    }
    body.push(b'!');
    body
}

/// How often a handler has run.
pub(crate) type Runs = Arc<AtomicU32>;

/// A layer whose responses are fresh for a minute.
pub(crate) fn layer(cache: &TestCache) -> CacheLayer {
    CacheLayer::new(ViewPolicy::new().timeout(Duration::from_secs(60))).cache(cache)
}

/// Reads from a connection until this has come; what has come so far.
pub(crate) async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).await.unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    seen
}

/// Waits until something has happened on the server.
pub(crate) async fn until(mut happened: impl FnMut() -> bool) {
    while !happened() {
        tokio::task::yield_now().await;
    }
}
