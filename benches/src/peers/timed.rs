//! A timeout for caches that have none: a deadline beside the value.

use coarsetime::Instant;

use super::TIMEOUT;

/// A value and how long it may be used.
#[derive(Clone)]
pub struct Timed<V> {
    value: V,
    until: Instant,
}

impl<V> Timed<V> {
    /// From now on.
    pub fn new(value: V) -> Self {
        Timed {
            value,
            until: Instant::now() + TIMEOUT.into(),
        }
    }

    /// The value, unless its time is over.
    pub fn fresh(&self) -> Option<&V> {
        (Instant::now() < self.until).then_some(&self.value)
    }
}

/// The key of the functions on text, as it is stored.
pub type TextKey = (String, u32);

/// The same, borrowed, for caches that can look for a key in another form.
#[derive(Hash)]
pub struct Borrowed<'a>(pub &'a str, pub u32);

impl quick_cache::Equivalent<TextKey> for Borrowed<'_> {
    fn equivalent(&self, key: &TextKey) -> bool {
        self.1 == key.1 && self.0 == key.0
    }
}
