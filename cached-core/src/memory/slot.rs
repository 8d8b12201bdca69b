//! Where values end.
//!
//! Dropping a value runs its owner's code. That code may panic, and it may call cached functions;
//! so it runs where no lock is held, neither ours nor one of the maps', and a panic in it ends here.

use std::any::Any;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{AnyEntry, Entry, Id, Meta};
use crate::key::AnyKey;
use crate::watch::Named;

/// A place for an entry in the index: equal by key.
pub(crate) struct Slot(Option<Arc<dyn AnyEntry>>);

impl Slot {
    pub(crate) fn new(entry: impl AnyEntry) -> Self {
        Slot(Some(Arc::new(entry)))
    }

    #[inline]
    fn entry(&self) -> &dyn AnyEntry {
        match &self.0 {
            Some(entry) => &**entry,
            None => unreachable!("an entry is taken out only when its slot is dropped"),
        }
    }

    #[inline]
    pub(crate) fn meta(&self) -> &Meta {
        self.entry().meta()
    }

    /// moka's name for the entry.
    pub(super) fn id(&self) -> Id {
        Id::new(self.key().hash(), self.meta().order())
    }

    #[inline]
    pub(crate) fn key(&self) -> &dyn AnyKey {
        self.entry().key()
    }

    /// The entry's name for people.
    pub(crate) fn named(&self) -> Named<'_> {
        Named {
            prefix: self.meta().scopes().prefix(),
            hash: self.key().hash(),
        }
    }

    pub(crate) fn value(&self) -> &dyn Any {
        self.entry().value()
    }

    /// The entry, without its types.
    pub(crate) fn erased(&self) -> &dyn AnyEntry {
        self.entry()
    }

    /// The entry, if it is of these types.
    #[inline]
    pub(crate) fn downcast<K: 'static, V: 'static>(&self) -> Option<&Entry<K, V>> {
        let entry: &dyn Any = self.entry();
        entry.downcast_ref()
    }
}

impl Clone for Slot {
    fn clone(&self) -> Self {
        Slot(self.0.clone())
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Slot) -> bool {
        self.key().same(other.key())
    }
}

impl Eq for Slot {}

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take() {
            discard(entry);
        }
    }
}

type Dead = Arc<dyn AnyEntry>;

struct Waiting {
    sections: usize,
    dead: Vec<Dead>,
}

thread_local! {
    static WAITING: RefCell<Waiting> = const {
        RefCell::new(Waiting { sections: 0, dead: Vec::new() })
    };
}

/// While it lives, nothing that this thread gives up is dropped.
pub(super) struct Section(());

impl Section {
    pub(super) fn enter() -> Self {
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().sections += 1);
        Section(())
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        let dead = WAITING.try_with(|waiting| {
            let mut waiting = waiting.borrow_mut();
            waiting.sections -= 1;
            match waiting.sections {
                0 => std::mem::take(&mut waiting.dead),
                _ => Vec::new(),
            }
        });
        dead.into_iter().flatten().for_each(end);
    }
}

fn discard(entry: Dead) {
    let mut entry = Some(entry);
    let _ = WAITING.try_with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        if waiting.sections > 0 {
            waiting.dead.extend(entry.take());
        }
    });
    entry.into_iter().for_each(end);
}

fn end(entry: Dead) {
    if catch_unwind(AssertUnwindSafe(|| drop(entry))).is_err() {
        crate::trace::drop_panicked();
    }
}
