//! Memcached: any number of servers, by the meta protocol (memcached 1.6).
//!
//! [`servers`] says which server a key is on and keeps connections, [`command`] is what is said to
//! one of them.

mod command;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use super::{Found, Item, Rollback, Store};
use crate::error::Error;
use crate::rt::{self, BoxFuture, io};
use command::{Command, Reply};
use servers::{Servers, Share};

/// One or more memcached servers.
///
/// Each key is on one of them, found by its name and the servers': give the same list to all
/// processes, in any order. While a server does not answer, no others take its place: so what was
/// invalidated cannot come back with it. That is dear: a read also needs the versions of what its
/// entry can be invalidated by, and one of those, that of everything, is read by all. So with one
/// server of several gone most reads ask the source, or all of them, and the store may count as down;
/// an invalidation of what is there is an error, kept and tried again. It heals when the server is
/// back, with or without what it had.
///
/// Invalidations are seen by other processes after `memory_copies` at the latest: memcached tells
/// nobody anything. Values larger than the servers' limit, a megabyte unless they are told
/// otherwise, are not stored; times to live are rounded up to seconds, and at most 30 days.
///
/// ```no_run
/// use dewar::{Cache, store::Memcached};
///
/// let cache = Cache::builder().shared(Memcached::open("one:11211,two:11211")?).install()?;
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
pub struct Memcached(Arc<Servers>);

impl Memcached {
    /// Servers as `host:port` with commas between them; `unix:///path` for a socket. Nothing is
    /// connected yet.
    ///
    /// # Errors
    /// It is no such list.
    pub fn open(servers: &str) -> Result<Memcached, Error> {
        Memcached::open_as("memcached servers", servers)
    }

    /// The same of a setting of this name.
    pub(crate) fn open_as(setting: &str, servers: &str) -> Result<Memcached, Error> {
        let parsed = Servers::parse(servers).ok_or_else(|| {
            let shown = Error::shown(servers);
            let what = format!(
                "is `{shown}`: give hosts such as `one:11211,[::1]:11211`, or `unix:///run/m.sock`"
            );
            Error::config(setting, what)
        })?;
        Ok(Memcached(Arc::new(parsed)))
    }

    /// Carries a command out for each item on its server, on all servers at once; the replies are in
    /// the order of the items.
    fn send(
        &self,
        operation: &'static str,
        command: Command,
        items: Vec<Item>,
    ) -> BoxFuture<'_, Result<Vec<Reply>, Error>> {
        io::inside(async move {
            let mut replies: Vec<Reply> = items.iter().map(|_| Reply::None).collect();
            let shares = self.0.share(items);
            let shares = shares.into_iter().flat_map(|it| parts(&command, it));
            let one = |(server, share)| Box::pin(self.0.on(server, &command, share));
            for done in rt::all(shares.map(one)).await {
                for (at, reply) in done.map_err(|error| command::error(operation, &error))? {
                    if let Some(place) = replies.get_mut(at) {
                        *place = reply;
                    }
                }
            }
            Ok(replies)
        })
    }
}

/// So many swaps are carried out one after the other, unless there are too many for that.
const IN_TURN: usize = 16;

/// What one server is to do, for one connection each: swaps wait for one another, so many of them
/// are spread over the connections that are kept.
fn parts(command: &Command, (server, mut items): Share) -> Vec<Share> {
    let each = match command {
        Command::Swap(_) => items.len().div_ceil(servers::IDLE).max(IN_TURN),
        _ => items.len(),
    };
    let mut parts = Vec::new();
    while items.len() > each {
        let rest = items.split_off(each);
        parts.push((server, std::mem::replace(&mut items, rest)));
    }
    parts.push((server, items));
    parts
}

fn named(keys: &[String]) -> Vec<Item> {
    let item = |key: &String| Item {
        key: key.clone(),
        value: Vec::new(),
        ttl: None,
    };
    keys.iter().map(item).collect()
}

impl Store for Memcached {
    fn get_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
        let sent = self.send("read", Command::Get, named(keys));
        Box::pin(async move { Ok(sent.await?.into_iter().map(Reply::found).collect()) })
    }

    fn set_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<(), Error>> {
        let sent = self.send("write", Command::Set, items);
        Box::pin(async move { sent.await.map(drop) })
    }

    fn delete_many<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<(), Error>> {
        let sent = self.send("delete", Command::Delete, named(keys));
        Box::pin(async move { sent.await.map(drop) })
    }

    fn add_many(&self, items: Vec<Item>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let sent = self.send("add", Command::Add, items);
        Box::pin(async move { Ok(sent.await?.iter().map(Reply::is_done).collect()) })
    }

    fn swap(&self, expected: Vec<u8>, item: Item) -> BoxFuture<'_, Result<bool, Error>> {
        let swapped = self.swap_many(vec![(expected, item)]);
        Box::pin(async move { Ok(swapped.await? == [true]) })
    }

    fn swap_many(&self, swaps: Vec<(Vec<u8>, Item)>) -> BoxFuture<'_, Result<Vec<bool>, Error>> {
        let (expected, items) = swaps.into_iter().unzip();
        let sent = self.send("swap", Command::Swap(expected), items);
        Box::pin(async move { Ok(sent.await?.iter().map(Reply::is_done).collect()) })
    }

    fn extend_many<'a>(
        &'a self,
        keys: &'a [String],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let sent = self.send("extend", Command::Extend(ttl), named(keys));
        Box::pin(async move { sent.await.map(drop) })
    }

    fn rollback(&self) -> Rollback {
        Rollback::Never
    }

    fn describe(&self) -> String {
        format!("memcached {}", self.0.names())
    }
}

impl std::fmt::Debug for Memcached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Memcached").field(&self.0.names()).finish()
    }
}
