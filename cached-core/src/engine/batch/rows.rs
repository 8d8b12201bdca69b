//! What a load returned, by key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The values of one key: more than one only where the body returned a `Vec` that repeats it.
pub(super) enum Rows<V> {
    One(V),
    Several(Vec<V>),
}

impl<V> Rows<V> {
    fn push(&mut self, value: V) {
        let mut rows = match std::mem::replace(self, Rows::Several(Vec::new())) {
            Rows::One(first) => vec![first],
            Rows::Several(rows) => rows,
        };
        rows.push(value);
        *self = Rows::Several(rows);
    }
}

/// Pairs, put together by key.
pub(super) struct Grouped<K, V> {
    rows: HashMap<K, Rows<V>>,
    /// In the order in which they came.
    keys: Vec<K>,
}

impl<K: Clone + Eq + Hash, V> Grouped<K, V> {
    pub(super) fn new(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut grouped = Grouped {
            rows: HashMap::new(),
            keys: Vec::new(),
        };
        for (key, value) in pairs {
            match grouped.rows.entry(key) {
                Entry::Occupied(mut rows) => rows.get_mut().push(value),
                Entry::Vacant(place) => {
                    grouped.keys.push(place.key().clone());
                    place.insert(Rows::One(value));
                }
            }
        }
        grouped
    }

    /// The value of a key that has one and no more.
    #[cfg(feature = "stores")]
    pub(super) fn one(&self, key: &K) -> Option<&V> {
        match self.rows.get(key)? {
            Rows::One(value) => Some(value),
            Rows::Several(_) => None,
        }
    }

    /// Puts another value in the place of the one that a key has.
    #[cfg(feature = "stores")]
    pub(super) fn replace(&mut self, key: &K, value: V) {
        if let Some(rows) = self.rows.get_mut(key) {
            *rows = Rows::One(value);
        }
    }

    pub(super) fn take(&mut self, key: &K) -> Option<Rows<V>> {
        self.rows.remove(key)
    }

    /// What was not taken.
    pub(super) fn rest(mut self) -> impl Iterator<Item = (K, Rows<V>)> {
        self.keys
            .into_iter()
            .filter_map(move |key| self.rows.remove_entry(&key))
    }
}
