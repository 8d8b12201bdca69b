//! Cached views: what was read before an invalidation is not stored after it.

#[path = "common/site.rs"]
mod site;

use std::convert::Infallible;
use std::future::ready;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use axum::{Extension, Router};
use dewar::http::{CacheLayer, ViewPolicy};
use dewar::{Cache, cached};
use tokio::sync::Semaphore;

use site::{Runs, Site, serve};

/// Data, and a reader of it that can be held up between its read and the handler.
struct Source {
    version: AtomicUsize,
    read: Runs,
    gate: Semaphore,
}

impl Source {
    const fn new() -> Self {
        Source {
            version: AtomicUsize::new(1),
            read: Runs::new(),
            gate: Semaphore::const_new(0),
        }
    }

    async fn read(&self) -> usize {
        let version = self.version.load(Ordering::SeqCst);
        self.read.next();
        let _ = self.gate.acquire().await.unwrap();
        version
    }

    /// The first request, while the data change after it has read them.
    async fn changed_meanwhile(&self, site: &Site, path: &str, cache: &Cache) -> String {
        let change = async {
            while self.read.count() == 0 {
                tokio::task::yield_now().await;
            }
            self.version.store(2, Ordering::SeqCst);
            let invalidation = cache.invalidation().tag("products");
            invalidation.run().await.unwrap();
            self.gate.add_permits(1);
        };
        tokio::join!(site.get(path), change).0.body
    }
}

/// An extractor `Product` that reads from a source of its own.
macro_rules! product {
    () => {
        static SOURCE: Source = Source::new();

        struct Product {
            id: u32,
            version: usize,
        }

        impl<S: Send + Sync> FromRequestParts<S> for Product {
            type Rejection = Infallible;

            async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
                let version = SOURCE.read().await;
                Ok(Product { id: 7, version })
            }
        }
    };
}

async fn is_read_afresh(site: &Site, source: &Source, cache: &Cache) {
    let first = source.changed_meanwhile(site, "/", cache).await;
    assert_eq!(first, "version 1");
    assert_eq!(site.get("/").await.body, "version 2");
    assert!(site.get("/").await.is_hit());
}

#[tokio::test]
async fn what_an_extractor_read_is_not_stored_after_an_invalidation() {
    product!();

    #[cached(view, timeout = 60, key = (product.id), tags("products"))]
    async fn page(product: Product) -> String {
        format!("version {}", product.version)
    }

    let site = serve(Router::new().route("/", get(page))).await;
    is_read_afresh(&site, &SOURCE, &site.cache).await;
}

#[tokio::test]
async fn nor_in_a_cache_that_the_handler_names() {
    static PAGES: LazyLock<Cache> = LazyLock::new(|| Cache::builder().build().unwrap());

    product!();

    #[cached(view, timeout = 60, cache = PAGES, key = (product.id), tags("products"))]
    async fn page(product: Product) -> String {
        format!("version {}", product.version)
    }

    let site = serve(Router::new().route("/", get(page))).await;
    is_read_afresh(&site, &SOURCE, &PAGES).await;
}

#[tokio::test]
async fn nor_in_a_cache_named_by_its_name() {
    product!();

    #[cached(view, timeout = 60, cache = "pages", key = (product.id), tags("products"))]
    async fn page(product: Product) -> String {
        format!("version {}", product.version)
    }

    let pages = Cache::builder().name("pages").register().unwrap();
    let site = serve(Router::new().route("/", get(page))).await;
    is_read_afresh(&site, &SOURCE, &pages).await;
}

#[tokio::test]
async fn an_invalidation_in_another_cache_keeps_nothing_from_being_stored() {
    product!();

    #[cached(view, timeout = 60, key = (product.id), tags("products"))]
    async fn page(product: Product) -> String {
        format!("version {}", product.version)
    }

    let other = Cache::builder().build().unwrap();
    let site = serve(Router::new().route("/", get(page))).await;
    SOURCE.changed_meanwhile(&site, "/", &other).await;
    let second = site.get("/").await;
    assert_eq!((&*second.body, second.is_hit()), ("version 1", true));
}

#[derive(Clone)]
struct Version(usize);

#[tokio::test]
async fn a_layer_outside_of_a_middleware_stores_nothing_that_the_middleware_read_before() {
    static SOURCE: Source = Source::new();

    async fn reads(mut request: Request, next: Next) -> axum::response::Response {
        let version = Version(SOURCE.read().await);
        request.extensions_mut().insert(version);
        next.run(request).await
    }

    let policy = ViewPolicy::new().timeout(std::time::Duration::from_secs(60));
    let page = |Extension(version): Extension<Version>| ready(format!("version {}", version.0));
    let app = Router::new().route("/", get(page)).layer(from_fn(reads));
    let app = app.layer(CacheLayer::new(policy).tag("products"));
    let site = serve(app).await;
    is_read_afresh(&site, &SOURCE, &site.cache).await;
}
