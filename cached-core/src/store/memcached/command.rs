//! What is said to one server, by one connection.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_memcached::{
    AsciiProtocol, Client, Error as ClientError, ErrorKind, MetaProtocol, MetaValue, Status,
};

use crate::error::Error;
use crate::store::{Found, Item};

/// What is to be done with each of some items.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Get,
    Set,
    /// If there is nothing.
    Add,
    Delete,
    /// If there is exactly what is expected, by the numbers of the items.
    Swap(Vec<Vec<u8>>),
    /// To live for at least so long.
    Extend(Duration),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    None,
    Found(Vec<u8>),
    Done,
}

impl Reply {
    pub(super) fn found(self) -> Found {
        match self {
            Reply::Found(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        *self == Reply::Done
    }
}

type Replies = Result<Vec<(usize, Reply)>, ClientError>;

/// Carries a command out for all items.
pub(super) async fn carry_out(
    client: &mut Client,
    command: &Command,
    items: &[(usize, Item)],
) -> Replies {
    match command {
        Command::Get => get(client, items).await,
        Command::Set => set(client, items).await,
        Command::Add => add(client, items).await,
        Command::Delete => delete(client, items).await,
        Command::Swap(expected) => swap(client, expected, items).await,
        Command::Extend(ttl) => extend(client, *ttl, items).await,
    }
}

fn keys(items: &[(usize, Item)]) -> Vec<&str> {
    items.iter().map(|(_, item)| item.key.as_str()).collect()
}

async fn get(client: &mut Client, items: &[(usize, Item)]) -> Replies {
    let values = client.meta_get_multi(&keys(items), Some(&["v"])).await?;
    let mut found: HashMap<Vec<u8>, Vec<u8>> = values
        .into_iter()
        .filter_map(|value| Some((value.key?, value.data.unwrap_or_default())))
        .collect();
    let mut replies = Vec::new();
    for (n, (at, item)) in items.iter().enumerate() {
        // The last that asks for a key takes the value.
        let again = items[n + 1..]
            .iter()
            .any(|(_, later)| later.key == item.key);
        let value = match again {
            true => found.get(item.key.as_bytes()).cloned(),
            false => found.remove(item.key.as_bytes()),
        };
        replies.extend(value.map(|value| (*at, Reply::Found(value))));
    }
    Ok(replies)
}

/// The first item of each key: of a key that is repeated, only one can be stored.
fn distinct<'a>(
    items: impl Iterator<Item = &'a (usize, Item)>,
) -> impl Iterator<Item = &'a (usize, Item)> {
    let mut seen = HashSet::new();
    items.filter(move |(_, item)| seen.insert(item.key.as_str()))
}

/// Items of one time to live can be sent together.
fn by_time<'a>(
    items: impl Iterator<Item = &'a (usize, Item)>,
) -> HashMap<String, Vec<&'a (usize, Item)>> {
    let mut times: HashMap<String, Vec<_>> = HashMap::new();
    for item in items {
        times.entry(time(item.1.ttl)).or_default().push(item);
    }
    times
}

async fn set(client: &mut Client, items: &[(usize, Item)]) -> Replies {
    // The last stays, whatever order the times come in.
    for (time, items) in by_time(distinct(items.iter().rev())) {
        client
            .meta_set_multi(&pairs(&items), Some(&[&time]))
            .await?;
    }
    Ok(Vec::new())
}

async fn add(client: &mut Client, items: &[(usize, Item)]) -> Replies {
    let mut replies = Vec::new();
    for (time, items) in by_time(distinct(items.iter())) {
        let flags = ["ME", time.as_str()];
        let refused = client.meta_set_multi(&pairs(&items), Some(&flags)).await?;
        let refused: HashSet<Vec<u8>> = refused.into_iter().filter_map(|it| it.key).collect();
        let added = items
            .iter()
            .filter(|(_, item)| !refused.contains(item.key.as_bytes()));
        replies.extend(added.map(|(at, _)| (*at, Reply::Done)));
    }
    Ok(replies)
}

fn pairs<'a>(items: &[&'a (usize, Item)]) -> Vec<(&'a str, &'a [u8])> {
    let pair = |(_, item): &&'a (usize, Item)| (item.key.as_str(), item.value.as_slice());
    items.iter().map(pair).collect()
}

async fn delete(client: &mut Client, items: &[(usize, Item)]) -> Replies {
    client.delete_multi_no_reply(&keys(items)).await?;
    // Its answer says that all before it are done.
    client.version().await?;
    Ok(Vec::new())
}

async fn swap(client: &mut Client, expected: &[Vec<u8>], items: &[(usize, Item)]) -> Replies {
    let found = client
        .meta_get_multi(&keys(items), Some(&["v", "c"]))
        .await?;
    let mut found: HashMap<Vec<u8>, MetaValue> = found
        .into_iter()
        .filter_map(|mut value| Some((value.key.take()?, value)))
        .collect();
    let (mut replies, mut refused) = (Vec::new(), None);
    for (at, item) in items {
        let Some(MetaValue {
            data,
            cas: Some(cas),
            ..
        }) = found.remove(item.key.as_bytes())
        else {
            continue;
        };
        if Some(&data.unwrap_or_default()) != expected.get(*at) {
            continue;
        }
        let (cas, time) = (format!("C{cas}"), time(item.ttl));
        let flags = [cas.as_str(), time.as_str()];
        let value = item.value.as_slice();
        match client
            .meta_set(&item.key, value, false, None, Some(&flags))
            .await
        {
            Ok(_) => replies.push((*at, Reply::Done)),
            // Somebody was faster.
            Err(ClientError::Protocol(Status::Exists | Status::NotFound | Status::NotStored)) => {}
            // One that is too large takes nothing from the others.
            Err(error @ ClientError::Protocol(_)) => refused = refused.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    refused.map_or(Ok(replies), Err)
}

async fn extend(client: &mut Client, ttl: Duration, items: &[(usize, Item)]) -> Replies {
    let left = client.meta_get_multi(&keys(items), Some(&["t"])).await?;
    // For longer than it can count is for as long as there is room.
    let ttl = Some(ttl).filter(|ttl| ttl.as_secs() <= MONTH);
    let wanted = ttl.and_then(|ttl| i64::try_from(seconds(ttl)).ok());
    let wanted = wanted.unwrap_or(i64::MAX);
    let shorter = left.into_iter().filter_map(|value| {
        let left = value.ttl_remaining.filter(|left| *left >= 0)?;
        (left < wanted).then_some(value.key).flatten()
    });
    let shorter: Vec<Vec<u8>> = shorter.collect();
    client.meta_get_multi(&shorter, Some(&[&time(ttl)])).await?;
    Ok(Vec::new())
}

/// What is more counts as a point in time.
const MONTH: u64 = 30 * 24 * 3600;

fn seconds(ttl: Duration) -> u64 {
    let up = u64::from(ttl.subsec_nanos() > 0);
    ttl.as_secs().saturating_add(up).clamp(1, MONTH)
}

/// A time to live as a flag; zero is for ever.
fn time(ttl: Option<Duration>) -> String {
    format!("T{}", ttl.map_or(0, seconds))
}

/// An error of the client as one of ours: the server's own words are a refusal.
pub(super) fn error(operation: &'static str, error: &ClientError) -> Error {
    match error {
        ClientError::Protocol(Status::Error(ErrorKind::Protocol(_) | ErrorKind::Generic(_))) => {
            Error::store(operation, error)
        }
        ClientError::Protocol(_) => Error::refused(operation, error),
        _ => Error::store(operation, error),
    }
}
