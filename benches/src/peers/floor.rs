//! What no cache can be faster than: maps with a fast hasher, without bound or timeout.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use foldhash::fast::RandomState;

use super::body;
use super::timed::{Borrowed, TextKey};

/// A map behind a lock.
pub mod mutex {
    use super::*;

    /// The head of its column.
    pub const NAME: &str = "Mutex<HashMap>";

    type Lazy<K, V> = LazyLock<Mutex<HashMap<K, V, RandomState>>>;

    /// `fn(u64) -> u64`.
    pub fn number(n: u64) -> u64 {
        static MAP: Lazy<u64, u64> = LazyLock::new(Mutex::default);
        *MAP.lock()
            .unwrap()
            .entry(n)
            .or_insert_with(|| body::number(n))
    }

    /// `fn(&str, u32) -> Arc<str>`.
    pub fn text(name: &str, id: u32) -> Arc<str> {
        static MAP: Lazy<TextKey, Arc<str>> = LazyLock::new(Mutex::default);
        let mut map = MAP.lock().unwrap();
        let entry = map.entry((name.to_owned(), id));
        entry.or_insert_with(|| body::text(name, id)).clone()
    }

    /// `fn(u64) -> Arc<Vec<u8>>`.
    pub fn bytes(n: u64) -> Arc<Vec<u8>> {
        static MAP: Lazy<u64, Arc<Vec<u8>>> = LazyLock::new(Mutex::default);
        let mut map = MAP.lock().unwrap();
        map.entry(n).or_insert_with(|| body::bytes(n)).clone()
    }
}

/// A lock-free map.
pub mod lock_free {
    use super::*;

    /// The head of its column.
    pub const NAME: &str = "papaya";

    type Map<K, V> = papaya::HashMap<K, V, RandomState>;

    /// One that has ended its growth before the next read: otherwise reads look into two tables
    /// until enough has been written, and are twenty times slower.
    fn map<K: std::hash::Hash + Eq, V>() -> Map<K, V> {
        papaya::HashMap::builder()
            .hasher(RandomState::default())
            .resize_mode(papaya::ResizeMode::Blocking)
            .build()
    }

    /// `fn(u64) -> u64`.
    pub fn number(n: u64) -> u64 {
        static MAP: LazyLock<Map<u64, u64>> = LazyLock::new(map);
        *MAP.pin().get_or_insert_with(n, || body::number(n))
    }

    /// `fn(&str, u32) -> Arc<str>`.
    pub fn text(name: &str, id: u32) -> Arc<str> {
        static MAP: LazyLock<Map<TextKey, Arc<str>>> = LazyLock::new(map);
        let map = MAP.pin();
        if let Some(value) = map.get(&Borrowed(name, id)) {
            return value.clone();
        }
        let key = (name.to_owned(), id);
        map.get_or_insert_with(key, || body::text(name, id)).clone()
    }

    /// `fn(u64) -> Arc<Vec<u8>>`.
    pub fn bytes(n: u64) -> Arc<Vec<u8>> {
        static MAP: LazyLock<Map<u64, Arc<Vec<u8>>>> = LazyLock::new(map);
        MAP.pin().get_or_insert_with(n, || body::bytes(n)).clone()
    }
}
