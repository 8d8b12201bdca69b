//! How much memory pages take, where the cache is bounded by entries.
#![cfg(feature = "tower")]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::testing::TestCache;
use dewar::{Cache, CacheBuilder, cached};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

const PAGE: usize = 10_000;

/// Pages of ten kilobytes; how often that of `/popular` was made.
struct Site {
    cache: TestCache,
    popular: Arc<AtomicU32>,
}

fn site(builder: CacheBuilder) -> Site {
    Site {
        cache: TestCache::with(builder).unwrap(),
        popular: Arc::default(),
    }
}

impl Site {
    fn service(
        &self,
    ) -> impl Service<Request<()>, Response = Response<dewar::http::ViewBody>, Error = Infallible> + Clone
    {
        let made = Arc::clone(&self.popular);
        let handler = service_fn(move |request: Request<()>| {
            if request.uri().path() == "/popular" {
                made.fetch_add(1, Ordering::SeqCst);
            }
            let body = Full::new(Bytes::from(vec![b'x'; PAGE]));
            async { Ok::<_, Infallible>(Response::new(body)) }
        });
        let policy = ViewPolicy::new().timeout(Duration::from_secs(60));
        CacheLayer::new(policy).cache(&self.cache).layer(handler)
    }

    /// Asks for pages of which each is asked for once, and for one of all, many times.
    async fn visit(&self, pages: u32) {
        let service = self.service();
        for page in 0..pages {
            for uri in [format!("/page?n={page}"), "/popular".to_owned()] {
                let request = Request::builder().uri(uri).header("host", "shop.test");
                let request = request.body(()).unwrap();
                let response = service.clone().oneshot(request).await.unwrap();
                let body = response.into_body().collect().await.unwrap();
                assert_eq!(body.to_bytes().len(), PAGE);
            }
        }
    }
}

#[cached(timeout = 60)]
fn double(n: u64) -> u64 {
    2 * n
}

#[tokio::test]
async fn pages_take_no_more_than_their_share_and_leave_functions_alone() {
    let site = site(Cache::builder().max_page_bytes(200_000));
    site.cache.run(|| (0..2_000).map(double).sum::<u64>());
    site.visit(500).await;
    let stats = site.cache.stats();
    assert!(stats.evictions >= 480, "{stats:?}");
    assert!((2_001..=2_020).contains(&stats.entries), "{stats:?}");
    let functions = 2_000 * 1_000;
    assert!(stats.bytes <= 200_000 + functions, "{stats:?}");
    let made = site.popular.load(Ordering::SeqCst);
    assert!(made < 10, "what is read often stays: made {made} times");
}

#[tokio::test]
async fn without_a_word_they_take_some_megabytes() {
    let site = site(Cache::builder());
    site.visit(7_000).await;
    let stats = site.cache.stats();
    assert!((60 << 20..=64 << 20).contains(&stats.bytes), "{stats:?}");
}

#[tokio::test]
async fn in_a_cache_of_bytes_they_take_what_there_is_or_a_part_of_it() {
    for (pages, most) in [(None, 1_000_000), (Some(200_000), 200_000)] {
        let builder = Cache::builder().max_bytes(1_000_000);
        let site = site(match pages {
            Some(pages) => builder.max_page_bytes(pages),
            None => builder,
        });
        site.visit(500).await;
        site.cache.sweep();
        let bytes = site.cache.stats().bytes;
        assert!((most - 2 * PAGE as u64..=most).contains(&bytes), "{bytes}");
    }
}
