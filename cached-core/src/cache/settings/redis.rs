//! Settings of Redis servers.

use super::{Error, Source, switch, time};
use crate::store::{Redis, RedisBuilder, check_redis_host, check_redis_socket, redis_address};
use std::path::Path;

/// The store that the settings describe.
pub(super) fn store(source: &Source<'_>) -> Result<Redis, Error> {
    let get = |name: &str| (source.get)(name);
    let mut builder = RedisBuilder::default();
    if let Some(url) = get("redis_url")? {
        builder = builder.url_of(&(source.name)("redis_url"), &url)?;
    }
    builder = servers(builder, source)?;
    if let Some(number) = get("redis_db")? {
        builder = builder.database(parsed(source, "redis_db", &number)?);
    }
    if let Some(limit) = time(source, "redis_connect_timeout")? {
        builder = builder.connect_timeout(limit);
    }
    if switch(source, "redis_on_caller_runtime")? == Some(true) {
        builder = builder.on_caller_runtime();
    }
    if let Some(user) = get("redis_username")? {
        builder = builder.user(user);
    }
    if let Some(password) = get("redis_password")? {
        builder = builder.password(password);
    }
    if let Some(password) = get("redis_sentinel_password")? {
        builder = builder.sentinel_password(password);
    }
    encryption(builder, source)?.build()
}

/// What is said of TLS; certificates are in files.
#[cfg(feature = "redis-tls")]
fn encryption(mut builder: RedisBuilder, source: &Source<'_>) -> Result<RedisBuilder, Error> {
    let file = |name: &str| {
        let Some(path) = (source.get)(name)? else {
            return Ok(None);
        };
        let refused = |why: &str| {
            let what = format!("is the path of a file that {why}: give one in PEM");
            Error::config((source.name)(name), what)
        };
        match std::fs::read(path) {
            Err(error) => Err(refused(&format!("cannot be read ({error})"))),
            Ok(bytes) if !String::from_utf8_lossy(&bytes).contains("-----BEGIN ") => {
                Err(refused("holds nothing in PEM"))
            }
            Ok(bytes) => Ok(Some(bytes)),
        }
    };
    if switch(source, "redis_tls")? == Some(true) {
        builder = builder.tls();
    }
    if let Some(pem) = file("redis_root_certificate")? {
        builder = builder.root_certificate(pem);
    }
    let names = ["redis_client_certificate", "redis_client_key"];
    match (file(names[0])?, file(names[1])?) {
        (None, None) => Ok(builder),
        (Some(pem), Some(key)) => Ok(builder.client_certificate(pem, key)),
        (certificate, _) => {
            let [given, other] = match certificate {
                Some(_) => names,
                None => [names[1], names[0]],
            };
            let what = format!("is given without `{}`: give both", (source.name)(other));
            Err(Error::config((source.name)(given), what))
        }
    }
}

#[cfg(not(feature = "redis-tls"))]
fn encryption(builder: RedisBuilder, source: &Source<'_>) -> Result<RedisBuilder, Error> {
    for name in [
        "redis_tls",
        "redis_root_certificate",
        "redis_client_certificate",
        "redis_client_key",
    ] {
        super::shared::needs(source, name, (source.get)(name)?, "redis-tls")?;
    }
    Ok(builder)
}

fn servers(builder: RedisBuilder, source: &Source<'_>) -> Result<RedisBuilder, Error> {
    let ways = [
        "redis_url",
        "redis_host",
        "redis_unix_socket_path",
        "redis_sentinels",
        "redis_cluster",
    ];
    let mut given = Vec::new();
    for way in ways {
        if let Some(value) = (source.get)(way)? {
            given.push((way, value));
        }
    }
    if let [(first, _), (second, _), ..] = given.as_slice() {
        let first = (source.name)(first);
        let what = format!("is given together with `{first}`: give one of them");
        return Err(Error::config((source.name)(second), what));
    }
    let port = (source.get)("redis_port")?
        .map(|port| parsed(source, "redis_port", &port))
        .transpose()?;
    Ok(match given.pop() {
        Some(("redis_host", host)) => {
            let refused = |what| Error::config((source.name)("redis_host"), what);
            check_redis_host(&host).map_err(refused)?;
            builder.server(host, port.unwrap_or(6379))
        }
        Some(("redis_unix_socket_path", path)) => {
            let refused = |what| Error::config((source.name)("redis_unix_socket_path"), what);
            check_redis_socket(Path::new(&path)).map_err(refused)?;
            builder.socket(path)
        }
        Some(("redis_sentinels", list)) => {
            let service = (source.get)("redis_sentinel_master")?.unwrap_or_default();
            builder.sentinels(service, addresses(source, "redis_sentinels", &list, 26379)?)
        }
        Some(("redis_cluster", list)) => {
            builder.cluster(addresses(source, "redis_cluster", &list, 6379)?)
        }
        None if port.is_some() => builder.server("127.0.0.1", port.unwrap_or(6379)),
        _ => builder,
    })
}

fn addresses(
    source: &Source<'_>,
    name: &str,
    list: &str,
    port: u16,
) -> Result<Vec<(String, u16)>, Error> {
    let address = |text: &str| redis_address(text.trim(), port);
    let addresses: Option<Vec<_>> = list.split(',').map(address).collect();
    addresses.ok_or_else(|| {
        let list = Error::shown(list);
        let what = format!("is `{list}`: give hosts such as `one:{port},two:{port}`");
        Error::config((source.name)(name), what)
    })
}

fn parsed<T: std::str::FromStr>(source: &Source<'_>, name: &str, text: &str) -> Result<T, Error> {
    text.trim().parse().map_err(|_| {
        let what = format!("is `{}`: give a number", Error::shown(text));
        Error::config((source.name)(name), what)
    })
}
