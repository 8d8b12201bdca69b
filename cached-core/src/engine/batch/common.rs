//! What the misses of one batch have in common: worked out by the first of them, for all.

use std::cell::RefCell;
use std::sync::Arc;

use crate::clock::Nanos;
use crate::engine::Engine;
use crate::engine::base::Base;
use crate::engine::site::Site;
use crate::stats::Counters;

/// What is the same for all keys of a batch that are missed.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) counters: Arc<Counters>,
    /// When it was found that memory has nothing: of a batch, of its first miss.
    #[cfg_attr(
        not(feature = "stores"),
        expect(dead_code, reason = "nobody else invalidates")
    )]
    pub(crate) asked: Nanos,
}

/// A batch that is being looked up, and has missed something.
struct Missed {
    engine: Arc<Engine>,
    /// The number of its function.
    id: usize,
    common: Common,
}

thread_local! {
    /// That of the batch that this thread looks up, the innermost.
    static MISSED: RefCell<Option<Missed>> = const { RefCell::new(None) };
}

impl Common {
    /// For a miss of this function.
    pub(crate) fn of(engine: &Arc<Engine>, site: &'static Site) -> Self {
        let known = MISSED.try_with(|missed| {
            let missed = missed.borrow();
            let same = |it: &&Missed| it.id == site.id() && Arc::ptr_eq(&it.engine, engine);
            missed.as_ref().filter(same).map(|it| it.common.clone())
        });
        // Where no batch is looked up, and on a thread that is ending.
        let afresh = || Common {
            counters: engine.counters_of(site),
            #[cfg(feature = "stores")]
            asked: engine.shared_now(),
            #[cfg(not(feature = "stores"))]
            asked: 0,
        };
        known.ok().flatten().unwrap_or_else(afresh)
    }
}

/// A batch is being looked up on this thread, as long as it lives; another one inside which the keys
/// of this one are made waits meanwhile.
pub(super) struct Looking(Option<Missed>);

impl Looking {
    pub(super) fn begin() -> Self {
        Looking(set(None))
    }

    /// Something was missed: the others have this in common with it.
    pub(super) fn missed(&self, base: &Base) {
        let common = Common {
            counters: Arc::clone(&base.counters),
            #[cfg(feature = "stores")]
            asked: base.asked,
            #[cfg(not(feature = "stores"))]
            asked: 0,
        };
        drop(set(Some(Missed {
            engine: Arc::clone(&base.engine),
            id: base.id,
            common,
        })));
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        drop(set(self.0.take()));
    }
}

/// Puts another in its place, which is returned.
fn set(missed: Option<Missed>) -> Option<Missed> {
    let before = MISSED.try_with(|known| known.replace(missed));
    before.ok().flatten()
}
