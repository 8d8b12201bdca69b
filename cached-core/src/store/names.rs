//! What entries and scopes are called on a shared store.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::clock::Nanos;
use crate::key::Stable;

/// An entry's names on the store.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Of the entry: prefix and hash.
    pub(crate) key: String,
    /// Of the scopes that it shares with others.
    pub(crate) shared: Arc<Shared>,
    /// Of the scope of its key alone.
    pub(crate) own: Option<String>,
    /// How long the entry will be of use, as far as that is known before it is loaded: what it depends
    /// on is to live longer.
    pub(crate) lifetime: Nanos,
}

/// The names of scopes that entries have in common.
///
/// They are the same for most calls of a function, so that a batch names and looks them up once.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) scopes: Vec<String>,
    /// Of each of them, the key of its version, without the namespace.
    pub(crate) versions: Vec<String>,
}

impl Shared {
    pub(crate) fn new(scopes: Vec<String>) -> Arc<Self> {
        let versions = scopes.iter().map(|scope| version(scope).into_owned());
        Arc::new(Shared {
            versions: versions.collect(),
            scopes,
        })
    }
}

impl Names {
    /// All its scopes.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        let own = self.own.as_deref();
        self.shared.scopes.iter().map(String::as_str).chain(own)
    }

    /// The scope of the key in this process.
    pub(crate) fn of_key(&self) -> crate::scope::Scope {
        crate::scope::of_shared_key(hash_of(self.own.as_deref().unwrap_or_default()))
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

/// The hash that the name of the scope of one key has.
pub(crate) fn hash_of(own: &str) -> &str {
    own.strip_prefix(KEY).unwrap_or(own)
}

/// What the keys of all calls of a function begin with, hashed.
pub(crate) struct Root([u8; 32]);

impl Root {
    /// Of the function of that name; the marker names its type parameters.
    pub(crate) fn new(function: &str, marker: &str) -> Self {
        let mut stable = Stable::default();
        stable.part(|out| out.bytes(function.as_bytes()));
        stable.part(|out| out.bytes(marker.as_bytes()));
        Root(*blake3::hash(stable.as_bytes()).as_bytes())
    }

    /// The scope of the key with these arguments.
    pub(crate) fn key(&self, parts: &Stable) -> String {
        hex(KEY, &blake3::keyed_hash(&self.0, parts.as_bytes()))
    }
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

/// The key of an entry.
#[cfg(feature = "tower")]
pub(crate) fn entry(prefix: &str, hash: &str) -> String {
    stem(prefix) + hash
}

/// What the keys of entries begin with: readable, free of spaces, control characters and what
/// clusters take for the part that decides, and not too long for any store.
pub(crate) fn stem(prefix: &str) -> String {
    let plain = |c: u8| c.is_ascii_graphic() && !matches!(c, b'{' | b'}');
    if prefix.len() <= READABLE && prefix.bytes().all(plain) {
        return [prefix, ":"].concat();
    }
    let readable = |c: char| match u8::try_from(c) {
        Ok(byte) if plain(byte) => c,
        _ => '_',
    };
    let readable = prefix.chars().take(READABLE).map(readable);
    readable.chain([':']).collect()
}

/// 160 bits of a cryptographic hash, as text.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex("", &blake3::hash(bytes))
}

fn hex(before: &str, hash: &blake3::Hash) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(before.len() + 40);
    text.push_str(before);
    for byte in &hash.as_bytes()[..20] {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
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
