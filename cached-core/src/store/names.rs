//! What entries and scopes are called on a shared store.

use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Nanos;

/// An entry's names on the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Of the entry: prefix and hash.
    pub(crate) key: String,
    /// Of its scopes.
    pub(crate) scopes: Vec<String>,
    /// Of the scope of its key alone.
    pub(crate) own: Option<String>,
    /// How long the entry will live, as far as that is known before it is loaded: what it depends
    /// on is to live longer.
    pub(crate) lifetime: Nanos,
}

impl Names {
    /// The scope of the key in this process.
    pub(crate) fn of_key(&self) -> crate::scope::Scope {
        let own = self.own.as_deref().unwrap_or_default();
        crate::scope::of_shared_key(own.strip_prefix("key ").unwrap_or(own))
    }
}

/// The scope of everything; every entry belongs to it.
pub(crate) const EVERYTHING: &str = "all";
/// The scope of any tag.
pub(crate) const ANY_TAG: &str = "tags";

/// The scope of a function.
pub(crate) fn function(name: &str) -> String {
    format!("function {name}")
}

/// The scope of one key.
pub(crate) fn key(hash: &str) -> String {
    format!("key {hash}")
}

/// The scope of a level of a prefix.
pub(crate) fn level(level: &str) -> String {
    format!("level {level}")
}

/// The scope of a tag.
pub(crate) fn tag(tag: &str) -> String {
    format!("tag {tag}")
}

/// The key of an entry: readable, free of spaces, control characters and what clusters take for the
/// part that decides, and not too long for any store.
pub(crate) fn entry(prefix: &str, hash: &str) -> String {
    let plain = |c: char| match c {
        '{' | '}' => '_',
        c if c.is_ascii_graphic() => c,
        _ => '_',
    };
    let readable: String = prefix.chars().take(120).map(plain).collect();
    format!("{readable}:{hash}")
}

/// 160 bits of a cryptographic hash, as text.
pub(crate) fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).as_bytes()[..20]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A number that no process has given to anything yet, but by a chance of one in 2^64.
///
/// The seed is the operating system's; processes that were forked from one another differ by their
/// number.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static SEED: OnceLock<std::collections::hash_map::RandomState> = OnceLock::new();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    SEED.get_or_init(Default::default)
        .hash_one((next, std::process::id()))
}
