//! The bytes of pages, where the cache is bounded by entries.
//!
//! A page counts as one entry whatever its size, and may be a thousand times as large as the result
//! of a function. To weigh all entries would cost functions their hit ratio: moka sizes its sketch
//! of frequencies by weights. So a second moka holds the names of pages alone, weighs them, and has
//! them taken out of the cache as its own bound demands; whatever else takes them out tells it. It
//! is made with the first page, and functions pay nothing for it.
//!
//! Its listener takes entries out of the first moka. That one's listener must not call back, as it
//! would wait for itself: it leaves a note of the pages that are gone, which whoever comes next
//! passes on. There are never more notes than pages.

use std::sync::{Arc, Mutex, OnceLock};

use super::{Id, Identity, Weight};
use crate::sync::lock;

type Names = moka::sync::Cache<Id, Weight, Identity>;

/// Takes a page out of the cache.
type LetGo = Arc<dyn Fn(Id) + Send + Sync>;

pub(super) struct Pages {
    pub(super) most: u64,
    let_go: LetGo,
    pub(super) names: OnceLock<Names>,
    gone: Mutex<Vec<Id>>,
}

impl Pages {
    /// At most so many bytes; `let_go` takes out what is beyond.
    pub(super) fn new(most: u64, let_go: LetGo) -> Self {
        Pages {
            most,
            let_go,
            names: OnceLock::new(),
            gone: Mutex::default(),
        }
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| {
            let let_go = Arc::clone(&self.let_go);
            moka::sync::Cache::builder()
                .max_capacity(self.most)
                .weigher(|_, weight| *weight)
                .eviction_listener(move |id, _, cause| {
                    if cause.was_evicted() {
                        let_go(*id);
                    }
                })
                .build_with_hasher(Identity::default())
        })
    }

    /// A page was asked for and not found.
    #[cfg(feature = "tower")]
    pub(super) fn missed(&self, id: Id) {
        let _ = self.names().get(&id);
    }

    /// A page was read, if it is one.
    pub(super) fn read(&self, id: Id) {
        if let Some(names) = self.holding(id) {
            let _ = names.get(&id);
        }
    }

    /// A page has come, which may cost others their place, or itself. Not only after some dozens
    /// more of them, which is when moka would look at its bound: they may be large.
    pub(super) fn came(&self, id: Id, weight: Weight, is_there: impl FnOnce() -> bool) {
        let names = self.names();
        names.insert(id, weight);
        if !is_there() {
            // The cache let go of it before it could be noted here.
            names.invalidate(&id);
        }
        self.settle();
    }

    /// An entry was taken out of the cache, which may be a page.
    pub(super) fn went(&self, id: Id) {
        if let Some(names) = self.holding(id) {
            names.invalidate(&id);
        }
    }

    /// The same from within the first moka.
    pub(super) fn note_gone(&self, id: Id) {
        if self.holding(id).is_some() {
            lock(&self.gone).push(id);
        }
    }

    fn holding(&self, id: Id) -> Option<&Names> {
        self.names.get().filter(|names| names.contains_key(&id))
    }

    /// Does what is left to do.
    pub(super) fn settle(&self) {
        let Some(names) = self.names.get() else {
            return;
        };
        let gone = std::mem::take(&mut *lock(&self.gone));
        gone.iter().for_each(|id| names.invalidate(id));
        names.run_pending_tasks();
    }
}
