//! A caching reverse proxy: `CacheLayer` between hyper's server and its client.
//!
//! The cache stores what the origin's responses allow, answers conditions and ranges by itself, asks
//! the origin whether what is stale still holds, serves stale what the origin allows
//! (`stale-while-revalidate`, `stale-if-error`), and says in `Cache-Status` which of it that was. A
//! response without freshness of its own is not stored as fresh.
//!
//! | setting | |
//! | --- | --- |
//! | `LISTEN` | where clients come; `127.0.0.1:8080` |
//! | `UPSTREAM` | the origin; `http://127.0.0.1:9000` |
//! | `COOKIES` | `private`: requests with a `Cookie` and responses with a `Set-Cookie` go past the cache. `shared`: they are treated as HTTP does, which gives cookies no meaning for caches; right where the origin marks what belongs to one user as `private` |
//! | `HEURISTIC` | `off`. `on`: a response without freshness, but with a `Last-Modified`, is fresh for a tenth of its age then, as RFC 9111 allows |
//! | `CONNECT_TIMEOUT` | seconds for a connection to the origin; 5 |
//! | `RESPONSE_TIMEOUT` | seconds from the end of a request to the head of its response, and between two parts of a body; 30 |
//!
//! Where the origin cannot be reached the answer is 502, and 504 where it is too slow, unless what is
//! stored may stand in. Neither is stored.
//!
//! A request has to name one host (RFC 9112, section 3.2): one without `Host`, with two, or with one
//! that is none is answered 400. Clients that speak HTTP/1.0 need not name any.
//!
//! A request that finds its connection to the origin closed is sent on another one, if nothing of it
//! has been sent yet.
//!
//! What concerns one connection (`Connection` and all that it lists, `Keep-Alive`, `TE`, `Trailer`,
//! `Transfer-Encoding`, `Upgrade`, the fields of proxies) ends here, in both directions. So no
//! upgrades: a WebSocket is not for this proxy. What clients say about the way that a request has
//! come (`Forwarded`, `X-Forwarded-*`, `X-Real-IP`) is taken out, since anybody can say it; the proxy
//! says `X-Forwarded-For`, `-Host` and `-Proto` itself. Behind another proxy that can be trusted,
//! change `fields::forwarded`. All that happens in front of the cache: what the cache tells responses
//! apart by is what the origin sees.
//!
//! A response that ends with its connection, with neither a `Content-Length` nor chunks, passes and is
//! not stored: nobody can tell whether it was cut.
//!
//! It speaks HTTP/1.1 without TLS on both sides, also with an origin or a client that speaks HTTP/1.0.

mod failure;
mod fields;
mod proxy;
mod settings;
mod upstream;

pub use proxy::serve;
pub use settings::Settings;

/// Any error.
pub type AnyError = Box<dyn std::error::Error + Send + Sync>;
