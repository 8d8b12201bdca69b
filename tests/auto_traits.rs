//! What may be sent and shared between threads: a promise to users.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Waker};

use dewar::testing::{ManualClock, TestCache, isolated};
use dewar::{
    Blocking, Cache, CacheBuilder, Error, Expiry, Invalidated, Invalidation, Label, Stats,
    TimedOut, cached, entry,
};

fn shared<T: Send + Sync>() {}
fn sent<T: Send>(_: &T) {}

/// Says of a value whether it is `Send`, without asking for it: `Ask(&value).is_send()`.
struct Ask<'a, T>(&'a T);

impl<T: Send> Ask<'_, T> {
    fn is_send(&self) -> bool {
        sent(self.0);
        true
    }
}

trait Otherwise {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T> Otherwise for Ask<'_, T> {}

#[cached]
async fn free(text: &str) -> usize {
    std::future::ready(()).await;
    text.len()
}

#[cached(skip(local))]
async fn local(local: Rc<Cell<u64>>, id: u64) -> u64 {
    std::future::ready(()).await;
    local.set(local.get() + 1);
    id
}

#[cached]
async fn generic<T: Clone + Eq + std::hash::Hash + Send + Sync + 'static>(value: T) -> usize {
    let _ = value;
    size_of::<T>()
}

struct Service;

impl Service {
    #[cached(skip(self))]
    async fn method(&self, id: u64) -> u64 {
        id
    }
}

#[test]
fn public_types_are_send_and_sync() {
    shared::<Cache>();
    shared::<TestCache>();
    shared::<ManualClock>();
    shared::<Blocking<'static>>();
    shared::<CacheBuilder>();
    shared::<Error>();
    shared::<TimedOut>();
    shared::<Stats>();
    shared::<Label>();
    shared::<Expiry>();
    shared::<Invalidation>();
    fn only_sent<T: Send>() {}
    only_sent::<Invalidated>();
}

#[test]
fn the_future_of_a_function_is_send_where_its_body_is() {
    sent(&free("a"));
    sent(&generic(1_u8));
    sent(&Service.method(1));
    sent(&entry!(free("a")).refresh());
    assert!(Ask(&free("a")).is_send());
    assert!(!Ask(&local(Rc::default(), 1)).is_send());
}

#[test]
fn a_body_that_stays_on_its_thread_is_cached_all_the_same() {
    isolated(|cache| {
        let count = Rc::new(Cell::new(0));
        for _ in 0..3 {
            let mut call = std::pin::pin!(local(Rc::clone(&count), 5));
            assert!(
                call.as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_ready()
            );
        }
        assert_eq!((count.get(), cache.stats().hits), (1, 2));
    });
}

#[test]
fn the_operations_of_a_cache_are_send() {
    let cache = Cache::builder().build().unwrap();
    sent(&cache.get::<String>("k"));
    sent(&cache.set("k", 1, Expiry::Never));
    sent(&cache.get_or_load("k", Expiry::Never, async || Ok::<_, Error>(1)));
    let many = async |_| Ok::<_, Error>(HashMap::from([("k".to_owned(), 1)]));
    sent(&cache.get_or_load_many(&["k"], Expiry::Never, many));
    sent(&cache.scope(free("a")));
}
