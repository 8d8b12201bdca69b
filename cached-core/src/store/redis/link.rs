//! The connection: made when it is needed, shared by all operations, and made again when it is lost.
//!
//! Why not the crate's own connection manager? It cannot follow Sentinel, it has commands wait
//! while it tries again and again, and it does not notice a server that is silent. Here whoever
//! finds no connection makes one, the others wait for that; a failure is everybody's at once, and
//! trying again is the circuit breaker's business.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ::redis::aio::MultiplexedConnection;
use ::redis::cluster::{ClusterClient, ClusterClientBuilder};
use ::redis::cluster_async::ClusterConnection;
use ::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, Pipeline, RedisError,
    RedisResult, ServerErrorKind, Value,
};

use tokio::runtime::Handle;

use super::config::{Config, Servers};
use super::once::Once;
use crate::clock::{self, Clock};
use crate::error::Error;
use crate::rt::{self, io};
use crate::sync::lock;

/// After so many operations in a row without an answer, the connection is given up.
const UNANSWERED: u32 = 3;

/// A connection that can be shared.
#[derive(Clone)]
enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection<Once>),
}

/// How connections are made.
enum Connector {
    One(Client),
    Sentinels(tokio::sync::Mutex<SentinelClient>),
    Cluster(ClusterClient),
}

/// The connection of one store.
pub(super) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    /// What drives the connection; the runtime in which it is asked for if nothing is said.
    runtime: Option<Handle>,
    connector: Connector,
    connection: Mutex<Option<(u64, Connection)>>,
    connecting: Arc<tokio::sync::Mutex<()>>,
    made: AtomicU64,
    unanswered: AtomicU32,
    /// Since when, in nanoseconds.
    silent: AtomicU64,
}

impl Link {
    pub(super) fn new(config: &Config, runtime: Option<Handle>) -> Result<Self, Error> {
        let refused = |error: RedisError| Error::config("redis", format!("is refused: {error}"));
        #[cfg(feature = "redis-tls")]
        if config.tls {
            provide_cryptography();
        }
        Ok(Link {
            shared: Arc::new(Shared {
                connector: connector(config).map_err(refused)?,
                config: config.clone(),
                runtime,
                connection: Mutex::new(None),
                connecting: Arc::default(),
                made: AtomicU64::new(0),
                unanswered: AtomicU32::new(0),
                silent: AtomicU64::new(0),
            }),
        })
    }

    /// Sends commands in one round trip, however many there are.
    pub(super) async fn send(&self, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let (number, connection) = self.connection().await?;
        let waiting = Waiting(Some((&self.shared, number)));
        let sent = connection.send(commands).await;
        waiting.answered();
        if let Err(error) = &sent
            && useless(error)
        {
            self.shared.give_up(number);
        }
        sent
    }

    /// The connection, made now if there is none.
    async fn connection(&self) -> RedisResult<(u64, Connection)> {
        let known = lock(&self.shared.connection).clone();
        match known {
            Some((number, _)) if self.shared.is_silent() => self.shared.give_up(number),
            Some(known) => return Ok(known),
            None => {}
        }
        let turn = Arc::clone(&self.shared.connecting).lock_owned().await;
        if let Some(known) = lock(&self.shared.connection).clone() {
            return Ok(known);
        }
        let shared = Arc::clone(&self.shared);
        // A task of its own: it goes on for the others when this caller leaves.
        let making = async move {
            let _turn = turn;
            let connection = shared.connect().await?;
            let number = shared.made.fetch_add(1, Ordering::SeqCst);
            *lock(&shared.connection) = Some((number, connection.clone()));
            Ok((number, connection))
        };
        let made = match &self.shared.runtime {
            Some(runtime) => runtime.spawn(making),
            None => tokio::spawn(making),
        };
        made.await
            .unwrap_or_else(|_| Err((ErrorKind::Client, "connecting was cut short").into()))
    }

    /// A connection of one's own, to listen on. In a cluster it is to the node to which messages on
    /// this channel are sent.
    pub(super) async fn listener(&self, channel: &str) -> RedisResult<::redis::aio::PubSub> {
        let client = match &self.shared.connector {
            Connector::One(client) => client.clone(),
            Connector::Sentinels(sentinels) => sentinels.lock().await.async_get_client().await?,
            Connector::Cluster(_) => self.node_of(channel).await?,
        };
        let limit = self.shared.config.connect_timeout;
        match tokio::time::timeout(limit, client.get_async_pubsub()).await {
            Ok(listener) => listener,
            Err(_) => Err((ErrorKind::Io, "connecting took too long").into()),
        }
    }

    async fn node_of(&self, channel: &str) -> RedisResult<Client> {
        let mut slot = ::redis::cmd("CLUSTER");
        slot.arg("KEYSLOT").arg(channel);
        let mut slots = ::redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        let mut replies = self.send(&[slot, slots]).await?.into_iter();
        let node = match (replies.next(), replies.next()) {
            (Some(Value::Int(slot)), Some(Value::Array(ranges))) => {
                ranges.iter().find_map(|range| node(range, slot))
            }
            _ => None,
        };
        let config = &self.shared.config;
        let address = match (node, &config.servers) {
            (Some(address), _) => config.address(&address),
            (None, Servers::Cluster(seeds)) if !seeds.is_empty() => config.address(&seeds[0]),
            _ => return Err((ErrorKind::Client, "no node is known").into()),
        };
        client(config, address)
    }
}

/// The master of a range of slots, if it is that of this slot.
fn node(range: &Value, slot: i64) -> Option<super::config::Address> {
    let Value::Array(range) = range else {
        return None;
    };
    let [
        Value::Int(first),
        Value::Int(last),
        Value::Array(master),
        ..,
    ] = range.as_slice()
    else {
        return None;
    };
    let (host, port) = match master.as_slice() {
        [Value::BulkString(host), Value::Int(port), ..] => (host, port),
        _ => return None,
    };
    let host = String::from_utf8(host.clone()).ok()?;
    let here = (*first..=*last).contains(&slot) && !host.is_empty();
    let port = u16::try_from(*port).ok()?;
    here.then_some(super::config::Address { host, port })
}

impl Shared {
    async fn connect(&self) -> RedisResult<Connection> {
        self.unanswered.store(0, Ordering::SeqCst);
        let limit = self.config.connect_timeout;
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limit))
            .set_response_timeout(None);
        let connecting = async {
            match &self.connector {
                Connector::One(client) => {
                    let one = client.get_multiplexed_async_connection_with_config(&settings);
                    one.await.map(Connection::One)
                }
                Connector::Sentinels(sentinels) => {
                    let client = sentinels.lock().await.async_get_client().await?;
                    let one = client.get_multiplexed_async_connection_with_config(&settings);
                    one.await.map(Connection::One)
                }
                Connector::Cluster(client) => {
                    let cluster = client.get_async_generic_connection().await;
                    cluster.map(Connection::Cluster)
                }
            }
        };
        // Some steps of it, logging in among them, have no time limit of their own.
        match tokio::time::timeout(limit.saturating_mul(3), connecting).await {
            Ok(connected) => connected,
            Err(_) => Err((ErrorKind::Io, "connecting took too long").into()),
        }
    }

    /// Whether something was not answered, and nothing since, for as long as connecting takes at
    /// most: where few ask, nobody waits for the last of them.
    fn is_silent(&self) -> bool {
        let silence = || {
            Clock::System
                .now()
                .saturating_sub(self.silent.load(Ordering::SeqCst))
        };
        self.unanswered.load(Ordering::SeqCst) > 0
            && silence() >= clock::nanos(self.config.connect_timeout)
    }

    /// Counts an operation that was not answered, and says whether that is enough.
    fn count(&self) -> bool {
        let before = self.unanswered.fetch_add(1, Ordering::SeqCst);
        if before == 0 {
            self.silent.store(Clock::System.now(), Ordering::SeqCst);
        }
        before + 1 >= UNANSWERED
    }

    /// Forgets a connection, if it still is the one in use.
    fn give_up(&self, number: u64) {
        let mut connection = lock(&self.connection);
        let dead = match &*connection {
            Some((known, _)) if *known == number => connection.take(),
            _ => None,
        };
        std::mem::drop(connection);
        drop(dead);
    }
}

/// An operation that waits for its answer. Dropped without one, it counts against the connection:
/// a server that is silent closes nothing.
struct Waiting<'a>(Option<(&'a Shared, u64)>);

impl Waiting<'_> {
    fn answered(mut self) {
        if let Some((shared, _)) = self.0.take() {
            shared.unanswered.store(0, Ordering::SeqCst);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some((shared, number)) = self.0.take()
            && shared.count()
        {
            // The connection's end is the runtime's business.
            let _inside = io::enter();
            shared.give_up(number);
        }
    }
}

impl Connection {
    async fn send(&self, commands: &[Cmd]) -> RedisResult<Vec<Value>> {
        match self {
            Connection::One(connection) => {
                let mut connection = connection.clone();
                if let [command] = commands {
                    // What is inside the reply is judged where it is read.
                    return match connection.send_packed_command(command).await? {
                        Value::ServerError(error) => Err(error.into()),
                        reply => Ok(vec![reply]),
                    };
                }
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for command in commands {
                    pipeline.add_command(command.clone());
                }
                pipeline.query_async(&mut connection).await
            }
            // Each finds its own node; those to one node are sent together.
            Connection::Cluster(connection) => {
                let one = |command: &Cmd| {
                    let (mut connection, command) = (connection.clone(), command.clone());
                    Box::pin(async move { command.query_async::<Value>(&mut connection).await })
                };
                let replies = rt::all(commands.iter().map(one)).await;
                replies.into_iter().collect()
            }
        }
    }
}

fn connector(config: &Config) -> RedisResult<Connector> {
    Ok(match &config.servers {
        Servers::One(address) => Connector::One(client(config, config.address(address))?),
        Servers::Socket(path) => {
            Connector::One(client(config, ConnectionAddr::Unix(path.clone()))?)
        }
        Servers::Sentinels { service, addresses } => {
            let sentinels = addresses.iter().map(|address| config.address(address));
            let mut builder =
                SentinelClientBuilder::new(sentinels, service, SentinelServerType::Master)?
                    .set_client_to_redis_db(config.database);
            if let Some(user) = &config.user {
                builder = builder.set_client_to_redis_username(user);
            }
            if let Some(password) = &config.password {
                builder = builder.set_client_to_redis_password(password);
            }
            if let Some(password) = &config.sentinel_password {
                builder = builder.set_client_to_sentinel_password(password);
            }
            #[cfg(feature = "redis-tls")]
            if config.tls {
                builder = builder
                    .set_client_to_redis_tls_mode(::redis::TlsMode::Secure)
                    .set_client_to_sentinel_tls_mode(::redis::TlsMode::Secure)
                    .set_client_to_redis_certificates(certificates(config))
                    .set_client_to_sentinel_certificates(certificates(config));
            }
            Connector::Sentinels(tokio::sync::Mutex::new(builder.build()?))
        }
        Servers::Cluster(addresses) => Connector::Cluster(cluster(config, addresses)?),
    })
}

fn cluster(config: &Config, addresses: &[super::config::Address]) -> RedisResult<ClusterClient> {
    let nodes: RedisResult<Vec<_>> = addresses
        .iter()
        .map(|address| config.at(config.address(address)))
        .collect();
    let limit = config.connect_timeout;
    let builder = ClusterClientBuilder::new(nodes?)
        .retries(3)
        .connection_timeout(limit)
        .response_timeout(limit)
        .overall_response_timeout(None);
    #[cfg(feature = "redis-tls")]
    let builder = match config.tls {
        true => builder
            .tls(::redis::TlsMode::Secure)
            .certs(certificates(config)),
        false => builder,
    };
    builder.build()
}

fn client(config: &Config, address: ConnectionAddr) -> RedisResult<Client> {
    let info = config.at(address)?;
    #[cfg(feature = "redis-tls")]
    if config.tls {
        return Client::build_with_tls(info, certificates(config));
    }
    Client::open(info)
}

#[cfg(feature = "redis-tls")]
fn certificates(config: &Config) -> ::redis::TlsCertificates {
    let client = config.client_certificate.clone();
    ::redis::TlsCertificates {
        client_tls: client.map(|(client_cert, client_key)| ::redis::ClientTlsConfig {
            client_cert,
            client_key,
        }),
        root_cert: config.root_certificate.clone(),
    }
}

/// rustls wants one implementation for the process, and takes the first that is named. An
/// application that has named one keeps it.
#[cfg(feature = "redis-tls")]
fn provide_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Whether a connection is of no use any more after this error.
fn useless(error: &RedisError) -> bool {
    // A master that has become a replica: the master is elsewhere.
    let demoted = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
    // The crate's own words on a cluster one of whose nodes is gone: it does not ask anew where that
    // node's slots are when a read of many keys meets it.
    let lost = matches!(
        error.kind(),
        ErrorKind::Client | ErrorKind::ClusterConnectionNotFound
    );
    demoted || lost || error.is_unrecoverable_error() || error.is_io_error()
}

/// An error of the crate as one of ours: the server's own words are a refusal, unless they are that
/// it wants a login, whatever the command is.
pub(super) fn error(operation: &'static str, error: &RedisError) -> Error {
    if error.code() == Some("NOAUTH") {
        return Error::store(operation, error);
    }
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::ClusterDown) => {
            Error::store(operation, error)
        }
        ErrorKind::Server(_) | ErrorKind::Extension => Error::refused(operation, error),
        _ => Error::store(operation, error),
    }
}
