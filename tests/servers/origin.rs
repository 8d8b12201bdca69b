//! A server of any kind, and the stores that lead there.
#![allow(
    dead_code,
    reason = "every test is a crate of its own and uses a part of this"
)]

use std::sync::Arc;

use dewar::store::{Database, Memcached, Redis, Store};

use crate::servers::{Server, memcached, postgres, redis};

pub(crate) enum Origin {
    Redis(redis::Redis),
    Memcached(memcached::Memcached),
    Postgres(postgres::Postgres),
}

/// The store at a URL as [`Origin::url`] makes them.
pub(crate) fn open(url: &str) -> Arc<dyn Store> {
    match url.split("://").next() {
        Some("redis") => Arc::new(Redis::open(url).unwrap()),
        Some("postgres") => Arc::new(Database::open(url).unwrap()),
        _ => Arc::new(Memcached::open(url).unwrap()),
    }
}

impl Origin {
    pub(crate) fn redis() -> Origin {
        Origin::Redis(redis::Redis::start())
    }

    pub(crate) fn memcached() -> Origin {
        Origin::Memcached(memcached::Memcached::start())
    }

    pub(crate) fn postgres() -> Origin {
        Origin::Postgres(postgres::Postgres::start())
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Origin::Redis(server) => server.port(),
            Origin::Memcached(server) => server.0.port,
            Origin::Postgres(server) => server.0.port,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url_at(self.port())
    }

    /// The same at another port: that of a proxy.
    fn url_at(&self, port: u16) -> String {
        match self {
            Origin::Redis(_) => format!("redis://127.0.0.1:{port}/0"),
            Origin::Memcached(_) => format!("tcp://127.0.0.1:{port}"),
            Origin::Postgres(_) => format!("postgres://shop:secret@127.0.0.1:{port}/postgres"),
        }
    }

    /// The store at this port.
    pub(crate) fn open(&self, port: u16) -> Arc<dyn Store> {
        open(&self.url_at(port))
    }

    pub(crate) fn kill(&mut self) {
        match self {
            Origin::Postgres(server) => server.crash(),
            Origin::Redis(redis::Redis(server)) => server.kill(),
            Origin::Memcached(memcached::Memcached(server)) => server.kill(),
        }
    }

    pub(crate) fn run(&mut self) {
        self.server().run();
    }

    pub(crate) fn pause(&mut self) {
        match self {
            Origin::Postgres(server) => server.signal("STOP"),
            _ => self.server().pause(),
        }
    }

    pub(crate) fn resume(&mut self) {
        match self {
            Origin::Postgres(server) => server.signal("CONT"),
            _ => self.server().resume(),
        }
    }

    /// Forgets all it has, and cuts off who listens.
    pub(crate) fn forget(&self) {
        match self {
            Origin::Redis(server) => {
                server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
                server.command(&["FLUSHALL"]);
            }
            Origin::Memcached(server) => server.forget(),
            Origin::Postgres(server) => {
                let others = "pid <> pg_backend_pid() AND backend_type = 'client backend'";
                server.query(&format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
                ));
                server.query("TRUNCATE dewar_cache_1");
            }
        }
    }

    fn server(&mut self) -> &mut Server {
        match self {
            Origin::Redis(server) => &mut server.0,
            Origin::Memcached(server) => &mut server.0,
            Origin::Postgres(server) => &mut server.0,
        }
    }
}
