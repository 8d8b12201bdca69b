//! What entries and scopes are called on a shared store.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrayvec::ArrayString;

use crate::clock::Nanos;
use crate::key::Stable;

/// An entry's names on the store.
///
/// A batch has many of them: what follows from them is not kept, but made where it is needed.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// What it shares with others.
    pub(crate) shared: Arc<Shared>,
    /// Of its key.
    pub(crate) hash: Digest,
    /// Its key is a scope of its own.
    pub(crate) keyed: bool,
    /// How long the entry will be of use, as far as that is known before it is loaded: what it depends
    /// on is to live longer.
    pub(crate) lifetime: Nanos,
}

/// The names that entries have in common.
///
/// They are the same for most calls of a function, so that a batch names and looks them up once.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the keys of the entries begin with; their hashes follow.
    pub(crate) stem: String,
    /// Of scopes.
    pub(crate) scopes: Vec<String>,
    /// Of each of them, the key of its version, without the namespace.
    pub(crate) versions: Vec<String>,
}

impl Shared {
    /// Of entries under a prefix, which belong to these scopes.
    pub(crate) fn new(prefix: &str, scopes: Vec<String>) -> Arc<Self> {
        let versions = scopes.iter().map(|scope| version(scope).into_owned());
        Arc::new(Shared {
            stem: stem(prefix),
            versions: versions.collect(),
            scopes,
        })
    }
}

impl Names {
    /// The key of the entry, without the namespace: prefix and hash.
    pub(crate) fn key(&self) -> String {
        self.hash.after([&self.shared.stem])
    }

    /// The scope of its key alone.
    pub(crate) fn own(&self) -> Option<String> {
        self.keyed.then(|| self.hash.after([KEY]))
    }

    /// All its scopes.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let shared = self.shared.scopes.iter();
        let shared = shared.map(|scope| Cow::Borrowed(scope.as_str()));
        let own = std::iter::once_with(|| self.own().map(Cow::Owned));
        shared.chain(own.flatten())
    }

    /// The scope of the key in this process.
    pub(crate) fn of_key(&self) -> crate::scope::Scope {
        crate::scope::of_shared_key(self.hash.as_str())
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

    /// The hash of the key with these arguments.
    pub(crate) fn key(&self, parts: &Stable) -> Digest {
        Digest::of(&blake3::keyed_hash(&self.0, parts.as_bytes()))
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

/// What the keys of entries begin with: readable, free of spaces, control characters and what
/// clusters take for the part that decides, and not too long for any store.
fn stem(prefix: &str) -> String {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(ArrayString<40>);

impl Digest {
    /// Of these bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Digest::of(&blake3::hash(bytes))
    }

    fn of(hash: &blake3::Hash) -> Self {
        let digit = |n: u8| n + if n < 10 { b'0' } else { b'a' - 10 };
        let mut text = [0; 40];
        for (digits, byte) in text.chunks_exact_mut(2).zip(hash.as_bytes()) {
            (digits[0], digits[1]) = (digit(byte >> 4), digit(byte & 15));
        }
        // All of them are digits.
        Digest(ArrayString::from_byte_string(&text).unwrap_or_default())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// These texts in one, with it at the end.
    pub(crate) fn after<const N: usize>(&self, before: [&str; N]) -> String {
        let length: usize = before.iter().map(|text| text.len()).sum();
        let mut whole = String::with_capacity(length + self.0.len());
        before.iter().for_each(|text| whole.push_str(text));
        whole.push_str(&self.0);
        whole
    }
}

/// The same as a text of its own.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Digest::new(bytes).as_str().to_owned()
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
