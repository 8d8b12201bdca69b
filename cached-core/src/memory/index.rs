//! The lock-free map that answers reads.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hash, Hasher};
use std::marker::PhantomData;

use papaya::Guard;

use super::{Entry, Id, Slot};
use crate::key::{AnyKey, Parts};

/// A hasher for what is hashed already.
#[derive(Clone, Copy, Default)]
pub(crate) struct Identity(u64);

impl BuildHasher for Identity {
    type Hasher = Identity;

    fn build_hasher(&self) -> Identity {
        Identity(0)
    }
}

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A key still borrowed from its caller, for an entry whose value is a `V`.
pub(crate) struct Query<'a, P, V> {
    pub(crate) hash: u64,
    pub(crate) marker: TypeId,
    pub(crate) parts: &'a P,
    pub(crate) value: PhantomData<fn() -> V>,
}

impl<P, V> Hash for Query<'_, P, V> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Id::place(self.hash));
    }
}

impl<P: Parts, V: Send + Sync + 'static> papaya::Equivalent<Slot> for Query<'_, P, V> {
    #[inline]
    fn equivalent(&self, slot: &Slot) -> bool {
        slot.downcast::<P::Owned, V>().is_some_and(|entry| {
            entry.key.hash == self.hash
                && entry.key.marker == self.marker
                && self.parts.matches(&entry.key.parts)
        })
    }
}

/// An owned key as a question.
struct Owned<'a> {
    key: &'a dyn AnyKey,
    /// How many entries it was compared with.
    compared: Cell<usize>,
}

impl<'a> Owned<'a> {
    fn new(key: &'a dyn AnyKey) -> Self {
        let compared = Cell::new(0);
        Owned { key, compared }
    }
}

impl Hash for Owned<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Id::place(self.key.hash()));
    }
}

impl papaya::Equivalent<Slot> for Owned<'_> {
    fn equivalent(&self, slot: &Slot) -> bool {
        self.compared.set(self.compared.get() + 1);
        slot.key().same(self.key)
    }
}

/// How many keys may have one place: more than chance ever brings together, and fewer than papaya
/// 0.2.5 can bear. With some thirty it grows for ever where it resizes in one go, and where it
/// does not, it never ends to go through its entries.
const CROWD: usize = 16;

/// The entries at the place of a hash: which of them is the oldest?
struct Crowd {
    hash: u64,
    size: Cell<usize>,
    oldest: RefCell<Option<Slot>>,
}

impl Hash for Crowd {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(Id::place(self.hash));
    }
}

impl papaya::Equivalent<Slot> for Crowd {
    /// None is asked for: all are looked at.
    fn equivalent(&self, slot: &Slot) -> bool {
        if Id::place(slot.key().hash()) == Id::place(self.hash) {
            self.size.set(self.size.get() + 1);
            let mut oldest = self.oldest.borrow_mut();
            let order = slot.meta().order();
            if (oldest.as_ref()).is_none_or(|oldest| order < oldest.meta().order()) {
                *oldest = Some(slot.clone());
            }
        }
        false
    }
}

impl papaya::Equivalent<Slot> for Id {
    fn equivalent(&self, slot: &Slot) -> bool {
        slot.id() == *self
    }
}

/// Every entry, by key.
pub(crate) struct Index(papaya::HashMap<Slot, (), Identity>);

impl Default for Index {
    /// Grown in one go: where every writer moves a part, and then nobody writes any more, readers
    /// are left with two tables to look through. Not with `ResizeMode::Blocking`, which grows for
    /// ever where many keys have the same hash ([`CROWD`]).
    fn default() -> Self {
        let builder = papaya::HashMap::builder().hasher(Identity::default());
        Index(
            builder
                .resize_mode(papaya::ResizeMode::Incremental(1 << 20))
                .build(),
        )
    }
}

impl Index {
    #[inline]
    pub(crate) fn look<P: Parts, V: Send + Sync + 'static, T>(
        &self,
        query: &Query<'_, P, V>,
        look: impl FnOnce(&Slot, &Entry<P::Owned, V>) -> T,
    ) -> Option<T> {
        let map = self.0.pin();
        let (slot, ()) = map.get_key_value(query)?;
        slot.downcast().map(|entry| look(slot, entry))
    }

    pub(crate) fn find(&self, key: &dyn AnyKey) -> Option<Slot> {
        self.0
            .pin()
            .get_key_value(&Owned::new(key))
            .map(|(slot, ())| slot.clone())
    }

    /// The entry of a key to be put in; where there is none, and its place is crowded, the entry
    /// that makes room for it.
    pub(crate) fn find_or_crowded(&self, key: &dyn AnyKey) -> (Option<Slot>, Option<Slot>) {
        let map = self.0.pin();
        let asked = Owned::new(key);
        if let Some((slot, ())) = map.get_key_value(&asked) {
            return (Some(slot.clone()), None);
        }
        if asked.compared.get() < CROWD {
            return (None, None);
        }
        let crowd = Crowd {
            hash: key.hash(),
            size: Cell::new(0),
            oldest: RefCell::default(),
        };
        map.get_key_value(&crowd);
        let crowded = crowd.size.get() >= CROWD;
        (None, crowd.oldest.into_inner().filter(|_| crowded))
    }

    /// Says whether it took the place of another one of its key.
    pub(crate) fn insert(&self, slot: Slot) -> bool {
        self.0.pin().insert(slot, ()).is_some()
    }

    /// Removes the entry of that name. Keys are not compared: their `Eq` is not ours.
    ///
    /// papaya takes an entry that was put in another's place meanwhile for one of the same name, as
    /// it would be if names were keys; so it is asked to look once more.
    pub(crate) fn remove(&self, id: Id) -> Option<Slot> {
        let map = self.0.pin();
        let removed = map.remove_if(&id, |slot, ()| slot.id() == id).ok()?;
        removed.map(|(slot, ())| slot.clone())
    }

    /// Whether the entry of that name is there.
    pub(crate) fn has(&self, id: Id) -> bool {
        self.0.pin().contains_key(&id)
    }

    /// Frees what this thread has removed, as far as nobody looks at it.
    pub(crate) fn flush(&self) {
        self.0.guard().flush();
    }

    pub(crate) fn for_each(&self, mut each: impl FnMut(&Slot)) {
        self.0.pin().keys().for_each(&mut each);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
