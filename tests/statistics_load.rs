//! Counters add up under concurrent load: for batches, values by hand, shared stores and views.

use std::collections::HashMap;
use std::thread;

use dewar::{Cache, Expiry, Stats, cached, invalidate};

const THREADS: u64 = 4;
const TURNS: u64 = 2_000;

/// The same work on several threads at once, in a cache.
fn together(cache: &Cache, work: impl Fn(u64, u64) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        for of in 0..THREADS {
            scope.spawn(move || cache.scope_blocking(|| (0..TURNS).for_each(|n| work(of, n))));
        }
    });
}

/// The equations of the guide that hold for everything.
fn adds_up(stats: &Stats) {
    assert_eq!(stats.hits + stats.stale + stats.misses(), stats.lookups());
    let reasons = stats.absent + stats.expired + stats.invalidated;
    let asked = stats.bypassed + stats.refreshed;
    assert_eq!(reasons + asked, stats.misses(), "{stats}");
    assert_eq!(
        stats.loads + stats.coalesced + stats.fetched,
        stats.misses() - stats.bypassed,
        "{stats}"
    );
    assert_eq!(stats.loads, stats.load_times.count(), "{stats}");
    assert!(stats.fallbacks <= stats.misses(), "{stats}");
    assert!(stats.load_errors <= stats.loads, "{stats}");
}

#[cached(timeout = 60, batch = ids)]
fn rows(ids: &[u64]) -> HashMap<u64, u64> {
    thread::yield_now();
    ids.iter().map(|id| (*id, id * 2)).collect()
}

#[test]
fn of_batches_each_key_is_a_read() {
    let cache = Cache::builder().max_entries(60).build().unwrap();
    together(&cache, |of, n| {
        let ids: Vec<u64> = (0..5).map(|k| (n * 3 + of * 7 + k * 11) % 100).collect();
        assert_eq!(rows(&ids).len(), 5);
        if n % 100 == 0 {
            drop(invalidate!(rows));
        }
    });
    let stats = cache.stats();
    assert_eq!(stats.lookups(), THREADS * TURNS * 5, "{stats}");
    adds_up(&stats);
    assert_eq!(stats.stores + stats.rejections, stats.loads, "{stats}");
    cache.sweep();
    assert_eq!(cache.stats().entries, cache.len() as u64);
}

#[test]
fn values_by_hand_are_counted_as_reads_and_stores() {
    let cache = Cache::builder().build().unwrap();
    let api = cache.blocking();
    let (mut sets, mut gets) = (0, 0);
    together(&cache, |of, n| {
        let key = format!("k:{}", (n + of) % 40);
        if n % 3 == 0 {
            api.set(&key, n, Expiry::Default).unwrap();
        } else {
            let _ = api.get::<u64>(&key);
        }
    });
    for n in 0..TURNS {
        *(if n % 3 == 0 { &mut sets } else { &mut gets }) += THREADS;
    }
    let stats = cache.stats();
    assert_eq!(stats.lookups(), gets, "{stats}");
    // One that was overtaken by a newer is not stored, and that is no refusal of a result.
    assert!(stats.stores <= sets && stats.stores > 0, "{stats}");
    assert_eq!((stats.loads, stats.bypassed), (0, 0));
    assert_eq!(stats.entries, 40);
}

#[cfg(feature = "stores")]
mod stores {
    use dewar::testing::FaultyStore;

    use super::*;

    #[cached(timeout = 60)]
    fn shared(id: u64) -> u64 {
        thread::yield_now();
        id
    }

    /// The statistics of a cache that was called by all threads, once they are seen to add up.
    fn all_added_up(cache: &Cache) -> Stats {
        let stats = cache.stats();
        assert_eq!(stats.lookups(), THREADS * TURNS);
        adds_up(&stats);
        assert_eq!(
            stats.stores + stats.rejections,
            stats.loads + stats.fetched,
            "{stats}"
        );
        stats
    }

    #[test]
    fn what_the_shared_store_answers_is_fetched_and_no_load() {
        let store = FaultyStore::new();
        let process = || Cache::builder().shared(store.clone()).build().unwrap();
        let (one, other) = (process(), process());
        thread::scope(|scope| {
            for cache in [&one, &other] {
                scope.spawn(|| {
                    together(cache, |of, n| {
                        let id = (n * 7 + of * 13) % 300;
                        assert_eq!(shared(id), id);
                    })
                });
            }
        });
        for cache in [&one, &other] {
            let stats = all_added_up(cache);
            assert!(
                stats.store_times.count() > 0 && stats.store_errors == 0,
                "{stats}"
            );
        }
        let (one, other) = (one.stats(), other.stats());
        assert!(one.fetched + other.fetched > 0, "{one}\n{other}");
    }

    #[test]
    fn with_evictions_invalidations_and_a_store_that_comes_and_goes_they_add_up() {
        let store = FaultyStore::new();
        let process = || {
            let builder = Cache::builder().shared(store.clone()).max_entries(100);
            builder.build().unwrap()
        };
        let (one, other) = (process(), process());
        thread::scope(|scope| {
            for cache in [&one, &other] {
                let store = &store;
                scope.spawn(move || {
                    together(cache, |of, n| {
                        let id = (n * 7 + of * 13) % 300;
                        assert_eq!(shared(id), id);
                        if n % 40 == of {
                            // The store may be gone: it is kept and replayed.
                            let _ = invalidate!(shared(id)).wait();
                        }
                        if n % 200 == 0 {
                            store.refuse(n % 400 == 0 && of == 0);
                        }
                    })
                });
            }
        });
        for cache in [&one, &other] {
            cache.sweep();
            let stats = all_added_up(cache);
            assert_eq!(stats.entries, cache.len() as u64);
            assert!(stats.entries <= 100 && stats.evictions > 0, "{stats}");
            assert_eq!(stats.invalidations, THREADS * TURNS / 40, "{stats}");
        }
        let errors = one.stats().store_errors + other.stats().store_errors;
        assert!(errors > 0, "{}", one.stats());
    }

    #[test]
    fn every_operation_that_fails_is_an_error_and_every_read_goes_on() {
        let store = FaultyStore::new();
        let cache = Cache::builder().shared(store.clone()).build().unwrap();
        store.fail(true);
        together(&cache, |of, n| {
            assert_eq!(shared(n % 100 + of), n % 100 + of)
        });
        let stats = cache.stats();
        assert_eq!(stats.lookups(), THREADS * TURNS);
        adds_up(&stats);
        assert!(stats.store_errors > 0 && stats.fetched == 0, "{stats}");
    }
}

#[cfg(all(feature = "axum", feature = "tokio"))]
mod views {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::{Path, Request};
    use axum::routing::get;
    use dewar::http::ScopeLayer;
    use tower::ServiceExt;

    use super::*;

    #[cached(view, timeout = 60)]
    async fn page(Path(id): Path<u64>) -> String {
        tokio::task::yield_now().await;
        format!("page {id}")
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_views_each_request_is_a_read() {
        let cache = Cache::builder().build().unwrap();
        let router: Router = Router::new().route("/{id}", get(page));
        let app = router.layer(ScopeLayer::new(&cache));
        let tasks: Vec<_> = (0..THREADS)
            .map(|of| {
                let (app, cache) = (app.clone(), cache.clone());
                tokio::spawn(async move {
                    for n in 0..TURNS {
                        let uri = format!("/{}", (n * 7 + of) % 50);
                        let mut request = Request::get(uri).header("host", "a");
                        if n % 3 == 0 {
                            request = request.header("authorization", "Bearer ada");
                        }
                        let request = request.body(Body::empty()).unwrap();
                        let response = app.clone().oneshot(request).await.unwrap();
                        let body = axum::body::to_bytes(response.into_body(), 1000).await;
                        assert!(body.unwrap().starts_with(b"page "));
                        if n % 100 == 0 {
                            drop(cache.invalidation().all().run());
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let stats = cache.stats();
        assert_eq!(stats.lookups(), THREADS * TURNS, "{stats}");
        adds_up(&stats);
        assert_eq!(stats.stores + stats.rejections, stats.loads, "{stats}");
        assert!(stats.coalesced > 0 || stats.hits > 0);
        let of_page = cache.scope_blocking(|| dewar::stats!(page).get());
        assert_eq!(of_page.lookups(), stats.lookups());
    }
}
