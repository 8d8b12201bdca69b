//! Which server a key is on, and connections to each.

use std::sync::Mutex;

use async_memcached::{Client, Error as ClientError};

use super::command::{self, Command, Reply};
use crate::store::Item;
use crate::sync::lock;

/// So many connections to one server are kept while nobody uses them.
pub(super) const IDLE: usize = 8;
/// And so many are used at once; more callers wait for one.
const BUSY: usize = 64;

/// The number of a server, and what it is to do; each item with its own number.
pub(super) type Share = (usize, Vec<(usize, Item)>);

/// All servers of a store.
pub(super) struct Servers(Vec<Server>);

pub(super) struct Server {
    name: String,
    idle: Mutex<Vec<Client>>,
    places: tokio::sync::Semaphore,
}

impl Servers {
    /// Servers with commas between them; none if there are none, or one is not understood.
    pub(super) fn parse(list: &str) -> Option<Servers> {
        let servers: Option<Vec<Server>> = list.split(',').map(Server::parse).collect();
        servers.filter(|servers| !servers.is_empty()).map(Servers)
    }

    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|server| server.name.as_str()).collect();
        names.join(",")
    }

    /// Which server each item belongs to: that which comes first when all are ordered by a hash of
    /// the key and their own name. So the order of the list does not matter, and a server more
    /// takes only its own part of the keys.
    pub(super) fn share(&self, items: Vec<Item>) -> Vec<Share> {
        let mut shares: Vec<_> = (0..self.0.len()).map(|n| (n, Vec::new())).collect();
        for (at, item) in items.into_iter().enumerate() {
            let score = |server: &Server| {
                let mut hasher = blake3::Hasher::new();
                hasher.update(server.name.as_bytes());
                hasher.update(&[0]);
                hasher.update(item.key.as_bytes());
                *hasher.finalize().as_bytes()
            };
            let home = match self.0.len() {
                1 => Some(0),
                n => (0..n).max_by_key(|n| self.0.get(*n).map(score)),
            };
            if let Some((_, share)) = home.and_then(|home| shares.get_mut(home)) {
                share.push((at, item));
            }
        }
        shares.retain(|(_, share)| !share.is_empty());
        shares
    }

    /// Carries a command out on one server, by a connection that nobody else uses meanwhile.
    pub(super) async fn on(
        &self,
        server: usize,
        command: &Command,
        items: Vec<(usize, Item)>,
    ) -> Result<Vec<(usize, Reply)>, ClientError> {
        let Some(server) = self.0.get(server) else {
            return Ok(Vec::new());
        };
        let _place = server.places.acquire().await;
        let known = lock(&server.idle).pop();
        let mut waiting = Waiting(known.is_some().then_some(server));
        let mut client = match known {
            Some(client) => client,
            None if server.name.contains("://") => Client::new(&server.name).await?,
            None => Client::new(format!("tcp://{}", server.name)).await?,
        };
        let done = command::carry_out(&mut client, command, &items).await;
        waiting.0 = None;
        let mut idle = lock(&server.idle);
        match &done {
            // The others are probably as dead.
            Err(ClientError::Io(_) | ClientError::Connect(_)) => idle.clear(),
            _ if !client.is_closed() && idle.len() < IDLE => idle.push(client),
            _ => {}
        }
        done
    }
}

/// An operation on a connection that was idle. Dropped without an answer, it takes all others that
/// are: what is gone without a word takes them all along, and each would be waited for in its turn.
struct Waiting<'a>(Option<&'a Server>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(server) = self.0 {
            let idle = std::mem::take(&mut *lock(&server.idle));
            drop(idle);
        }
    }
}

impl Server {
    fn parse(text: &str) -> Option<Server> {
        let text = text.trim();
        let plain = |text: &str| {
            let (host, port) = match text.rsplit_once(':') {
                Some((host, port)) if !port.ends_with(']') => (host, port),
                _ => (text, "11211"),
            };
            let port: u16 = port.parse().ok()?;
            let six = |host: &str| host.parse::<std::net::Ipv6Addr>().is_ok();
            let whole = match host.strip_prefix('[') {
                Some(rest) => rest.strip_suffix(']').is_some_and(six),
                // What is of IPv6 and in no brackets may have its port in it, or not.
                None => !host.is_empty() && !host.contains(['/', '@', ' ', ':', ']']),
            };
            (whole && port > 0).then(|| format!("{host}:{port}"))
        };
        let name = match text.strip_prefix("unix://") {
            Some(path) => path.starts_with('/').then(|| text.to_owned()),
            None => plain(text.strip_prefix("tcp://").unwrap_or(text)),
        };
        Some(Server {
            name: name?,
            idle: Mutex::default(),
            places: tokio::sync::Semaphore::new(BUSY),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Servers;
    use crate::store::Item;

    fn homes(list: &str) -> Vec<String> {
        let servers = Servers::parse(list).unwrap();
        let item = |n: usize| Item {
            key: format!("key {n}"),
            value: Vec::new(),
            ttl: None,
        };
        let mut homes = vec![String::new(); 1000];
        for (server, share) in servers.share((0..1000).map(item).collect()) {
            for (at, _) in share {
                homes[at] = servers.0[server].name.clone();
            }
        }
        homes
    }

    #[test]
    fn keys_are_spread_whatever_the_order_of_the_list() {
        let three = homes("a:1,b:1,c:1");
        assert_eq!(three, homes("c:1, b:1,a:1"));
        for name in ["a:1", "b:1", "c:1"] {
            let share = three.iter().filter(|home| *home == name).count();
            assert!((250..420).contains(&share), "{name} has {share}");
        }
    }

    #[test]
    fn a_server_more_takes_only_its_own_part() {
        let (three, four) = (homes("a,b,c"), homes("a,b,c,d"));
        let moved = three.iter().zip(&four).filter(|(old, new)| old != new);
        assert!(moved.clone().all(|(_, new)| new == "d:11211"));
        assert!((170..340).contains(&moved.count()));
    }

    #[test]
    fn what_is_no_list_of_servers_is_refused() {
        for list in ["", ",", "a:b", "a:0", "user@a", "unix://relative", "a b"] {
            assert!(Servers::parse(list).is_none(), "{list}");
        }
        for list in ["::1", "::1:11211", "[::1", "[::1]1", "[a]:1", "a]:1"] {
            assert!(Servers::parse(list).is_none(), "{list}");
        }
        let names = Servers::parse("a, tcp://b:2,unix:///run/m,[::1],[::1]:3");
        let names = names.unwrap().names();
        assert_eq!(names, "a:11211,b:2,unix:///run/m,[::1]:11211,[::1]:3");
    }
}
