//! What `tracing` is told, and what it is never told.
#![cfg(feature = "tracing")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use std::time::Duration;

use dewar::{TimedOut, cached, invalidate, testing};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Collects every event as text, and the names of the spans that it is told in.
#[derive(Clone, Default)]
struct Collect(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut text = Text(event.metadata().level().to_string());
        event.record(&mut text);
        let spans = context.event_scope(event).into_iter().flatten();
        let names: Vec<_> = spans.map(|span| span.name()).collect();
        let told = format!("{} in {names:?}", text.0);
        self.0.lock().unwrap().push(told);
    }
}

fn told(run: impl FnOnce()) -> Vec<String> {
    let collect = Collect::default();
    let subscriber = tracing_subscriber::registry().with(collect.clone());
    tracing::subscriber::with_default(subscriber, run);
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

#[cached(timeout = 60)]
fn says(n: u64) -> u64 {
    tracing::info!("said");
    n
}

#[cached(timeout = 60)]
async fn says_later(n: u64) -> u64 {
    tracing::info!("said");
    n
}

#[cached(timeout = 60, hard_timeout = "30s")]
fn says_elsewhere(n: u64) -> Result<u64, TimedOut> {
    tracing::info!("said");
    Ok(n)
}

#[test]
fn the_span_inside_a_body_is_the_callers() {
    let events = told(|| {
        testing::isolated(|_| {
            info_span!("plain").in_scope(|| says(1));
            info_span!("asynchronous").in_scope(|| futures::executor::block_on(says_later(1)));
            let elsewhere = info_span!("elsewhere").in_scope(|| says_elsewhere(1));
            assert_eq!(elsewhere.unwrap(), 1);
        });
    });
    let said: Vec<_> = events
        .iter()
        .filter(|event| event.contains("said"))
        .collect();
    assert_eq!(said.len(), 3, "{events:#?}");
    for (event, span) in said.iter().zip(["plain", "asynchronous", "elsewhere"]) {
        assert!(event.ends_with(&format!("in [{span:?}]")), "{event}");
    }
}

#[cached(timeout = 60, stale_while_revalidate = 600, skip(fails))]
async fn fails_later(fails: Arc<Mutex<bool>>) -> Result<u64, String> {
    match *fails.lock().unwrap() {
        false => Ok(1),
        true => Err("down".into()),
    }
}

#[test]
fn a_load_that_fails_in_the_background_is_logged() {
    let events = told(|| {
        let fails = Arc::new(Mutex::new(false));
        testing::isolated(|cache| {
            let call = || futures::executor::block_on(fails_later(Arc::clone(&fails)));
            assert_eq!(call(), Ok(1));
            *fails.lock().unwrap() = true;
            cache.advance(Duration::from_secs(61));
            assert_eq!(call(), Ok(1));
        });
    });
    let warned = |event: &&String| event.starts_with("WARN") && event.contains("background");
    assert_eq!(events.iter().filter(warned).count(), 1, "{events:#?}");
}
