//! What `tracing` is told, and what it is never told.
#![cfg(feature = "tracing")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use dewar::{cached, invalidate, testing};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Collects every event as text.
#[derive(Clone, Default)]
struct Collect(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

impl Subscriber for Collect {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("cached_core")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(event.metadata().level().to_string());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
}

fn told(run: impl FnOnce()) -> Vec<String> {
    let collect = Collect::default();
    tracing::subscriber::with_default(collect.clone(), run);
    collect.0.lock().unwrap().clone()
}

#[cached(timeout = 60)]
fn greeting(secret: &str) -> String {
    format!("hello {secret}")
}

#[cached(timeout = 60, cache = "nobody registered this")]
fn lost(n: u64) -> u64 {
    n
}

#[test]
fn an_outcome_is_told_with_cache_and_function_and_without_values() {
    let events = told(|| {
        testing::isolated(|_| {
            greeting("hunter2");
            greeting("hunter2");
            invalidate!(greeting("hunter2")).wait().unwrap();
            greeting("hunter2");
        });
    });
    let outcomes: Vec<_> = events
        .iter()
        .filter(|event| event.contains("cache.outcome"))
        .collect();
    assert_eq!(outcomes.len(), 4, "{events:#?}");
    assert!(outcomes[0].contains("absent") && outcomes[0].contains("tracing::greeting"));
    assert!(outcomes.iter().any(|event| event.contains("stored")));
    assert!(outcomes[2].contains("invalidated"), "{events:#?}");
    assert!(
        !events.iter().any(|event| event.contains("hunter2")),
        "{events:#?}"
    );
}

#[test]
fn a_function_whose_cache_is_unknown_runs_and_says_so() {
    let events = told(|| assert_eq!((lost(1), lost(1)), (1, 1)));
    assert!(events[0].starts_with("ERROR"), "{events:?}");
    assert!(events[0].contains("nobody registered this"), "{events:?}");
}

#[cached(batch = ids)]
fn doubled(ids: &[u64]) -> Vec<(u64, u64)> {
    ids.iter().flat_map(|id| [(*id, 1), (*id, 2)]).collect()
}

#[test]
fn a_batch_that_repeats_a_key_is_warned_of() {
    let events = told(|| {
        testing::isolated(|_| {
            doubled(&[1]);
        });
    });
    let warned = |event: &&String| event.starts_with("WARN") && event.contains("doubled");
    assert_eq!(events.iter().filter(warned).count(), 1, "{events:#?}");
}
