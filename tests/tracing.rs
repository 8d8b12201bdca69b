//! What `tracing` is told, and what it is never told.
#![cfg(feature = "tracing")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use std::time::Duration;

use dewar::{Cache, EventKeys, Expiry, TimedOut, cached, invalidate, testing};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Collects every event as text, with its name and those of the spans that it is told in; and spans,
/// with what they know when they end.
#[derive(Clone, Default)]
struct Collect(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collect {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut text = Text(format!("{} span {}", span.metadata().level(), span.name()));
        attributes.record(&mut text);
        span.extensions_mut().insert(text);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Text>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let parent = span.parent().map(|parent| parent.name());
        let text = span.extensions_mut().remove::<Text>().unwrap().0;
        self.0.lock().unwrap().push(format!("{text} in {parent:?}"));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let (level, name) = (event.metadata().level(), event.metadata().name());
        let mut text = Text(format!("{level} {name}"));
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
    let names: Vec<_> = events
        .iter()
        .map(|event| event.split(" cache.name").next().unwrap())
        .collect();
    let load = "INFO span cache.load";
    let expected = [
        "DEBUG cache.miss",
        "DEBUG cache.loaded",
        "DEBUG cache.store",
        load,
        "TRACE cache.hit",
        "DEBUG cache.invalidate",
        "DEBUG cache.miss",
        "TRACE cache.evict",
        "DEBUG cache.loaded",
        "DEBUG cache.store",
        load,
    ];
    assert_eq!(names, expected, "{events:#?}");
    let of = |what: &str| format!("cache.outcome=\"{what}\"");
    for (event, what) in events
        .iter()
        .zip(["miss", "loaded", "stored", "loaded", "hit"])
    {
        assert!(event.contains("cache.name=\"default\""), "{event}");
        assert!(
            event.contains("cache.function=\"tracing::greeting\""),
            "{event}"
        );
        assert!(event.contains("cache.key=\"tracing::greeting:"), "{event}");
        assert!(event.contains(&of(what)), "{event}");
    }
    assert!(events[0].contains("cache.reason=\"absent\""), "{events:#?}");
    assert!(events[5].contains("cache.what=\"call tracing::greeting\""));
    assert!(events[6].contains("cache.reason=\"invalidated\""));
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

#[cfg(feature = "tower")]
#[test]
fn a_url_that_cannot_be_read_is_in_the_error_and_not_in_the_log() {
    let cache = Cache::builder().build().unwrap();
    for way in ["url", "path"] {
        let given = "/orders?email=jane doe@shop.test&token=hunter2";
        let events = told(|| {
            let invalidation = cache.invalidation();
            let invalidation = match way {
                "url" => invalidation.url(given),
                _ => invalidation.path(given),
            };
            let error = invalidation.run().wait().unwrap_err();
            assert!(error.is_config(), "{error:?}");
            assert!(error.to_string().contains(given), "{error}");
        });
        let said: Vec<_> = events
            .iter()
            .filter(|event| event.starts_with("ERROR cache.refused"))
            .collect();
        assert_eq!(said.len(), 1, "{events:#?}");
        let named = format!("`{way}` cannot be read: give a path");
        assert!(said[0].contains(&named), "{events:#?}");
        for secret in ["jane", "shop.test", "hunter2"] {
            assert!(!events.concat().contains(secret), "{events:#?}");
        }
    }
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

#[cfg(feature = "stores")]
#[test]
fn a_store_that_goes_away_and_comes_back_is_told_with_the_name_of_its_cache() {
    let store = testing::FaultyStore::new();
    let builder = Cache::builder().name("shop").shared(store.clone());
    let cache = testing::TestCache::with(builder).unwrap();
    let reads = |from: u64| cache.run(|| (from..from + 50).map(plain).sum::<u64>());
    let events = told(|| {
        store.fail(true);
        reads(0);
        store.fail(false);
        cache.advance(Duration::from_secs(120));
        reads(100);
    });
    for (level, event) in [("ERROR", "circuit_opened"), ("INFO", "circuit_closed")] {
        let start = format!("{level} cache.{event} ");
        let of = events.iter().find(|it| it.starts_with(&start));
        let of = of.unwrap_or_else(|| panic!("no {event} in {events:#?}"));
        assert!(of.contains("cache.name=\"shop\""), "{of}");
        assert!(of.contains(&format!("cache.outcome=\"{event}\"")), "{of}");
    }
}

#[cached(timeout = 60)]
fn plain(n: u64) -> u64 {
    n
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
        .filter(|event| event.contains("message=said"))
        .collect();
    assert_eq!(said.len(), 3, "{events:#?}");
    for (event, span) in said.iter().zip(["plain", "asynchronous", "elsewhere"]) {
        let spans = format!("in [\"cache.load\", {span:?}]");
        assert!(event.ends_with(&spans), "{event}");
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

#[test]
fn a_load_is_a_span_of_its_caller_and_says_how_it_ended() {
    let events = told(|| {
        testing::isolated(|_| {
            info_span!("request").in_scope(|| {
                says(1);
                let _ = std::panic::catch_unwind(|| falls(1));
                doubled(&[1, 2, 3]);
            })
        });
    });
    let mut spans = events
        .iter()
        .filter(|event| event.contains(" span cache.load"));
    for (function, keys, outcome) in [
        ("says", 1, "cache.outcome=\"loaded\""),
        ("falls", 1, "cache.outcome=\"failed\""),
        ("doubled", 3, ""),
    ] {
        let span = spans.next().unwrap();
        assert!(span.contains(&format!("tracing::{function}\"")), "{span}");
        assert!(span.contains(&format!("cache.keys={keys}")), "{span}");
        assert!(span.contains(outcome), "{span}");
        assert!(span.ends_with("in Some(\"request\")"), "{span}");
    }
    assert_eq!(spans.next(), None);
}

#[cached(timeout = 60)]
fn falls(n: u64) -> u64 {
    panic!("{n}")
}

#[test]
fn keys_can_be_hashed_or_hidden_here_as_well() {
    let events = |keys| {
        told(|| {
            let cache = Cache::builder().event_keys(keys).build().unwrap();
            cache.scope_blocking(|| (greeting("a"), greeting("a")));
            let api = cache.blocking();
            api.set("session:hunter2", 1, Expiry::Default).unwrap();
            assert_eq!(api.get("session:hunter2"), Some(1));
        })
    };
    let all = events(EventKeys::Prefixes);
    assert!(
        all.iter()
            .any(|event| event.contains("cache.key=\"session:"))
    );
    assert!(
        !all.iter().any(|event| event.contains("hunter2")),
        "{all:#?}"
    );
    let shown = events(EventKeys::Shown);
    assert!(shown.iter().any(|event| event.contains("session:hunter2")));
    let hashed = events(EventKeys::Hashed);
    assert!(hashed.iter().all(|event| event.contains("cache.key=")));
    assert!(!hashed.iter().any(|event| event.contains("key=\"session")));
    let hidden = events(EventKeys::Hidden);
    assert!(
        !hidden.iter().any(|event| event.contains("cache.key=")),
        "{hidden:#?}"
    );
    assert!(hidden.iter().any(|event| event.contains("cache.hit")));
}

#[test]
fn hits_are_told_at_trace_alone_soon_after_somebody_begins_to_listen() {
    let cache = Cache::builder().build().unwrap();
    let read = |times| {
        cache.scope_blocking(|| (0..times).for_each(|_| assert_eq!(doubles(1), 2)));
    };
    // Far beyond those that are noted for moka.
    read(100);
    let hits = |events: Vec<String>| events.iter().filter(|it| it.contains("cache.hit")).count();
    let listened = told(|| {
        // As it is done by itself every few seconds, and with every load.
        cache.sweep();
        read(50)
    });
    assert_eq!(hits(listened), 50);
    let collect = Collect::default();
    let subscriber = tracing_subscriber::registry()
        .with(collect.clone())
        .with(tracing_subscriber::filter::LevelFilter::DEBUG);
    tracing::subscriber::with_default(subscriber, || read(50));
    assert_eq!(hits(collect.0.lock().unwrap().clone()), 0);
    assert_eq!(cache.stats().hits, 199);
}

#[cached(timeout = 60)]
fn doubles(n: u64) -> u64 {
    n * 2
}

/// What is told at the level of information or above, without the spans of loads.
#[cfg(feature = "stores")]
fn seen(run: impl FnOnce()) -> Vec<String> {
    let all = told(run).into_iter();
    let shown = |line: &String| !line.starts_with("DEBUG") && !line.starts_with("TRACE");
    let shown = all.filter(|line| shown(line) && !line.contains(" span "));
    let head = |line: String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    shown.map(head).collect()
}

#[cfg(feature = "stores")]
mod stores {
    use super::*;
    use dewar::testing::{FaultyStore, TestCache};

    #[derive(Clone)]
    struct Here;

    #[cached(timeout = 60)]
    fn odd(_n: u64) -> Here {
        Here
    }

    #[cached(timeout = 60, local)]
    fn meant(_n: u64) -> Here {
        Here
    }

    fn cache(store: &FaultyStore) -> TestCache {
        TestCache::with(Cache::builder().shared(store.clone())).unwrap()
    }

    #[test]
    fn what_stays_in_memory_is_said_once_unless_it_is_meant() {
        let cache = cache(&FaultyStore::new());
        let lines = seen(|| {
            cache.run(|| {
                for n in 0..5 {
                    odd(n);
                    meant(n);
                }
            });
        });
        assert_eq!(lines, ["WARN cache.memory_only"]);
    }

    #[test]
    fn an_invalidation_that_is_not_delivered_is_an_error_in_the_log_and_its_delivery_is_said() {
        let store = FaultyStore::new();
        let cache = cache(&store);
        let invalidate = || cache.run(|| invalidate!(tag = "t").wait());
        store.refuse(true);
        let lines = seen(|| {
            for _ in 0..5 {
                invalidate().unwrap_err();
            }
        });
        assert_eq!(
            lines,
            ["WARN cache.store_failing", "ERROR cache.undelivered"]
        );
        store.refuse(false);
        let lines = seen(|| (0..3).for_each(|_| invalidate().unwrap()));
        assert_eq!(lines, ["INFO cache.delivered"]);
    }

    #[test]
    fn a_store_that_refuses_is_a_warning_a_minute() {
        let store = FaultyStore::new();
        let cache = cache(&store);
        store.refuse(true);
        let warnings = |from: u64| {
            let calls = || (from..from + 20).for_each(|n| drop(greeting(&n.to_string())));
            seen(|| cache.run(calls))
        };
        assert_eq!(warnings(0), ["WARN cache.store_failing"]);
        cache.advance(Duration::from_secs(59));
        assert_eq!(warnings(100), [""; 0]);
        cache.advance(Duration::from_secs(1));
        assert_eq!(warnings(200), ["WARN cache.store_failing"]);
    }

    #[test]
    fn a_store_that_is_gone_is_an_error_and_its_return_is_said() {
        let store = FaultyStore::new();
        let cache = cache(&store);
        store.fail(true);
        let calls = |from: u64| {
            let calls = || (from..from + 20).for_each(|n| drop(greeting(&n.to_string())));
            seen(|| cache.run(calls))
        };
        let gone = ["WARN cache.store_failing", "ERROR cache.circuit_opened"];
        assert_eq!(calls(0), gone);
        store.fail(false);
        cache.advance(Duration::from_secs(1));
        assert_eq!(calls(100), ["INFO cache.circuit_closed"]);
    }
}
