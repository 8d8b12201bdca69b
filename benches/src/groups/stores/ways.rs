//! The contenders, each with a runtime and a connection of its own.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cached::{AsyncRedisCache, ConcurrentCachedAsync};
use dewar::store::{Redis, RedisBuilder};
use dewar::{Cache, cached};
use futures::future::join_all;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Builder, Runtime};

use super::product::{self, Product};
use crate::peers::{CAPACITY, TIMEOUT};

/// What is asked of each of them.
pub(super) trait Way: Send + Sync + 'static {
    /// A product, from the cache or else from its source.
    fn get(&self, id: u64) -> impl Future<Output = Product> + Send;

    /// Many at once.
    fn batch(&self, ids: &[u64]) -> impl Future<Output = usize> + Send;
}

/// A runtime on the thread that uses it: nothing has to be handed to another one.
pub(super) fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// Ours.
#[derive(Clone)]
pub(super) struct Ours(Cache);

#[cached(timeout = "1h", key_prefix = "product")]
async fn get(id: u64) -> Product {
    product::product(id)
}

#[cached(timeout = "1h", key_prefix = "products", batch = ids)]
async fn get_many(ids: &[u64]) -> std::collections::HashMap<u64, Product> {
    product::products(ids)
}

fn store(url: &str) -> RedisBuilder {
    Redis::builder().url(url).expect("a URL")
}

impl Ours {
    /// Behind the memory tier.
    pub(super) async fn new(url: &str) -> Self {
        let ours = Ours::made(Some(store(url)), None);
        let pushed = || ours.0.store_status().and_then(|status| status.push);
        // What is read before then is served from memory for a short time only.
        while pushed() != Some(true) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ours
    }

    /// The same, but memory serves nothing.
    pub(super) async fn without_memory(url: &str) -> Self {
        Ours::made(Some(store(url)), Some(Duration::ZERO))
    }

    /// No store at all.
    pub(super) async fn alone() -> Self {
        Ours::made(None, None)
    }

    /// Its connection driven by the runtime that calls.
    pub(super) async fn on_caller(url: &str) -> Self {
        let store = store(url).on_caller_runtime();
        Ours::made(Some(store), Some(Duration::ZERO))
    }

    fn made(store: Option<RedisBuilder>, copies: Option<Duration>) -> Self {
        let mut builder = Cache::builder().max_entries(CAPACITY as u64);
        if let Some(store) = store {
            builder = builder.shared(store.build().expect("a store"));
        }
        if let Some(copies) = copies {
            builder = builder.memory_copies(copies);
        }
        Ours(builder.build().expect("a cache"))
    }
}

impl Way for Ours {
    async fn get(&self, id: u64) -> Product {
        self.0.scope(get(id)).await
    }

    async fn batch(&self, ids: &[u64]) -> usize {
        self.0.scope(get_many(ids)).await.len()
    }
}

/// The `redis` crate, and JSON, by hand.
#[derive(Clone)]
pub(super) struct Plain {
    connection: MultiplexedConnection,
    /// What drives the connection, where that is not the caller's runtime.
    _driver: Option<Arc<Runtime>>,
}

impl Plain {
    pub(super) async fn new(url: &str) -> Self {
        let client = redis::Client::open(url).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await;
        Plain {
            connection: connection.expect("a connection"),
            _driver: None,
        }
    }

    /// With a thread that drives the connection.
    pub(super) async fn elsewhere(url: &str) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let url = url.to_owned();
        let made = runtime.spawn(async move { Plain::new(&url).await });
        Plain {
            _driver: Some(Arc::new(runtime)),
            ..made.await.expect("a connection")
        }
    }
}

fn key(id: u64) -> String {
    format!("plain:product:{id}")
}

fn decode(bytes: &[u8]) -> Product {
    serde_json::from_slice(bytes).expect("what was stored")
}

impl Way for Plain {
    async fn get(&self, id: u64) -> Product {
        let (mut connection, key) = (self.connection.clone(), key(id));
        let found: Option<Vec<u8>> = connection.get(&key).await.expect("an answer");
        if let Some(found) = found {
            return decode(&found);
        }
        let product = product::product(id);
        let bytes = serde_json::to_vec(&product).expect("JSON");
        let stored = connection.set_ex::<_, _, ()>(key, bytes, TIMEOUT.as_secs());
        stored.await.expect("an answer");
        product
    }

    async fn batch(&self, ids: &[u64]) -> usize {
        let keys: Vec<String> = ids.iter().map(|id| key(*id)).collect();
        let found: Vec<Vec<u8>> = self.connection.clone().mget(keys).await.expect("an answer");
        let products: Vec<Product> = found.iter().map(|found| decode(found)).collect();
        std::hint::black_box(products).len()
    }
}

/// `cached`, its asynchronous store.
#[derive(Clone)]
pub(super) struct Theirs(Arc<AsyncRedisCache<u64, Product>>);

impl Theirs {
    pub(super) async fn new(url: &str) -> Self {
        let cache = AsyncRedisCache::builder("product")
            .ttl(TIMEOUT)
            .connection_string(url)
            .build()
            .await;
        Theirs(Arc::new(cache.expect("a cache")))
    }
}

impl Way for Theirs {
    async fn get(&self, id: u64) -> Product {
        if let Some(found) = self.0.async_cache_get(&id).await.expect("an answer") {
            return found;
        }
        let product = product::product(id);
        let stored = self.0.async_cache_set(id, product.clone()).await;
        drop(stored.expect("an answer"));
        product
    }

    async fn batch(&self, ids: &[u64]) -> usize {
        // It has nothing for many keys; so they are asked for side by side.
        join_all(ids.iter().map(|id| self.get(*id))).await.len()
    }
}
