//! What entries and scopes are called on a shared store.

use std::borrow::Cow;
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
    /// How long the entry will be of use, as far as that is known before it is loaded: what it depends
    /// on is to live longer.
    pub(crate) lifetime: Nanos,
}

impl Names {
    /// The scope of the key in this process.
    pub(crate) fn of_key(&self) -> Option<crate::scope::Scope> {
        of_key(self.own.as_deref()?)
    }
}

/// What the scope of a key is in this process; none if it is the scope of something else.
pub(crate) fn of_key(scope: &str) -> Option<crate::scope::Scope> {
    scope.strip_prefix(KEY).map(crate::scope::of_shared_key)
}

/// So many characters of a prefix are in a key.
const READABLE: usize = 120;

/// The scope of everything; every entry belongs to it.
pub(crate) const EVERYTHING: &str = "all";
/// What the scope of one key begins with; its hash follows.
const KEY: &str = "key ";
/// The scope of any tag.
pub(crate) const ANY_TAG: &str = "tags";

/// The scope of a function.
pub(crate) fn function(name: &str) -> String {
    ["function ", name].concat()
}

/// The scope of one key.
pub(crate) fn key(hash: &str) -> String {
    [KEY, hash].concat()
}

/// The scope of a level of a prefix.
pub(crate) fn level(level: &str) -> String {
    ["level ", level].concat()
}

/// The scope of a tag.
pub(crate) fn tag(tag: &str) -> String {
    ["tag ", tag].concat()
}

/// The scope of all responses for a URL.
#[cfg(feature = "tower")]
pub(crate) fn url(name: &str) -> String {
    format!("url {name}")
}

/// The scope of all responses for a path.
#[cfg(feature = "tower")]
pub(crate) fn path(name: &str) -> String {
    format!("path {name}")
}

/// The scope of all responses of a layer.
#[cfg(feature = "tower")]
pub(crate) fn layer(name: &str) -> String {
    format!("layer {name}")
}

/// The key of an entry: readable, free of spaces, control characters and what clusters take for the
/// part that decides, and not too long for any store.
pub(crate) fn entry(prefix: &str, hash: &str) -> String {
    let plain = |c: u8| c.is_ascii_graphic() && !matches!(c, b'{' | b'}');
    if prefix.len() <= READABLE && prefix.bytes().all(plain) {
        return [prefix, ":", hash].concat();
    }
    let readable = |c: char| match u8::try_from(c) {
        Ok(byte) if plain(byte) => c,
        _ => '_',
    };
    let readable: String = prefix.chars().take(READABLE).map(readable).collect();
    [&readable, ":", hash].concat()
}

/// 160 bits of a cryptographic hash, as text.
pub(crate) fn digest(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| DIGITS[usize::from(n & 15)];
    let mut text = [0; 40];
    for (digits, byte) in text.chunks_mut(2).zip(blake3::hash(bytes).as_bytes()) {
        digits.copy_from_slice(&[digit(byte >> 4), digit(*byte)]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The key of a scope's version, without the namespace. That of one key is a digest already.
pub(crate) fn version(scope: &str) -> Cow<'_, str> {
    match scope.strip_prefix(KEY) {
        Some(hash) => hash.into(),
        None => digest(scope.as_bytes()).into(),
    }
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
