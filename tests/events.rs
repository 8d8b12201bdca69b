//! What hooks are told, and that they cannot hurt the calls they are told of.

mod common;

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use common::secs;
use dewar::testing::TestCache;
use dewar::{Cache, CacheBuilder, Event, EventKeys, Report, cached, invalidate};

#[cached(timeout = 60, key_prefix = "product:{id}", tags("products"))]
fn product(id: u64) -> u64 {
    id
}

fn told(builder: CacheBuilder) -> (TestCache, Receiver<Event>) {
    let (sender, events) = channel();
    let hook = move |event: &Event| drop(sender.send(event.clone()));
    (TestCache::with(builder.on_event(hook)).unwrap(), events)
}

/// The next events, as one word and its detail.
fn next(events: &Receiver<Event>, count: usize) -> Vec<String> {
    let next = || events.recv_timeout(Duration::from_secs(10)).unwrap();
    let text = |event: Event| format!("{} {}", event.kind.name(), event.kind.detail());
    (0..count)
        .map(|_| text(next()).trim_end().to_owned())
        .collect()
}

#[test]
fn a_hook_is_told_of_every_outcome_in_order() {
    let (cache, events) = told(Cache::builder());
    cache.run(|| {
        product(1);
        product(1);
        invalidate!(tag = "products", prefix = "product:9")
            .wait()
            .unwrap();
        product(1);
        cache.advance(secs(61));
        product(1);
    });
    let load = "loaded 0.0ns";
    let expected = [
        "miss absent",
        load,
        "stored",
        "hit",
        "invalidated tag products, prefix product:9",
        "miss invalidated",
        "evicted invalidated",
        load,
        "stored",
        "miss expired",
        "evicted expired",
        load,
        "stored",
    ];
    assert_eq!(next(&events, expected.len()), expected);
    assert!(
        events.recv_timeout(Duration::from_millis(50)).is_err(),
        "no more"
    );
}

#[test]
fn every_hit_is_told_of_however_many_there_are() {
    let (cache, events) = told(Cache::builder());
    cache.run(|| (0..101).for_each(|_| assert_eq!(product(1), 1)));
    let all = next(&events, 103);
    assert_eq!(all.iter().filter(|event| *event == "hit").count(), 100);
    assert_eq!(cache.stats().hits, 100);
}

#[test]
fn an_event_names_cache_function_and_key_and_no_value() {
    let (cache, events) = told(Cache::builder().name("shop"));
    cache.run(|| product(77));
    let event = events.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!((&*event.cache, event.function), ("shop", "events::product"));
    let key = event.key.clone().unwrap();
    assert!(key.starts_with("product:77:"), "{key}");
    assert_eq!(cache.run(|| dewar::entry!(product(77)).key()), &*key);
    assert_eq!(
        event.to_string(),
        format!("miss (absent) events::product {key}")
    );
}

#[test]
fn keys_can_be_hashed_or_hidden() {
    let first = |keys| {
        let (cache, events) = told(Cache::builder().event_keys(keys));
        cache.run(|| product(77));
        events.recv_timeout(Duration::from_secs(10)).unwrap().key
    };
    let hashed = first(EventKeys::Hashed).unwrap();
    assert!(
        hashed.starts_with("events::product:") && !hashed.contains("77:"),
        "{hashed}"
    );
    assert_eq!(first(EventKeys::Hidden), None);
}

#[test]
fn what_an_invalidation_names_is_told_as_keys_are() {
    let first = |keys| {
        let (cache, events) = told(Cache::builder().event_keys(keys));
        let user = "hunter2";
        cache.run(|| {
            invalidate!(product, prefix = "user:{user}", tag = "of {user}", all)
                .wait()
                .unwrap();
        });
        next(&events, 1).remove(0)
    };
    let function = "function events::product";
    assert_eq!(
        first(EventKeys::default()),
        format!("invalidated {function}, prefix user:hunter2, tag of hunter2, everything")
    );
    assert_eq!(
        first(EventKeys::Hidden),
        format!("invalidated {function}, prefix, tag, everything")
    );
    let hashed = first(EventKeys::Hashed);
    assert!(!hashed.contains("hunter2"), "{hashed}");
    assert!(hashed.starts_with(&format!("invalidated {function}, prefix ")));
}

#[test]
fn an_invalidation_of_very_much_is_told_in_short() {
    let (cache, events) = told(Cache::builder());
    let tag = "x".repeat(10_000);
    let all = (0..50).fold(cache.invalidation(), |all, _| all.tag(tag.clone()));
    all.run().wait().unwrap();
    let said = next(&events, 1).remove(0);
    assert!(said.len() < 5_000 && said.ends_with(", 30 more"), "{said}");
}

#[test]
fn of_a_key_put_in_by_hand_the_last_level_is_not_told_unless_it_is_asked_for() {
    // A `:` at the end begins no level: what is before it is the last one.
    let secrets = [
        "session:hunter2",
        "session:hunter2:",
        "session:hunter2::",
        "hunter2",
        "hunter2:",
        ":hunter2",
        "::hunter2:",
        ":",
    ];
    let keys = |keys| {
        let (cache, events) = told(Cache::builder().event_keys(keys));
        for key in secrets {
            cache.blocking().set(key, 1, secs(9)).unwrap();
            let _ = cache.blocking().get::<u8>(key);
        }
        let next = || events.recv_timeout(Duration::from_secs(10)).unwrap();
        (0..2 * secrets.len())
            .map(|_| next().key.unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let told = keys(EventKeys::default());
    assert!(told.iter().all(|key| !key.contains("hunter2")), "{told:?}");
    for key in &told[..6] {
        let (levels, hash) = key.rsplit_once(':').unwrap();
        assert_eq!((levels, hash.len()), ("session", 16), "{told:?}");
    }
    assert!(keys(EventKeys::Shown)[0].starts_with("session:hunter2:"));
}

#[test]
fn entries_that_leave_to_make_room_are_told_of() {
    let (cache, events) = told(Cache::builder().max_entries(2));
    cache.run(|| (0..10).for_each(|id| assert_eq!(product(id), id)));
    cache.sweep();
    let evicted = cache.stats().evictions;
    let all = next(&events, 30 + evicted as usize);
    let count = all.iter().filter(|event| *event == "evicted size").count();
    assert_eq!(count as u64, evicted);
}

#[test]
fn a_hook_that_hangs_holds_nobody_up_and_what_is_dropped_is_counted() {
    let gate = Arc::new(Barrier::new(2));
    let hook = {
        let gate = Arc::clone(&gate);
        let once = std::sync::Once::new();
        move |_: &Event| {
            once.call_once(|| {
                gate.wait();
            });
        }
    };
    let cache = TestCache::with(Cache::builder().on_event(hook)).unwrap();
    // The hook hangs in the first of these.
    cache.run(|| (0..2_000).for_each(|id| assert_eq!(product(id), id)));
    assert_eq!(cache.stats().loads, 2_000);
    assert!(
        cache.dropped_events() >= 6_000 - 1_100,
        "{}",
        cache.dropped_events()
    );
    gate.wait();
}

#[test]
fn a_hook_that_panics_is_called_again_and_the_next_one_too() {
    let (sender, events) = channel();
    let builder = Cache::builder()
        .on_event(|_| panic!("the hook"))
        .on_event(move |event| drop(sender.send(event.clone())));
    let cache = TestCache::with(builder).unwrap();
    assert_eq!(cache.run(|| (product(1), product(1))), (1, 1));
    assert_eq!(
        next(&events, 4),
        ["miss absent", "loaded 0.0ns", "stored", "hit"]
    );
}

#[test]
fn a_hook_may_use_the_cache_it_is_told_of() {
    let (sender, events) = channel();
    let inner = Cache::builder().build().unwrap();
    let used = inner.clone();
    let cache = TestCache::with(Cache::builder().on_event(move |_| {
        let value = used.scope_blocking(|| product(5));
        let _ = sender.send(value);
    }))
    .unwrap();
    cache.run(|| product(1));
    assert_eq!(events.recv_timeout(Duration::from_secs(10)), Ok(5));
}

#[test]
fn recent_operations_are_kept_once_they_are_asked_for_and_hits_of_old_entries_too() {
    let cache = TestCache::new();
    cache.run(|| (0..50).for_each(|_| assert_eq!(product(1), 1)));
    assert!(cache.operations().is_empty());
    cache.record_operations();
    cache.run(|| (0..300).for_each(|_| assert_eq!(product(1), 1)));
    let kept = cache.operations();
    assert_eq!(kept.len(), 200);
    assert!(
        kept.iter()
            .all(|operation| operation.event.kind == dewar::EventKind::Hit)
    );
    cache.run(|| product(2));
    assert_eq!(cache.operations()[0].event.kind, dewar::EventKind::Stored);
}

#[cached]
async fn later(id: u64) -> u64 {
    id
}

#[test]
fn a_report_has_what_its_work_did_and_nothing_of_others() {
    let cache = TestCache::new();
    let (mine, other) = (Report::new(), Report::new());
    let work = mine.run_async(cache.run_async(async {
        later(1).await;
        later(1).await;
    }));
    other.run(|| cache.run(|| product(3)));
    futures::executor::block_on(work);
    cache.run(|| product(4));
    let names = |report: &Report| -> Vec<_> {
        report
            .events()
            .iter()
            .map(|event| (event.kind.name(), event.function))
            .collect()
    };
    let later = "events::later";
    assert_eq!(
        names(&mine),
        [
            ("miss", later),
            ("loaded", later),
            ("stored", later),
            ("hit", later)
        ]
    );
    assert!(
        names(&other)
            .iter()
            .all(|(_, function)| *function == "events::product")
    );
    assert_eq!(names(&other).len(), 3);
}

#[test]
fn a_report_does_not_grow_for_ever() {
    let (cache, report) = (TestCache::new(), Report::new());
    report.run(|| cache.run(|| (0..2_000).for_each(|_| assert_eq!(product(1), 1))));
    assert_eq!((report.events().len(), report.dropped()), (1_000, 1_002));
}

#[cached(timeout = 60, stale_while_revalidate = 60, skip(fails))]
fn fragile(id: u64, fails: bool) -> Result<u64, String> {
    match fails {
        false => Ok(id),
        true => Err("down".into()),
    }
}

#[test]
fn what_fails_what_is_stale_and_what_an_invalidation_names_are_told() {
    let (cache, events) = told(Cache::builder());
    cache.run(|| {
        let _ = fragile(1, true);
        assert_eq!(fragile(1, false), Ok(1));
        cache.advance(secs(61));
        assert_eq!(fragile(1, false), Ok(1));
        // The refresh has ended before anything else is done.
        let loads = [
            "miss absent",
            "loaded failed after 0.0ns",
            "rejected",
            "miss absent",
            "loaded 0.0ns",
            "stored",
            "stale",
            "loaded 0.0ns",
            "stored",
        ];
        assert_eq!(next(&events, loads.len()), loads);
        invalidate!(fragile(1, _)).wait().unwrap();
        invalidate!(fragile).wait().unwrap();
        invalidate!(pattern = "product*").wait().unwrap();
        invalidate!(all).wait().unwrap();
    });
    let name = "events::fragile";
    let expected = [
        &format!("invalidated call {name}"),
        &format!("invalidated function {name}"),
        "invalidated pattern product*",
        "invalidated everything",
    ];
    assert_eq!(next(&events, expected.len()), expected);
}

#[cfg(feature = "stores")]
#[test]
fn a_store_that_fails_is_told_of_and_so_is_its_circuit() {
    #[cached(timeout = 60)]
    fn number(n: u64) -> u64 {
        n
    }

    let store = dewar::testing::FaultyStore::new();
    let (cache, events) = told(Cache::builder().shared(store.clone()));
    store.fail(true);
    cache.run(|| (0..9).for_each(|n| assert_eq!(number(n), n)));
    store.fail(false);
    cache.advance(secs(1));
    cache.run(|| number(10));
    let mut names = Vec::new();
    while names.last() != Some(&"circuit_closed") {
        let event = events.recv_timeout(Duration::from_secs(10)).unwrap();
        names.push(event.kind.name());
    }
    let count = |name| names.iter().filter(|it| **it == name).count();
    assert_eq!((count("circuit_opened"), count("circuit_closed")), (1, 1));
    assert_eq!(count("store_failed") as u64, cache.stats().store_errors);
    let opened = names.iter().position(|name| *name == "circuit_opened");
    assert!(
        opened
            > names
                .iter()
                .position(|name| *name == "store_failed")
                .map(|at| at + 1)
    );
}

/// Each event is one count, and each count one event; fewer of them than wait for a hook at most.
#[test]
fn events_and_counters_agree_under_concurrent_load() {
    let (cache, events) = told(Cache::builder().max_entries(30));
    let calls = 60;
    std::thread::scope(|scope| {
        for of in 0..4 {
            let cache = &cache;
            scope.spawn(move || {
                cache.run(|| (0..calls).for_each(|n| assert!(product((n * 7 + of) % 40) < 40)))
            });
        }
    });
    cache.sweep();
    let stats = cache.stats();
    assert_eq!((cache.dropped_events(), stats.lookups()), (0, 4 * calls));
    let counted = [
        ("hit", stats.hits),
        ("miss", stats.misses()),
        ("waited", stats.coalesced),
        ("loaded", stats.loads),
        ("stored", stats.stores),
        ("rejected", stats.rejections),
        ("evicted", stats.evictions),
    ];
    let all = counted.iter().map(|(_, count)| *count as usize).sum();
    let told = next(&events, all);
    for (name, count) in counted {
        let of = |event: &&String| event.split(' ').next() == Some(name);
        assert_eq!(told.iter().filter(of).count() as u64, count, "{name}");
    }
}

#[cfg(all(feature = "axum", feature = "tokio"))]
#[tokio::test]
async fn of_a_view_the_same_is_told() {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::{Path, Request};
    use axum::http::StatusCode;
    use tower::ServiceExt;

    #[cached(view, timeout = 60, key_prefix = "page")]
    async fn page(Path(id): Path<u64>) -> (StatusCode, &'static str) {
        match id {
            13 => (StatusCode::SERVICE_UNAVAILABLE, "down"),
            _ => (StatusCode::OK, "up"),
        }
    }

    let (cache, events) = told(Cache::builder());
    let router: Router = Router::new().route("/{id}", axum::routing::get(page));
    let app = router.layer(dewar::http::ScopeLayer::new(&cache));
    for id in [1, 1, 13] {
        let request = Request::get(format!("/{id}")).header("host", "a");
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap());
        let body = response.await.unwrap().into_body();
        axum::body::to_bytes(body, 100).await.unwrap();
    }
    let load = "loaded 0.0ns";
    let expected = [
        "miss absent",
        load,
        "stored",
        "hit",
        "miss absent",
        "loaded failed after 0.0ns",
        "rejected",
    ];
    assert_eq!(next(&events, expected.len()), expected);
    let stats = cache.stats();
    assert_eq!((stats.loads, stats.load_errors, stats.hits), (2, 1, 1));
}

#[cfg(all(feature = "axum", feature = "tokio"))]
#[tokio::test]
async fn whatever_is_told_of_one_page_has_the_same_key() {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::{Path, Query, Request};
    use tower::ServiceExt;

    #[cached(view, timeout = 60, key_prefix = "page:{id}", skip(fresh), refresh_if = !fresh.0.is_empty())]
    async fn page(Path(id): Path<u64>, fresh: Query<Vec<(String, String)>>) -> String {
        format!("page {id}")
    }

    let (cache, events) = told(Cache::builder());
    cache.record_operations();
    let router: Router = Router::new().route("/{id}", axum::routing::get(page));
    let app = router.layer(dewar::http::ScopeLayer::new(&cache));
    let ask = async || {
        let request = Request::get("/7").header("host", "a");
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap());
        let body = response.await.unwrap().into_body();
        axum::body::to_bytes(body, 100).await.unwrap();
    };
    ask().await;
    ask().await;
    cache.advance(secs(61));
    ask().await;
    cache.invalidation().prefix("page:7").run().await.unwrap();
    ask().await;
    let mut told = Vec::new();
    while told
        .iter()
        .filter(|it: &&Event| it.kind == dewar::EventKind::Stored)
        .count()
        < 3
    {
        told.push(events.recv_timeout(Duration::from_secs(10)).unwrap());
    }
    let of_pages = |event: &&Event| event.function.ends_with("page");
    let keys: Vec<_> = told.iter().filter(of_pages).map(|it| &it.key).collect();
    assert!(keys[0].as_ref().unwrap().starts_with("page:7:"), "{told:?}");
    assert!(keys.iter().all(|key| *key == keys[0]), "{told:?}");
    let kept = cache.operations();
    let kept = kept.iter().map(|it| &it.event).filter(of_pages);
    assert_eq!(kept.filter(|it| it.key == *keys[0]).count(), keys.len());
    assert!(keys.len() > 10, "{told:?}");
}
