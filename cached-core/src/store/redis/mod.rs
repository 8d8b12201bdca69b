//! Redis, Valkey and what speaks like them: single servers, Sentinel, Cluster.
//!
//! [`config`] is what is said about a server and [`url`] how that is written, [`link`] connects and
//! connects again, [`push`] hears what other processes say. Here is what a store does in commands.
//! `KEYS`, `FLUSHDB` and `SCAN` are not among them.

mod config;
mod info;
mod link;
mod near;
mod once;
mod push;
mod url;

pub use config::RedisBuilder;
pub(crate) use config::{check_host, check_socket};

/// A host and its port, as settings give them.
pub(crate) fn address(text: &str, port: u16) -> Option<(String, u16)> {
    url::address(text, port).map(|address| (address.host, address.port))
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::redis::{Cmd, Value};

use super::{Found, Item, Push, Rollback, Store, StoreMemory};
use crate::error::Error;
use crate::rt::{BoxFuture, io};
use config::Config;
use link::Link;
use near::Near;

/// A Redis or Valkey server, a Sentinel set, or a Cluster.
///
/// One connection is shared by all operations, which are pipelined; a second one listens for
/// invalidations by other processes. Both are made when they are needed, and made again when they
/// are lost. They are driven by a thread of dewar's own, so operations can be awaited on any
/// executor.
///
/// ```no_run
/// use dewar::{Cache, store::Redis};
///
/// let cache = Cache::builder().shared(Redis::open("redis://localhost:6379/0")?).install()?;
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    config: Config,
    link: Link,
    near: Near,
    /// The server knows no `PEXPIRE … GT`: it is older than 7.0.
    old: AtomicBool,
}

/// Stores a value if the key has exactly what was expected.
const SWAP: &str = "\
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
    if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) \
    else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end \
    return 1";

impl Redis {
    /// A store as a URL describes it. Nothing is connected yet.
    ///
    /// | URL | |
    /// | --- | --- |
    /// | `redis://user:password@host:6379/0` | a server, with database number; also `valkey://` |
    /// | `rediss://host:6380` | the same over TLS (feature `redis-tls`); also `valkeys://` |
    /// | `unix:///run/redis.sock?db=0&password=…` | a Unix socket |
    /// | `redis-sentinel://host1:26379,host2:26379/service/0` | the master that the sentinels name |
    /// | `redis-cluster://host1,host2` | a cluster, by some of its nodes |
    ///
    /// The last two over TLS are `rediss-sentinel://` and `rediss-cluster://`. Marks in user names
    /// and passwords are percent-encoded.
    ///
    /// # Errors
    /// The URL is none of these. The message does not repeat credentials.
    pub fn open(url: &str) -> Result<Redis, Error> {
        Redis::builder().url(url)?.build()
    }

    /// Starts to describe a store.
    pub fn builder() -> RedisBuilder {
        RedisBuilder::default()
    }

    fn new(config: Config, link: Link) -> Self {
        Redis(Arc::new(Inner {
            near: Near::new(&config),
            config,
            link,
            old: AtomicBool::new(false),
        }))
    }

    /// Sends commands in one round trip, and returns their replies.
    fn send<'a>(
        &'a self,
        operation: &'static str,
        commands: Vec<Cmd>,
    ) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
        Box::pin(async move {
            let sent = match self.0.near.link() {
                Some(link) => link.send(&commands).await,
                None => io::inside(self.0.link.send(&commands)).await,
            };
            sent.map_err(|error| link::error(operation, &error))
        })
    }
}

impl Store for Redis {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        if keys.is_empty() {
            return Box::pin(std::future::ready(Ok(Vec::new())));
        }
        let length: usize = keys.iter().map(String::len).sum();
        let mut get = Cmd::with_capacity(keys.len() + 1, length + 4);
        get.arg("MGET").arg(keys);
        let sent = self.send("read", vec![get]);
        Box::pin(async move {
            match sent.await?.pop() {
                Some(Value::Array(found)) if found.len() == keys.len() => {
                    Ok(found.into_iter().map(bytes).collect())
                }
                _ => Err(unexpected("read")),
            }
        })
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        let sets = items.into_iter().map(|item| set(item, false)).collect();
        let sent = self.send("write", sets);
        Box::pin(async move { sent.await.map(drop) })
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        // Not `DEL`, which blocks the server while it frees what is large.
        let unlink = keys.iter().map(|key| {
            let mut unlink = command("UNLINK");
            unlink.arg(key);
            unlink
        });
        let sent = self.send("delete", unlink.collect());
        Box::pin(async move { sent.await.map(drop) })
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let sets = items.into_iter().map(|item| set(item, true)).collect();
        let sent = self.send("add", sets);
        Box::pin(async move {
            let replies = sent.await?;
            let added = |reply: &Value| matches!(reply, Value::Okay | Value::SimpleString(_));
            Ok(replies.iter().map(added).collect())
        })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        let swapped = self.swap_many(vec![(expected, item)]);
        Box::pin(async move { Ok(swapped.await? == [true]) })
    }

    fn swap_many(&self, swaps: Vec<(Vec<u8>, Item)>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let swaps = swaps.into_iter().map(|(expected, item)| {
            let mut swap = command("EVAL");
            swap.arg(SWAP).arg(1).arg(item.key).arg(expected);
            swap.arg(item.value);
            match item.ttl {
                Some(ttl) => swap.arg(millis(ttl)),
                None => swap.arg(""),
            };
            swap
        });
        let sent = self.send("swap", swaps.collect());
        Box::pin(async move {
            let swapped = sent.await?.into_iter().map(|reply| match reply {
                Value::Int(swapped) => Ok(swapped == 1),
                _ => Err(unexpected("swap")),
            });
            swapped.collect()
        })
    }

    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let extend = |old: bool| {
                let extend = keys.iter().map(|key| {
                    let mut extend = command("PEXPIRE");
                    extend.arg(key).arg(millis(ttl));
                    if !old {
                        extend.arg("GT");
                    }
                    extend
                });
                self.send("extend", extend.collect())
            };
            let old = self.0.old.load(Ordering::Relaxed);
            match extend(old).await {
                // It may shorten what lives longer for somebody else, which costs loads.
                Err(error) if !old && is_unknown_option(&error.to_string()) => {
                    extend(true).await?;
                    self.0.old.store(true, Ordering::Relaxed);
                    Ok(())
                }
                extended => extended.map(drop),
            }
        })
    }

    fn rollback(&self) -> Rollback {
        match self.0.config.is_cluster() {
            true => Rollback::Parts,
            false => Rollback::Whole,
        }
    }

    fn push(&self) -> Option<&dyn Push> {
        Some(self)
    }

    fn memory(&self) -> BoxFuture<'_, Result<Option<StoreMemory>, Error>> {
        let mut info = command("INFO");
        info.arg("memory");
        let sent = self.send("tell of its memory", vec![info, command("DBSIZE")]);
        Box::pin(async move {
            match &sent.await?[..] {
                [info, keys] => Ok(info::memory(info, keys)),
                _ => Err(unexpected("tell of its memory")),
            }
        })
    }

    fn describe(&self) -> String {
        self.0.config.describe()
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Redis").field(&self.describe()).finish()
    }
}

fn command(name: &str) -> Cmd {
    ::redis::cmd(name)
}

fn set(item: Item, only_new: bool) -> Cmd {
    let mut set = command("SET");
    set.arg(item.key).arg(item.value);
    if only_new {
        set.arg("NX");
    }
    if let Some(ttl) = item.ttl {
        set.arg("PX").arg(millis(ttl));
    }
    set
}

/// At least one: the server takes no zero. And no more than it can add to its clock.
fn millis(ttl: Duration) -> u64 {
    const CENTURY: u64 = 100 * 365 * 24 * 3600 * 1000;
    u64::try_from(ttl.as_millis())
        .unwrap_or(CENTURY)
        .clamp(1, CENTURY)
}

fn bytes(value: Value) -> Found {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        // Nothing, or of another type: not ours.
        _ => None,
    }
}

/// Whether a server says that it does not know `GT`, and nothing that is over in a moment.
fn is_unknown_option(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    let unknown = [
        "wrong number of arguments",
        "unsupported option",
        "syntax error",
    ];
    unknown.iter().any(|text| said.contains(text))
}

fn unexpected(operation: &str) -> Error {
    Error::refused(operation, "the reply is not what this command replies")
}

#[cfg(test)]
mod tests {
    use super::is_unknown_option;

    #[test]
    fn only_a_server_that_does_not_know_an_option_is_taken_for_an_old_one() {
        for said in [
            "ResponseError: wrong number of arguments for 'pexpire' command",
            "ResponseError: Unsupported option GT",
        ] {
            assert!(is_unknown_option(said), "{said}");
        }
        for said in [
            "READONLY: You can't write against a read only replica.",
            "NOREPLICAS: Not enough good replicas to write.",
            "NOPERM: this user has no permissions to run the 'pexpire' command",
            "MISCONF: Redis is configured to save RDB snapshots",
        ] {
            assert!(!is_unknown_option(said), "{said}");
        }
    }
}
