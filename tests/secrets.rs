//! Credentials of shared stores, in whatever is said of them: errors, logs of whatever crate, hooks,
//! statistics, the dashboard. The servers are real, and refuse them, take them, or are not there.
#![cfg(all(
    feature = "redis",
    feature = "database",
    feature = "tracing",
    feature = "dashboard"
))]

mod servers;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use dewar::dashboard::Dashboard;
use dewar::store::{Database, Redis, Store};
use dewar::{Cache, cached, invalidate};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

const SECRET: &str = "hunter2";

/// All that anybody logs, and all that is said otherwise.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    fn add(&self, what: &dyn Debug) {
        let mut said = self.0.lock().unwrap();
        *said += &format!("{what:?} ");
    }
}

impl Visit for &Said {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.add(value);
    }
}

impl<S: Subscriber> Layer<S> for Said {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut &*self);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut &*self);
    }
}

#[cached(timeout = 60, key_prefix = "n:{n}")]
fn number(n: u64) -> u64 {
    n
}

/// Uses a store until it is given up, and collects what is said.
async fn use_up(name: &str, store: impl Store + Debug, said: &Said) {
    said.add(&store);
    said.add(&store.describe());
    let told = said.clone();
    let builder = Cache::builder().name(name).shared(store);
    let builder = builder.store_timeout(Duration::from_millis(300));
    let cache = builder
        .on_event(move |event| told.add(event))
        .build()
        .unwrap();
    let used = cache.clone();
    let work = move || {
        used.scope_blocking(|| {
            (0..10).for_each(|n| assert_eq!(number(n), n));
            invalidate!(number(1)).wait().map_err(|error| {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                (error.to_string(), format!("{error:?}"), source)
            })
        })
    };
    let result = tokio::task::spawn_blocking(work).await.unwrap();
    said.add(&result);
    said.add(&cache);
    said.add(&cache.stats());
    said.add(&cache.store_status());
    let router = Dashboard::new().cache(&cache).router();
    for path in ["/", "/stats.json", "/metrics"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        said.add(&String::from_utf8_lossy(&body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_ever_shown() {
    let said = Said::default();
    let subscriber = tracing_subscriber::registry().with(said.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let redis = servers::redis::Redis::with(&["--requirepass", SECRET]);
    let other = servers::redis::Redis::with(&["--requirepass", "another"]);
    let postgres = servers::postgres::Postgres::start();
    let nobody = servers::free_port();
    for (name, url) in [
        (
            "taken",
            format!("redis://:{SECRET}@127.0.0.1:{}", redis.port()),
        ),
        (
            "refused",
            format!("redis://:{SECRET}@127.0.0.1:{}", other.port()),
        ),
        ("nobody", format!("redis://:{SECRET}@127.0.0.1:{nobody}")),
    ] {
        use_up(name, Redis::open(&url).unwrap(), &said).await;
    }
    for (name, port) in [("sql-refused", postgres.0.port), ("sql-nobody", nobody)] {
        let url = format!("postgres://stranger:{SECRET}@127.0.0.1:{port}/postgres");
        use_up(name, Database::open(&url).unwrap(), &said).await;
    }
    let text = said.0.lock().unwrap();
    assert!(text.contains("n:1") && text.contains("127.0.0.1"), "{text}");
    let at = text.find(SECRET);
    let around = at.map(|at| &text[at.saturating_sub(300)..at + 20]);
    assert_eq!(around, None);
}
