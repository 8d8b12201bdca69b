//! Settings of Redis servers.

use super::{Error, Kind, Source, switch, time};
use crate::store::{Redis, RedisBuilder, check_redis_host, check_redis_socket, redis_address};
use std::path::Path;

/// The store that the settings describe.
pub(super) fn store(kind: Kind, source: &Source<'_>) -> Result<Redis, Error> {
    let get = |name: &str| (source.get)(name);
    // Set and empty, as where a file of settings has a line for what there is none of.
    let login = |name: &str| get(name).map(|text| text.filter(|text| !text.is_empty()));
    let mut builder = RedisBuilder::default();
    if let Some(url) = get("redis_url")? {
        builder = builder.url_of(&(source.name)("redis_url"), &url)?;
    }
    builder = servers(builder, source)?;
    as_told(&builder, kind, source)?;
    if let Some(number) = get("redis_db")? {
        builder = builder.database(parsed(source, "redis_db", &number)?);
    }
    if let Some(limit) = time(source, "redis_connect_timeout")? {
        builder = builder.connect_timeout(limit);
    }
    if switch(source, "redis_on_caller_runtime")? == Some(true) {
        builder = builder.on_caller_runtime();
    }
    if let Some(user) = login("redis_username")? {
        builder = builder.user(user);
    }
    if let Some(password) = login("redis_password")? {
        builder = builder.password(password);
    }
    if let Some(password) = login("redis_sentinel_password")? {
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
    if let Some((way, _)) = given.first().filter(|(way, _)| *way != "redis_host")
        && port.is_some()
    {
        let way = (source.name)(way);
        let what = format!("is given together with `{way}`, which says all of where: unset one");
        return Err(Error::config((source.name)("redis_port"), what));
    }
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
            let service = (source.get)("redis_sentinel_master")?.filter(|it| !it.is_empty());
            let service = service.ok_or_else(|| {
                let what = "is not set: give the name under which the sentinels know the master";
                Error::config((source.name)("redis_sentinel_master"), what)
            })?;
            builder.sentinels(service, addresses(source, "redis_sentinels", &list, 26379)?)
        }
        Some(("redis_cluster", list)) => {
            builder.cluster(addresses(source, "redis_cluster", &list, 6379)?)
        }
        None if port.is_some() => builder.server("127.0.0.1", port.unwrap_or(6379)),
        _ => builder,
    })
}

/// Whether the servers are of the kind that was asked for, and what is said of sentinels has some.
fn as_told(builder: &RedisBuilder, kind: Kind, source: &Source<'_>) -> Result<(), Error> {
    let refused = |name: &str, what: String| Err(Error::config((source.name)(name), what));
    let lacks = match kind {
        Kind::RedisSentinel if !builder.has_sentinels() => Some(("redis_sentinels", 26379)),
        Kind::RedisCluster if !builder.is_cluster() => Some(("redis_cluster", 6379)),
        _ => None,
    };
    if let Some((name, port)) = lacks {
        let (ask, kind) = ((source.name)("type"), kind.name());
        let what = format!("is not set, and `{ask}` is `{kind}`: give `one:{port},two:{port}`");
        return refused(name, what);
    }
    let given = |name: &str| (source.get)(name).map(|text| text.is_some_and(|it| !it.is_empty()));
    for name in ["redis_sentinel_master", "redis_sentinel_password"] {
        if given(name)? && !builder.has_sentinels() {
            let sentinels = (source.name)("redis_sentinels");
            return refused(name, format!("is set without `{sentinels}`: give both"));
        }
    }
    let url = (source.get)("redis_url")?.is_some();
    if url && given("redis_sentinel_master")? {
        let url = (source.name)("redis_url");
        let what = format!("is given together with `{url}`, which names it: unset one");
        return refused("redis_sentinel_master", what);
    }
    Ok(())
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
