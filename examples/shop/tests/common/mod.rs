//! The shop on a free port, with a database and a cache of its own.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use dewar::testing::TestCache;
use tokio::net::TcpListener;

/// A shop that is open until the test's runtime ends.
pub(crate) struct Site {
    origin: String,
}

impl Site {
    /// With what its functions remember apart from all other tests', and a clock that stands still.
    pub(crate) async fn open() -> Site {
        Site::open_with(TestCache::new()).await
    }

    /// With a cache that the test has made.
    #[allow(dead_code, reason = "the browser needs none but the usual one")]
    pub(crate) async fn open_with(cache: TestCache) -> Site {
        let scope = move |request: Request, next: Next| {
            let cache = cache.clone();
            async move { cache.run_async(next.run(request)).await }
        };
        let shop = shop::router(shop::Shop::open().await.unwrap());
        Site::serve(shop.layer(from_fn(scope))).await
    }

    /// As `cargo run --example shop` opens it.
    pub(crate) async fn open_as_it_is() -> Site {
        Site::serve(shop::router(shop::Shop::open().await.unwrap())).await
    }

    /// Any routes.
    pub(crate) async fn serve(router: axum::Router) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Site { origin }
    }

    /// The address of a path of the shop.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}
