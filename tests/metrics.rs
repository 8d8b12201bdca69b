//! What a recorder of the `metrics` facade is told; a real one, Prometheus' exporter.
#![cfg(feature = "metrics")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dewar::testing::{ManualClock, TestCache};
use dewar::{Cache, cached, invalidate};
use metrics::{Key, KeyName, Metadata, SharedString, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

#[cached(timeout = 60, cache = "metered", skip(clock))]
fn price(id: u64, clock: &ManualClock) -> Result<u64, String> {
    clock.advance(Duration::from_millis(20));
    match id {
        13 => Err("no such price".into()),
        id => Ok(id * 100),
    }
}

/// Caches are registered for the whole process, and compared with what the dashboard says of all of
/// them: one test after the other.
static IN_TURN: Mutex<()> = Mutex::new(());

fn in_turn() -> MutexGuard<'static, ()> {
    IN_TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn recorder() -> PrometheusRecorder {
    let bounds = [0.01, 0.05, 1.0];
    let builder = PrometheusBuilder::new().set_buckets(&bounds).unwrap();
    builder.build_recorder()
}

fn told(text: &str, line: &str) {
    assert!(
        text.lines().any(|it| it == line),
        "{line} is not in\n{text}"
    );
}

#[test]
fn a_recorder_is_told_what_the_statistics_say_under_the_dashboards_names() {
    let _turn = in_turn();
    let clock = ManualClock::new();
    let builder = Cache::builder().name("metered").clock(clock.clone());
    let cache = builder.register().unwrap();
    let recorder = recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        for id in [1, 1, 1, 2, 13] {
            let _ = price(id, &clock);
        }
        invalidate!(cache = "metered", all).wait().unwrap();
        dewar::metrics::publish();
    });
    let text = handle.render();
    let of = "cache=\"metered\",function=\"metrics::price\"";
    told(&text, &format!("dewar_hits_total{{{of}}} 2"));
    told(
        &text,
        &format!("dewar_misses_total{{{of},reason=\"absent\"}} 3"),
    );
    told(&text, &format!("dewar_load_errors_total{{{of}}} 1"));
    told(&text, &format!("dewar_entries{{{of}}} 2"));
    told(&text, "dewar_invalidations_total{cache=\"metered\"} 1");
    let times = "dewar_load_duration_seconds";
    told(&text, &format!("{times}_bucket{{{of},le=\"0.01\"}} 0"));
    told(&text, &format!("{times}_bucket{{{of},le=\"0.05\"}} 3"));
    told(&text, &format!("{times}_count{{{of}}} 3"));
    told(&text, "# TYPE dewar_load_duration_seconds histogram");
    told(
        &text,
        "# HELP dewar_hits_total Reads served from the cache, fresh.",
    );

    cache.reset_stats();
    metrics::with_local_recorder(&recorder, || {
        assert_eq!(price(2, &clock), Ok(200));
        dewar::metrics::publish();
    });
    let text = handle.render();
    told(&text, &format!("dewar_hits_total{{{of}}} 2"));
    told(&text, &format!("dewar_loads_total{{{of}}} 4"));
    same_as_the_dashboard(&text);
}

/// A recorder with a fault in it.
struct Broken;

impl metrics::Recorder for Broken {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> metrics::Counter {
        metrics::Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        panic!("the recorder")
    }
}

#[cached(timeout = 60)]
fn doubled(n: u64) -> u64 {
    n * 2
}

#[test]
fn a_recorder_that_panics_fails_no_call() {
    let _turn = in_turn();
    let cache = Cache::builder().name("broken").register().unwrap();
    metrics::with_local_recorder(&Broken, || {
        assert_eq!(cache.scope_blocking(|| (doubled(1), doubled(1))), (2, 2));
    });
    let stats = cache.stats();
    assert_eq!((stats.loads, stats.stores, stats.hits), (1, 1, 1));
}

#[test]
fn caches_of_one_name_are_not_taken_for_each_other() {
    let _turn = in_turn();
    let recorder = recorder();
    let handle = recorder.handle();
    let registered = Cache::builder().name("twin").register().unwrap();
    let default = Cache::builder().name("twin").install().unwrap();
    let built = Cache::builder().name("twin").build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        registered.scope_blocking(|| doubled(1));
        default.scope_blocking(|| (doubled(1), doubled(2)));
        built.scope_blocking(|| (1..=7).map(doubled).sum::<u64>());
        TestCache::new().run(|| doubled(1));
        dewar::metrics::publish();
    });
    let text = handle.render();
    for (name, loads) in [("twin", 1), ("twin (2)", 2)] {
        let of = format!("cache=\"{name}\",function=\"metrics::doubled\"");
        told(&text, &format!("dewar_loads_total{{{of}}} {loads}"));
        let count = format!("dewar_load_duration_seconds_count{{{of}}} {loads}");
        told(&text, &count);
    }
    let times = "dewar_load_duration_seconds_count";
    let series = text.lines().filter(|line| line.starts_with(times));
    assert_eq!(series.count(), 2, "{text}");
    same_as_the_dashboard(&text);
}

#[cfg(not(feature = "dashboard"))]
fn same_as_the_dashboard(_: &str) {}

/// What one says the other says too, whichever of them is scraped.
#[cfg(feature = "dashboard")]
fn same_as_the_dashboard(text: &str) {
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    let router = dewar::dashboard::Dashboard::new().router();
    let request = axum::http::Request::get("/metrics")
        .body(Body::empty())
        .unwrap();
    let bytes = futures::executor::block_on(async {
        let response = router.oneshot(request).await.unwrap();
        to_bytes(response.into_body(), usize::MAX).await.unwrap()
    });
    let dashboard = String::from_utf8(bytes.to_vec()).unwrap();
    let counted = |line: &&str| line.starts_with("dewar_") && !line.contains("_seconds");
    assert!(dashboard.lines().filter(counted).count() > 20);
    for line in dashboard.lines().filter(counted) {
        told(text, line);
    }
}
