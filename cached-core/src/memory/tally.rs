//! How many entries and bytes each function has in memory.
//!
//! moka knows what an entry weighs, the index whose it is, and no entry has a word to spare for
//! both. Whoever takes an entry out of the two has both halves. Where moka lets go of an entry that
//! somebody else takes out of the index at the same moment, each has one: the first leaves it here,
//! and the second settles the account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::{Id, Index, Slot, Weight};
use crate::stats::Counters;
use crate::sync::lock;

enum Half {
    Owner(Arc<Counters>),
    Weight(Weight),
}

#[derive(Default)]
pub(super) struct Tally(Mutex<HashMap<u64, Half>>);

impl Tally {
    /// An entry goes into both maps.
    pub(super) fn came(slot: &Slot, weight: Weight) {
        slot.meta().counters.memory.came(weight);
    }

    /// An entry was taken out of the index; what moka said it weighs, if it was still there.
    pub(super) fn went(&self, slot: &Slot, weight: Option<Weight>) {
        let owner = &slot.meta().counters;
        match weight {
            Some(weight) => owner.memory.went(weight),
            None => self.settle(slot.id(), Half::Owner(Arc::clone(owner))),
        }
    }

    /// A writer has taken an entry out of both. It may have been out of the index already, by the
    /// bound of pages, which waits for no writer's turn: then the owner is left here from there.
    pub(super) fn taken(&self, slot: &Slot, from_index: bool, weight: Option<Weight>) {
        match (from_index, weight) {
            (true, weight) => self.went(slot, weight),
            (false, Some(weight)) => self.settle(slot.id(), Half::Weight(weight)),
            (false, None) => {}
        }
    }

    /// moka has let go of an entry: takes it out of the index as well.
    pub(super) fn let_go(&self, index: &Index, id: Id, weight: Weight) -> Option<Slot> {
        let slot = index.remove(id);
        match &slot {
            Some(slot) => slot.meta().counters.memory.went(weight),
            None => self.settle(id, Half::Weight(weight)),
        }
        slot
    }

    /// Whether nobody has left a half here.
    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        lock(&self.0).is_empty()
    }

    #[cold]
    fn settle(&self, id: Id, half: Half) {
        let mut halves = lock(&self.0);
        match (halves.remove(&id.0), half) {
            (Some(Half::Owner(owner)), Half::Weight(weight))
            | (Some(Half::Weight(weight)), Half::Owner(owner)) => owner.memory.went(weight),
            (_, half) => drop(halves.insert(id.0, half)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Half, Id, Tally};
    use crate::stats::Counters;
    use std::sync::Arc;

    #[test]
    fn two_halves_settle_in_either_order_and_leave_nothing() {
        let (tally, owner) = (Tally::default(), Arc::new(Counters::default()));
        for turn in 0..2 {
            owner.memory.came(7);
            let mut halves = [Half::Owner(Arc::clone(&owner)), Half::Weight(7)];
            halves.rotate_left(turn);
            for half in halves {
                assert_eq!(owner.total().entries, 1);
                tally.settle(Id(9), half);
            }
            let left = owner.total();
            assert_eq!((left.entries, left.bytes), (0, 0));
        }
        assert!(tally.is_settled());
    }
}
