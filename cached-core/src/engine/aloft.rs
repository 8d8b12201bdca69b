//! The table of loads that others may join.
//!
//! Most loads end before anybody comes to wait for them. So the place where others wait is made by
//! the first one who does; until then a load is a number.

use std::any::{Any, TypeId};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::Began;
use super::flights::{FlightOf, Number};
use crate::key::AnyKey;
use crate::memory::Identity;
use crate::scope::Scopes;
use crate::scope::ticks::{Ticks, Verdict};

/// What a load is of, as long as it is on the table.
pub(super) struct Key(pub(super) Arc<dyn AnyKey>);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        *self.0 == *other.0
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::hash::Hash::hash(&*self.0, state);
    }
}

impl<'a> Borrow<dyn AnyKey + 'a> for Key {
    fn borrow(&self) -> &(dyn AnyKey + 'a) {
        &*self.0
    }
}

/// A load that others may join.
pub(super) struct Aloft {
    /// The load's, which those of several keys have in common that are loaded by one run; none with a
    /// flight of another kind.
    pub(super) number: Option<Number>,
    /// The type of its flight.
    kind: TypeId,
    /// Where others wait.
    flight: Option<Arc<dyn Any + Send + Sync>>,
    /// When it began, and what invalidates it.
    pub(super) began: Began,
    scopes: Scopes,
}

impl Aloft {
    /// A load that nobody waits for yet, of a function that returns `R`.
    pub(super) fn new<R: 'static>(number: Number, began: Began, scopes: Scopes) -> Self {
        Aloft {
            number: Some(number),
            kind: TypeId::of::<FlightOf<R>>(),
            flight: None,
            began,
            scopes,
        }
    }

    /// A load with a flight of another kind.
    #[cfg(feature = "tower")]
    pub(super) fn with<F: Any + Send + Sync>(flight: Arc<F>, began: Began, scopes: Scopes) -> Self {
        Aloft {
            number: None,
            kind: TypeId::of::<F>(),
            flight: Some(flight),
            began,
            scopes,
        }
    }

    /// Nothing of it was invalidated since it began.
    pub(super) fn is_valid(&self, ticks: &Ticks) -> bool {
        let scopes = &self.scopes;
        ticks.check(scopes.ids(), scopes.prefix(), self.began.tick) == Verdict::Valid
    }

    /// Where others wait, if there is such a place.
    pub(super) fn flight<F: Any + Send + Sync>(&self) -> Option<Arc<F>> {
        self.flight.clone()?.downcast().ok()
    }

    /// The same, made if there is none; none for a load of another type.
    pub(super) fn awaited<R: 'static>(&mut self) -> Option<Arc<FlightOf<R>>> {
        if let Some(number) = self.number
            && self.flight.is_none()
            && self.kind == TypeId::of::<FlightOf<R>>()
        {
            self.flight = Some(Arc::new(FlightOf::<R>::new(number)));
        }
        self.flight()
    }
}

/// A part of the table.
#[derive(Default)]
pub(super) struct Shard {
    loads: HashMap<Key, Aloft, Identity>,
    /// Whose place others have taken while somebody waited for them: their leaders tell those.
    displaced: Vec<(Key, Aloft)>,
}

impl Shard {
    /// The place of a key, for a caller who holds the key besides: it is not dropped here, under the
    /// lock, as it is the user's.
    #[inline]
    pub(super) fn spot(&mut self, key: Key) -> Spot<'_> {
        Spot {
            entry: self.loads.entry(key),
            displaced: &mut self.displaced,
        }
    }

    /// Takes a load off the table. What is returned is not to be dropped under the lock.
    #[must_use]
    #[inline]
    pub(super) fn take(
        &mut self,
        key: &dyn AnyKey,
        is: impl Fn(&Aloft) -> bool,
    ) -> Option<(Key, Aloft)> {
        if let Some((key, aloft)) = self.loads.remove_entry(key) {
            if is(&aloft) {
                return Some((key, aloft));
            }
            self.loads.insert(key, aloft);
        }
        let this = |(other, aloft): &(Key, Aloft)| is(aloft) && other.0.same(key);
        let at = self.displaced.iter().position(this)?;
        Some(self.displaced.swap_remove(at))
    }

    /// The load of a key and a number, wherever it is.
    pub(super) fn find(&self, key: &dyn AnyKey, number: Number) -> Option<&Aloft> {
        let this =
            |(other, aloft): &&(Key, Aloft)| aloft.number == Some(number) && other.0.same(key);
        let listed = self
            .loads
            .get(key)
            .filter(|aloft| aloft.number == Some(number));
        listed.or_else(|| Some(&self.displaced.iter().find(this)?.1))
    }

    /// Every load.
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Aloft> {
        let displaced = self.displaced.iter_mut().map(|(_, aloft)| aloft);
        self.loads.values_mut().chain(displaced)
    }
}

/// The place of one key on the table.
pub(super) struct Spot<'a> {
    entry: Entry<'a, Key, Aloft>,
    displaced: &'a mut Vec<(Key, Aloft)>,
}

impl Spot<'_> {
    /// The load that is there.
    #[inline]
    pub(super) fn load(&mut self) -> Option<&mut Aloft> {
        match &mut self.entry {
            Entry::Occupied(there) => Some(there.get_mut()),
            Entry::Vacant(_) => None,
        }
    }

    /// Puts a load there. What is returned is not to be dropped under the lock.
    #[must_use]
    #[inline]
    pub(super) fn put(self, aloft: Aloft) -> Option<Aloft> {
        let mut there = match self.entry {
            Entry::Occupied(there) => there,
            Entry::Vacant(place) => {
                place.insert(aloft);
                return None;
            }
        };
        let replaced = there.insert(aloft);
        if replaced.flight.is_none() {
            return Some(replaced);
        }
        let key = Key(Arc::clone(&there.key().0));
        self.displaced.push((key, replaced));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::OwnedKey;

    fn key(parts: u64) -> Arc<dyn AnyKey> {
        let (hash, marker) = (parts, TypeId::of::<()>());
        Arc::new(OwnedKey {
            hash,
            marker,
            parts,
        })
    }

    fn aloft(number: u64) -> Aloft {
        let number = Number::new(number).unwrap_or(Number::MAX);
        let began = Began {
            tick: 0,
            order: 0,
            #[cfg(feature = "stores")]
            at: 0,
        };
        Aloft::new::<u8>(number, began, Scopes::new(0, "", []))
    }

    #[test]
    fn whose_place_another_load_takes_is_kept_while_somebody_waits_for_it() {
        let (mut shard, key) = (Shard::default(), key(1));
        let put = |shard: &mut Shard, number| {
            let spot = shard.spot(Key(Arc::clone(&key)));
            spot.put(aloft(number)).is_some()
        };
        assert!(!put(&mut shard, 1));
        let mut there = shard.spot(Key(Arc::clone(&key)));
        let waits = there.load().and_then(Aloft::awaited::<u8>);
        assert!(!put(&mut shard, 2), "somebody waits for the first");
        assert!(put(&mut shard, 3), "nobody waits for the second");
        let mut take = |number| shard.take(&*key, |aloft| aloft.number == Number::new(number));
        assert!(take(2).is_none());
        let flight = take(1).and_then(|(_, aloft)| aloft.flight::<FlightOf<u8>>());
        let same = waits
            .zip(flight)
            .map(|(one, other)| Arc::ptr_eq(&one, &other));
        assert_eq!(same, Some(true), "its leader finds those who wait");
        assert!(take(1).is_none() && take(3).is_some());
    }

    #[test]
    fn nobody_waits_for_a_result_of_another_type() {
        let mut aloft = aloft(1);
        assert!(aloft.awaited::<u16>().is_none());
        assert!(aloft.awaited::<u8>().is_some());
        assert!(aloft.awaited::<u16>().is_none());
    }
}
