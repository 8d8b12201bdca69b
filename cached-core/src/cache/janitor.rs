//! Sweeping without traffic: one thread for all caches, gone when they are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use crate::clock::Clock;
use crate::engine::Engine;
use crate::sync::lock;

const PAUSE: Duration = Duration::from_secs(5);

static WATCHED: Mutex<Watched> = Mutex::new(Watched {
    engines: Vec::new(),
    running: false,
});

struct Watched {
    engines: Vec<Weak<Engine>>,
    running: bool,
}

/// Sweeps the cache every few seconds from now on, and publishes its figures. One whose clock is
/// moved by hand is swept by hand as well.
pub(super) fn watch(engine: &Arc<Engine>) {
    // One without a memory has figures all the same.
    let is_due = engine.memory.is_some() || cfg!(feature = "metrics");
    if !is_due || matches!(engine.clock, Clock::Manual(_)) {
        return;
    }
    let mut watched = lock(&WATCHED);
    watched.engines.push(Arc::downgrade(engine));
    if !watched.running {
        watched.running = crate::rt::thread("dewar-janitor", run).is_some();
    }
}

fn run() {
    loop {
        std::thread::park_timeout(PAUSE);
        let engines = {
            let mut watched = lock(&WATCHED);
            watched.engines.retain(|engine| engine.strong_count() > 0);
            if watched.engines.is_empty() {
                watched.running = false;
                return;
            }
            watched.engines.clone()
        };
        for engine in engines.iter().filter_map(Weak::upgrade) {
            let swept = catch_unwind(AssertUnwindSafe(|| engine.sweep()));
            if swept.is_err() {
                crate::trace::sweep_panicked();
            }
        }
        // A recorder is the application's code.
        #[cfg(feature = "metrics")]
        if catch_unwind(crate::metrics::publish).is_err() {
            crate::trace::recorder_panicked();
        }
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use std::sync::{Arc, Weak};

    use super::{WATCHED, lock};
    use crate::cache::Cache;
    use crate::cache::builder::StoreKind;

    #[test]
    fn figures_are_published_where_nothing_is_kept_in_memory() {
        let cache = Cache::builder().store(StoreKind::Null).build();
        let cache = cache.unwrap_or_else(|error| panic!("{error}"));
        let watched = lock(&WATCHED);
        let is_watched = (watched.engines.iter().filter_map(Weak::upgrade))
            .any(|engine| Arc::ptr_eq(&engine, cache.engine()));
        assert!(is_watched && watched.running);
    }
}
