//! What is said about a server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

use super::Redis;
use super::link::Link;
use crate::error::Error;

/// Where the servers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Servers {
    One(Address),
    Socket(PathBuf),
    Sentinels {
        service: String,
        addresses: Vec<Address>,
    },
    Cluster(Vec<Address>),
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

pub(super) const PORT: u16 = 6379;
pub(super) const SENTINEL_PORT: u16 = 26379;

/// All that is said; what it holds is secret.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "redis-tls"),
    allow(dead_code, reason = "certificates are for TLS")
)]
pub(super) struct Config {
    pub(super) servers: Servers,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) sentinel_password: Option<String>,
    pub(super) database: i64,
    pub(super) tls: bool,
    /// In PEM.
    #[cfg(feature = "redis-tls")]
    pub(super) root_certificate: Option<Vec<u8>>,
    /// In PEM, with its key.
    #[cfg(feature = "redis-tls")]
    pub(super) client_certificate: Option<(Vec<u8>, Vec<u8>)>,
    pub(super) connect_timeout: Duration,
    /// Connections are the callers' runtimes' to drive.
    pub(super) on_caller: bool,
}

/// Describes a Redis store; made by [`Redis::builder`].
///
/// ```
/// use dewar::store::{Redis, Store};
///
/// let store = Redis::builder()
///     .server("cache.internal", 6379)
///     .user("shop")
///     .password("a secret")
///     .database(2)
///     .build()?;
/// assert_eq!(store.describe(), "redis cache.internal:6379/2");
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisBuilder(pub(super) Config);

impl Default for RedisBuilder {
    fn default() -> Self {
        RedisBuilder(Config {
            servers: Servers::One(Address {
                host: "127.0.0.1".into(),
                port: PORT,
            }),
            user: None,
            password: None,
            sentinel_password: None,
            database: 0,
            tls: false,
            #[cfg(feature = "redis-tls")]
            root_certificate: None,
            #[cfg(feature = "redis-tls")]
            client_certificate: None,
            connect_timeout: Duration::from_secs(1),
            on_caller: false,
        })
    }
}

impl RedisBuilder {
    /// What a URL says; see [`Redis::open`].
    ///
    /// # Errors
    /// The URL is none that is understood. The message does not repeat credentials.
    pub fn url(self, url: &str) -> Result<Self, Error> {
        self.url_of("redis url", url)
    }

    /// The same of a setting of this name.
    pub(crate) fn url_of(self, setting: &str, url: &str) -> Result<Self, Error> {
        super::url::read(self, setting, url)
    }

    /// A single server; `127.0.0.1:6379` if nothing is said.
    pub fn server(mut self, host: impl Into<String>, port: u16) -> Self {
        let host = host.into();
        self.0.servers = Servers::One(Address { host, port });
        self
    }

    /// A single server at a Unix socket.
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.servers = Servers::Socket(path.into());
        self
    }

    /// The master that sentinels know under the name of a service, wherever it moves.
    pub fn sentinels<H: Into<String>>(
        mut self,
        service: impl Into<String>,
        sentinels: impl IntoIterator<Item = (H, u16)>,
    ) -> Self {
        self.0.servers = Servers::Sentinels {
            service: service.into(),
            addresses: addresses(sentinels),
        };
        self
    }

    /// A cluster, by some of its nodes.
    pub fn cluster<H: Into<String>>(mut self, nodes: impl IntoIterator<Item = (H, u16)>) -> Self {
        self.0.servers = Servers::Cluster(addresses(nodes));
        self
    }

    /// Whether there are sentinels.
    pub(crate) fn has_sentinels(&self) -> bool {
        matches!(self.0.servers, Servers::Sentinels { .. })
    }

    /// Whether it is a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.0.servers, Servers::Cluster(_))
    }

    /// The ACL user; the default one if nothing is said.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.0.user = Some(user.into());
        self
    }

    /// The password of the servers; an empty one is none.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.0.password = Some(password.into()).filter(|it| !it.is_empty());
        self
    }

    /// The password of the sentinels; they have none if nothing is said, or an empty one.
    pub fn sentinel_password(mut self, password: impl Into<String>) -> Self {
        self.0.sentinel_password = Some(password.into()).filter(|it| !it.is_empty());
        self
    }

    /// The number of the database; 0 if nothing is said, and always in a cluster.
    pub fn database(mut self, number: u32) -> Self {
        self.0.database = i64::from(number);
        self
    }

    /// Encrypts connections. Certificates are checked against those of the system.
    #[cfg(feature = "redis-tls")]
    pub fn tls(mut self) -> Self {
        self.0.tls = true;
        self
    }

    /// Encrypts connections. Certificates are checked against this one, in PEM, instead of those of
    /// the system.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.0.tls = true;
        self.0.root_certificate = Some(pem.into());
        self
    }

    /// Encrypts connections, and shows this certificate to the servers; both in PEM.
    #[cfg(feature = "redis-tls")]
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.0.tls = true;
        self.0.client_certificate = Some((pem.into(), key.into()));
        self
    }

    /// How long making a connection may take; one second if nothing is said.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.0.connect_timeout = limit;
        self
    }

    /// Has a tokio runtime that calls drive a connection of its own, instead of the thread that
    /// drives one for all callers otherwise.
    ///
    /// An operation is then not handed to another thread and back, which is most of what it costs
    /// beside a plain `GET` where the server is near. In return the runtime has to have I/O and
    /// time enabled, and has to be polled: what blocks its threads for longer than
    /// [`store_timeout`](crate::CacheBuilder::store_timeout) makes its operations time out, and so
    /// does an executor of another kind that blocks inside of it. Callers that are no tasks of a
    /// tokio runtime, synchronous ones among them, and clusters, use the thread all the same.
    pub fn on_caller_runtime(mut self) -> Self {
        self.0.on_caller = true;
        self
    }

    /// The store; nothing is connected yet.
    ///
    /// # Errors
    /// Something is said that cannot be meant.
    pub fn build(self) -> Result<Redis, Error> {
        let config = self.0;
        config.check()?;
        let link = Link::new(&config, None)?;
        Ok(Redis::new(config, link))
    }
}

impl std::fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = self.0.describe();
        f.debug_tuple("RedisBuilder").field(&what).finish()
    }
}

fn addresses<H: Into<String>>(of: impl IntoIterator<Item = (H, u16)>) -> Vec<Address> {
    of.into_iter()
        .map(|(host, port)| Address {
            host: host.into(),
            port,
        })
        .collect()
}

/// Whether this can be a host. A URL is none, and what it holds is not repeated: as a host it would
/// be shown wherever the store is.
pub(crate) fn check_host(host: &str) -> Result<(), &'static str> {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || "@/?#,[]".contains(c);
    let six = |host: &str| {
        let plain = host.split('%').next().unwrap_or_default();
        plain.parse::<std::net::Ipv6Addr>().is_ok()
    };
    match host.is_empty() || host.contains(foreign) || (host.contains(':') && !six(host)) {
        true => Err("is no host: give one such as `localhost`, and a whole URL as the URL"),
        false => Ok(()),
    }
}

/// The same of the path of a socket.
pub(crate) fn check_socket(path: &Path) -> Result<(), &'static str> {
    let text = path.to_string_lossy();
    match text.is_empty() || text.contains("://") || (text.contains('@') && !text.contains('/')) {
        true => Err("is no path: give one such as `/run/redis.sock`, and a whole URL as the URL"),
        false => Ok(()),
    }
}

impl Config {
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.servers, Servers::Cluster(_))
    }

    fn check(&self) -> Result<(), Error> {
        let several = match &self.servers {
            Servers::One(address) => std::slice::from_ref(address),
            Servers::Socket(_) => &[],
            Servers::Sentinels { addresses, service } => {
                if service.is_empty() {
                    return Err(Error::config(
                        "redis service",
                        "is empty: give the name under which the sentinels know the master",
                    ));
                }
                addresses
            }
            Servers::Cluster(_) if self.database != 0 => {
                let what = format!("is {}: a cluster has only 0", self.database);
                return Err(Error::config("redis database", what));
            }
            Servers::Cluster(addresses) => addresses,
        };
        if several.is_empty() && !matches!(self.servers, Servers::Socket(_)) {
            let what = "names no host: give one such as `localhost`";
            return Err(Error::config("redis server", what));
        }
        let host = |address: &Address| check_host(&address.host);
        let hosts = several.iter().try_for_each(host);
        hosts.map_err(|what| Error::config("redis server", what))?;
        if let Servers::Socket(path) = &self.servers {
            check_socket(path).map_err(|what| Error::config("redis socket", what))?;
        }
        if self.user.is_some() && self.password.is_none() {
            let what = "is given without a password: a user needs one";
            return Err(Error::config("redis user", what));
        }
        Ok(())
    }

    /// What it is and where; no credentials.
    pub(super) fn describe(&self) -> String {
        let list = |addresses: &[Address]| {
            let each = addresses.iter().map(ToString::to_string);
            each.collect::<Vec<_>>().join(",")
        };
        let database = self.database;
        match &self.servers {
            Servers::One(address) => format!("redis {address}/{database}"),
            Servers::Socket(path) => format!("redis {}/{database}", path.display()),
            Servers::Sentinels { service, addresses } => {
                format!("redis sentinel {service}/{database} at {}", list(addresses))
            }
            Servers::Cluster(addresses) => format!("redis cluster {}", list(addresses)),
        }
    }

    /// How to log in.
    pub(super) fn login(&self) -> RedisConnectionInfo {
        let mut login = RedisConnectionInfo::default().set_db(self.database);
        if let Some(user) = &self.user {
            login = login.set_username(user);
        }
        if let Some(password) = &self.password {
            login = login.set_password(password);
        }
        login
    }

    pub(super) fn address(&self, address: &Address) -> ConnectionAddr {
        let (host, port) = (address.host.clone(), address.port);
        match self.tls {
            false => ConnectionAddr::Tcp(host, port),
            true => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
        }
    }

    /// One server, and how to log in there.
    pub(super) fn at(&self, address: ConnectionAddr) -> ::redis::RedisResult<ConnectionInfo> {
        let info = address.into_connection_info()?;
        Ok(info.set_redis_settings(self.login()))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
