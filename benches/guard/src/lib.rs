//! The hits that are guarded: what most calls of the library are, one of each kind.
//!
//! Each goes through the default cache, like a user's, or through that of a scope, and is done a
//! number of times in a loop of its own. Nothing here counts allocations: the program whose instructions are counted has the
//! allocator that users have.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use dewar::{Cache, cached};

/// A guarded call: its name, and a function that makes it; what the number means is said below.
pub type Path = (&'static str, fn(u64));

/// Hits: each is made so many times.
pub const HITS: &[Path] = &[
    ("hit_u64", |times| repeat(times, || number(black_box(7)))),
    ("hit_str_u32_arc_str", |times| {
        let name = NAME.text();
        repeat(times, || text(black_box(name), black_box(7)))
    }),
    ("hit_async_u64", |times| {
        repeat(times, || ready(number_async(black_box(7))))
    }),
    ("hit_in_scope", |times| {
        CACHE.scope_blocking(|| repeat(times, || number(black_box(7))));
    }),
    ("hit_method_result_tags", |times| {
        let shop = Shop { tenant: 1 };
        repeat(times, || black_box(&shop).price(black_box(7)))
    }),
    ("hit_cache_get", |times| {
        let (cache, key) = (&*CACHE, KEY.text());
        repeat(times, || cache.blocking().get::<u64>(black_box(key)))
    }),
];

/// Calls that find nothing: each makes the n-th of them.
pub const MISSES: &[Path] = &[
    ("miss_u64", |n| {
        black_box(number(black_box(NEW + n)));
    }),
    ("miss_str_u32_arc_str", |n| {
        black_box(text(black_box("another name"), black_box(n as u32)));
    }),
];

/// Texts at the beginning of a page. `memcmp` takes another way, 8 instructions longer, where the
/// address of one text or that of the other may lie at the end of a page, and where a literal lies
/// depends on the folder in which this was built.
static NAME: Page<6> = Page(*b"a name");
static KEY: Page<7> = Page(*b"a key:7");

#[repr(align(4096))]
struct Page<const N: usize>([u8; N]);

impl<const N: usize> Page<N> {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII")
    }
}

/// Above all arguments of the hits.
const NEW: u64 = 1 << 32;

#[cached(timeout = 3600)]
fn number(n: u64) -> u64 {
    n * 2
}

#[cached(timeout = 3600)]
fn text(name: &str, id: u32) -> Arc<str> {
    format!("{name} {id}").into()
}

#[cached(timeout = 3600)]
async fn number_async(n: u64) -> u64 {
    n * 2
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Shop {
    tenant: u32,
}

impl Shop {
    #[cached(timeout = 3600, key_prefix = "shop:{self.tenant}:{id}", tags("prices"))]
    fn price(&self, id: u64) -> Result<Arc<u64>, String> {
        Ok(Arc::new(id + u64::from(self.tenant)))
    }
}

static CACHE: LazyLock<Cache> = LazyLock::new(|| {
    let clock = dewar::testing::ManualClock::new();
    let cache = Cache::builder()
        .clock(clock)
        .build()
        .expect("settings that make sense");
    let hour = std::time::Duration::from_secs(3_600);
    let stored = cache.blocking().set(KEY.text(), 7_u64, hour);
    stored.expect("a cache in memory");
    cache
});

fn repeat<T>(times: u64, mut call: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(call());
    }
}

/// Polls a future that is ready at once, where it is.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a hit is ready at once"),
    }
}
