//! What can be told of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// Something that a cache did.
///
/// Values are never part of it, and arguments only as far as they are in a prefix or in a key put in
/// by hand; [`EventKeys`] says how much of those is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The cache's name.
    pub cache: Arc<str>,
    /// `crate::module::function`; `dewar::Cache` for operations by hand.
    pub function: &'static str,
    /// The entry's key, as `entry!(…).key()` gives it; none where no single entry is concerned, or
    /// keys are hidden.
    pub key: Option<Arc<str>>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// Served from the cache, fresh.
    Hit,
    /// Served past its timeout.
    Stale,
    /// There was nothing to serve.
    Miss(MissReason),
    /// The caller waits for another's load.
    Waited,
    /// A body was run.
    Loaded {
        /// How long it took.
        time: Duration,
        /// It returned an error, panicked or ran into the hard timeout.
        failed: bool,
    },
    /// A result was stored.
    Stored,
    /// A result was not stored: `None`, `Err`, `cache_if`, or invalidated meanwhile.
    Rejected,
    /// An entry left.
    Evicted(EvictionReason),
    /// Something was invalidated: what, in words, such as `prefix user:42`; the first twenty of it,
    /// and names as far as [`EventKeys`] lets them be told. `elsewhere` where another process did it.
    Invalidated(Vec<String>),
    /// An operation of the shared store failed: how. No credentials. Those that are not made while
    /// it is left alone are not told.
    StoreFailed(String),
    /// The shared store is taken to be down, and left alone.
    CircuitOpened,
    /// The shared store answers again.
    CircuitClosed,
}

/// Why there was nothing to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissReason {
    /// There was no entry.
    Absent,
    /// It was past its timeout, or `stale_if` said so.
    Expired,
    /// It had been invalidated.
    Invalidated,
    /// `unless`, or the store `null`.
    Bypassed,
    /// `refresh_if`, or `entry!(…).refresh()`.
    Refreshed,
    /// It could not be read.
    Undecodable,
}

/// Why an entry left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvictionReason {
    /// To make room.
    Size,
    /// It was past its timeout; seen by a read or a sweep.
    Expired,
    /// It had been invalidated; seen by a read or a sweep.
    Invalidated,
}

/// How much of a key, and of what an invalidation names, is told in events, in traces and on the
/// dashboard.
///
/// Prefixes, tags, patterns and paths that are invalidated are told whole by the first two, as a
/// number by `Hashed`, and by `Hidden` not at all; that it was a prefix or a tag always is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKeys {
    /// The prefix, and a number for the arguments: `user:42:00f3…`. Of a key put in by hand, all
    /// levels but the last, which may be a secret such as the token of a session.
    #[default]
    Prefixes,
    /// The same, and keys put in by hand as they are.
    Shown,
    /// A number for all of it, the same for one key as long as the process runs.
    Hashed,
    /// Nothing.
    Hidden,
}

impl EventKeys {
    const ALL: [(&'static str, EventKeys); 4] = [
        ("prefixes", EventKeys::Prefixes),
        ("shown", EventKeys::Shown),
        ("hashed", EventKeys::Hashed),
        ("hidden", EventKeys::Hidden),
    ];

    /// What settings call it, in small or capital letters.
    pub(crate) fn of_setting(setting: &str, text: &str) -> Result<EventKeys, Error> {
        let asked = text.trim();
        let mut all = Self::ALL.iter();
        match all.find(|(name, _)| name.eq_ignore_ascii_case(asked)) {
            Some((_, keys)) => Ok(*keys),
            None => {
                let known = Self::ALL.map(|(name, _)| name).join("`, `");
                let what = format!("is `{text}`: accepted are `{known}`");
                Err(Error::config(setting, what))
            }
        }
    }

    /// Its name in settings.
    #[cfg(feature = "dashboard")]
    pub(crate) fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(_, keys)| *keys == self)
            .map_or("", |(name, _)| name)
    }
}

impl MissReason {
    /// As in [`Stats`](crate::Stats): `absent`, `expired`, and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            MissReason::Absent => "absent",
            MissReason::Expired => "expired",
            MissReason::Invalidated => "invalidated",
            MissReason::Bypassed => "bypassed",
            MissReason::Refreshed => "refreshed",
            MissReason::Undecodable => "undecodable",
        }
    }
}

impl EvictionReason {
    /// `size`, `expired` or `invalidated`.
    pub fn as_str(self) -> &'static str {
        match self {
            EvictionReason::Size => "size",
            EvictionReason::Expired => "expired",
            EvictionReason::Invalidated => "invalidated",
        }
    }
}

impl EventKind {
    /// What it is called in logs and on the dashboard: one word.
    pub fn name(&self) -> &'static str {
        match self {
            EventKind::Hit => "hit",
            EventKind::Stale => "stale",
            EventKind::Miss(_) => "miss",
            EventKind::Waited => "waited",
            EventKind::Loaded { .. } => "loaded",
            EventKind::Stored => "stored",
            EventKind::Rejected => "rejected",
            EventKind::Evicted(_) => "evicted",
            EventKind::Invalidated(_) => "invalidated",
            EventKind::StoreFailed(_) => "store_failed",
            EventKind::CircuitOpened => "circuit_opened",
            EventKind::CircuitClosed => "circuit_closed",
        }
    }

    /// What there is to say beyond its name; empty where there is nothing.
    pub fn detail(&self) -> String {
        match self {
            EventKind::Miss(reason) => reason.as_str().to_owned(),
            EventKind::Loaded {
                time,
                failed: false,
            } => format!("{time:.1?}"),
            EventKind::Loaded { time, failed: true } => format!("failed after {time:.1?}"),
            EventKind::Evicted(reason) => reason.as_str().to_owned(),
            EventKind::Invalidated(what) => what.join(", "),
            EventKind::StoreFailed(error) => error.clone(),
            _ => String::new(),
        }
    }
}

/// Such as `miss (absent) shop::product product:42:00f3…`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        let detail = self.kind.detail();
        if !detail.is_empty() {
            write!(f, " ({detail})")?;
        }
        write!(f, " {}", self.function)?;
        match &self.key {
            Some(key) => write!(f, " {key}"),
            None => Ok(()),
        }
    }
}
