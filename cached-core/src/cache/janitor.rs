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

/// Sweeps the cache every few seconds from now on. One whose clock is moved by hand is swept by
/// hand as well.
pub(super) fn watch(engine: &Arc<Engine>) {
    if engine.memory.is_none() || matches!(engine.clock, Clock::Manual(_)) {
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
