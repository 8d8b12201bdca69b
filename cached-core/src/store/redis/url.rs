//! How a server is written.

use super::config::{Address, Config, PORT, RedisBuilder, SENTINEL_PORT, Servers};
use crate::error::Error;

const ACCEPTED: &str = "give one such as `redis://localhost:6379/0`, `rediss://…` for TLS, \
    `unix:///run/redis.sock`, `redis-sentinel://host:26379/service` or `redis-cluster://host:6379`";

/// What kind of servers a scheme stands for, and whether over TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Socket,
    Sentinels,
    Cluster,
}

fn kind(scheme: &str) -> Option<(Kind, bool)> {
    Some(match scheme {
        "redis" | "valkey" => (Kind::One, false),
        "rediss" | "valkeys" => (Kind::One, true),
        "unix" | "redis+unix" | "valkey+unix" => (Kind::Socket, false),
        "redis-sentinel" | "valkey-sentinel" => (Kind::Sentinels, false),
        "rediss-sentinel" | "valkeys-sentinel" => (Kind::Sentinels, true),
        "redis-cluster" | "valkey-cluster" => (Kind::Cluster, false),
        "rediss-cluster" | "valkeys-cluster" => (Kind::Cluster, true),
        _ => return None,
    })
}

/// Adds what a URL says to a description.
pub(super) fn read(
    mut builder: RedisBuilder,
    setting: &str,
    url: &str,
) -> Result<RedisBuilder, Error> {
    let refuse = |why: &str| {
        let what = format!("is `{}`{why}: {ACCEPTED}", redacted(url));
        Error::config(setting, what)
    };
    let (scheme, rest) = url.trim().split_once("://").ok_or_else(|| refuse(""))?;
    let (kind, tls) = kind(scheme).ok_or_else(|| refuse(", of an unknown scheme"))?;
    if tls && !cfg!(feature = "redis-tls") {
        return Err(refuse(", which needs the feature `redis-tls`"));
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let config = &mut builder.0;
    config.tls = tls;
    if kind == Kind::Socket {
        let path = decoded(rest).filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| refuse(", which names no absolute path"))?;
        config.servers = Servers::Socket(path.into());
        options(config, query).ok_or_else(|| refuse(", with an option that is not understood"))?;
        return Ok(builder);
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    if let Some(login) = login {
        log_in(config, login).ok_or_else(|| refuse(", whose login is not percent-encoded"))?;
    }
    let port = match kind {
        Kind::Sentinels => SENTINEL_PORT,
        _ => PORT,
    };
    let addresses: Option<Vec<Address>> =
        hosts.split(',').map(|host| address(host, port)).collect();
    let mut addresses = addresses.ok_or_else(|| refuse(", whose hosts are not understood"))?;
    let (first, second) = path.split_once('/').unwrap_or((path, ""));
    let number = match kind {
        Kind::Sentinels => second,
        _ => first,
    };
    if !number.is_empty() {
        let database: Option<u32> = number.parse().ok();
        let database = database.ok_or_else(|| refuse(", whose database is not a number"))?;
        config.database = i64::from(database);
    }
    let service = decoded(first).unwrap_or_default();
    config.servers = match kind {
        Kind::Sentinels if service.is_empty() => return Err(refuse(", which names no service")),
        Kind::Sentinels => Servers::Sentinels { service, addresses },
        Kind::Cluster => Servers::Cluster(addresses),
        _ if addresses.len() > 1 => return Err(refuse(", which names more than one server")),
        _ => Servers::One(addresses.remove(0)),
    };
    options(config, query).ok_or_else(|| refuse(", with an option that is not understood"))?;
    Ok(builder)
}

fn log_in(config: &mut Config, login: &str) -> Option<()> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (user, password) = (decoded(user)?, decoded(password)?);
    // `redis://secret@host` is a password to some clients and a user to others.
    if password.is_empty() && !user.is_empty() {
        return None;
    }
    config.user = Some(user).filter(|user| !user.is_empty());
    config.password = Some(password).filter(|password| !password.is_empty());
    Some(())
}

fn options(config: &mut Config, query: &str) -> Option<()> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value = decoded(value)?;
        match name {
            "db" => config.database = i64::from(value.parse::<u32>().ok()?),
            "user" | "username" => config.user = Some(value),
            "pass" | "password" => config.password = Some(value).filter(|it| !it.is_empty()),
            "sentinel_password" => {
                config.sentinel_password = Some(value).filter(|it| !it.is_empty());
            }
            _ => return None,
        }
    }
    Some(())
}

/// A host with or without a port; one of IPv6 in brackets.
pub(super) fn address(text: &str, port: u16) -> Option<Address> {
    let (host, given) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            let given = match rest {
                "" => None,
                rest => Some(rest.strip_prefix(':')?),
            };
            (host, given)
        }
        None => match text.split_once(':') {
            Some((host, given)) => (host, Some(given)),
            None => (text, None),
        },
    };
    let host = decoded(host)?;
    let port = given.map_or(Some(port), |given| given.parse().ok())?;
    (!host.is_empty() && port > 0).then_some(Address { host, port })
}

/// Text with its percent signs resolved.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// A URL as it may be shown: without a login, and without options. A password may hold what ends one
/// elsewhere, and what has a colon may be a login whose host was forgotten.
fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.trim().split_once("://") else {
        return match url.contains(['@', ':']) {
            true => "…".into(),
            false => url.trim().to_owned(),
        };
    };
    let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
    let known = |place: &str| {
        let hosts = place.split('/').next().unwrap_or_default();
        place.starts_with('/') || hosts.split(',').all(|host| address(host, PORT).is_some())
    };
    match rest.rsplit_once('@') {
        _ if options.contains('@') => format!("{scheme}://…"),
        Some((_, place)) => format!("{scheme}://…@{place}"),
        None if known(rest) => format!("{scheme}://{rest}"),
        None => format!("{scheme}://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Redis, RedisBuilder};
    use super::{Address, Servers, read, redacted};
    use crate::error::Error;
    use proptest::prelude::*;

    fn parsed(url: &str) -> Result<RedisBuilder, Error> {
        read(RedisBuilder::default(), "CACHE_REDIS_URL", url)
    }

    fn place(host: &str, port: u16) -> Address {
        let host = host.to_owned();
        Address { host, port }
    }

    #[test]
    fn every_part_of_a_url_is_understood() {
        let config = parsed("redis://shop:p%40ss%3A@cache:7000/3").unwrap().0;
        assert_eq!(config.servers, Servers::One(place("cache", 7000)));
        assert_eq!(config.user.as_deref(), Some("shop"));
        assert_eq!(config.password.as_deref(), Some("p@ss:"));
        assert_eq!(config.database, 3);
        let config = parsed("valkey://:secret@[::1]").unwrap().0;
        assert_eq!(config.servers, Servers::One(place("::1", 6379)));
        assert_eq!(
            (config.user, config.password.as_deref()),
            (None, Some("secret"))
        );
        let config = parsed("unix:///run/redis%20one.sock?db=2&password=x")
            .unwrap()
            .0;
        assert_eq!(
            config.servers,
            Servers::Socket("/run/redis one.sock".into())
        );
        assert_eq!(
            (config.database, config.password.as_deref()),
            (2, Some("x"))
        );
        let config = parsed("redis-sentinel://a,b:7/main/1").unwrap().0;
        let sentinels = Servers::Sentinels {
            service: "main".into(),
            addresses: vec![place("a", 26379), place("b", 7)],
        };
        assert_eq!((config.servers, config.database), (sentinels, 1));
        let config = parsed("redis-cluster://a,b:7").unwrap().0;
        let cluster = Servers::Cluster(vec![place("a", 6379), place("b", 7)]);
        assert_eq!(config.servers, cluster);
    }

    #[test]
    fn a_bad_url_is_refused_with_what_is_accepted_and_without_its_secret() {
        for (url, why) in [
            ("localhost:6379", "is `…`: give one such as"),
            ("redis//:secret@host", "is `…`: give one such as"),
            ("http://:secret@host", "of an unknown scheme"),
            ("redis://:secret@", "whose hosts are not understood"),
            (
                "redis://:secret@host:port",
                "whose hosts are not understood",
            ),
            (
                "redis://:secret@host/zero",
                "whose database is not a number",
            ),
            ("redis://:secret@a,b", "more than one server"),
            ("redis://secret@host", "whose login is not percent-encoded"),
            (
                "redis://:secret%@host",
                "whose login is not percent-encoded",
            ),
            (
                "redis://host?secret=secret",
                "an option that is not understood",
            ),
            ("redis-sentinel://:secret@host", "which names no service"),
            ("unix://:secret@relative", "no absolute path"),
        ] {
            let error = parsed(url).map(drop).unwrap_err();
            assert!(error.is_config());
            let text = error.to_string();
            assert!(text.starts_with("`CACHE_REDIS_URL` is `"), "{text}");
            assert!(text.contains(why), "{text}");
            assert!(
                !text.contains("secret@") && !text.contains("=secret"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let refusal = |url: &str| Redis::open(url).map(drop).unwrap_err().to_string();
        assert_eq!(
            refusal("redis-cluster://a/1"),
            "`redis database` is 1: a cluster has only 0"
        );
    }

    #[test]
    fn nothing_shows_a_secret() {
        let builder = Redis::builder().user("u").password("secret");
        assert!(!format!("{builder:?}").contains("secret"));
        let store = Redis::open("redis://u:secret@host").unwrap();
        assert_eq!(format!("{store:?}"), "Redis(\"redis host:6379/0\")");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(url: String) {
            let _ = parsed(&url);
            let _ = parsed(&format!("redis://{url}"));
        }

        #[test]
        fn a_password_is_never_shown(
            secret in "[a-z]{6}",
            ends in "[@:/?#%,]{0,2}",
            more in "[a-z]{6}",
            rest in "(@[a-z:/]{0,9})?(\\?password=[a-z@]{3})?",
        ) {
            let url = format!("redis://user:{secret}{ends}{more}{rest}");
            let shown = redacted(&url);
            prop_assert!(!shown.contains(&secret), "{shown}");
            if !ends.contains('@') || rest.starts_with('@') {
                prop_assert!(!shown.contains(&more), "{shown}");
            }
        }
    }
}
