//! A first look at everything.
use dewar::{cached, entry, invalidate, invalidates, testing};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[cached(timeout = 60, key_prefix = "user:{id}")]
async fn user(id: u64, name: &str) -> Result<String, String> {
    RUNS.fetch_add(1, SeqCst);
    if id == 0 {
        return Err("no".into());
    }
    Ok(format!("{id} {name}"))
}

#[cached]
fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

#[cached]
async fn afib(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        Box::pin(afib(n - 1)).await + Box::pin(afib(n - 2)).await
    }
}

struct Repo {
    tenant: u64,
}

impl Repo {
    #[cached(timeout = 60, skip(self), tags("tenant:{self.tenant}"))]
    fn get(&self, id: u64) -> Option<u64> {
        RUNS.fetch_add(1, SeqCst);
        (id > 0).then_some(id + self.tenant)
    }

    #[cached(timeout = "1m 30s")]
    fn make(id: u64) -> u64 {
        id
    }

    #[invalidates(self.get(id))]
    fn set(&self, id: u64) {
        let _ = id;
    }
}

trait Area {
    fn area(&self) -> u64;
}

#[derive(Hash, PartialEq, Eq, Clone)]
struct Square(u64);

impl Area for Square {
    #[cached]
    fn area(&self) -> u64 {
        RUNS.fetch_add(1, SeqCst);
        self.0 * self.0
    }
}

#[cached(skip(db))]
fn generic<T: std::hash::Hash + Eq + Clone + Send + Sync + 'static>(db: &str, x: T) -> usize {
    let _ = (db, x);
    size_of::<T>()
}

#[cached(batch = ids, key_prefix = "product:{ids}")]
async fn products(factor: u64, ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
    RUNS.fetch_add(ids.len(), SeqCst);
    Ok(ids.iter().map(|id| (*id, id * factor)).collect())
}

#[test]
fn it_works() {
    testing::isolated(|cache| {
        futures::executor::block_on(async {
            assert_eq!(user(1, "a").await.unwrap(), "1 a");
            assert_eq!(user(1, "a").await.unwrap(), "1 a");
            assert_eq!(RUNS.swap(0, SeqCst), 1);
            assert!(user(0, "a").await.is_err());
            assert!(user(0, "a").await.is_err());
            assert_eq!(RUNS.swap(0, SeqCst), 2);
            let id = 1;
            invalidate!(prefix = "user:{id}").await.unwrap();
            user(1, "a").await.unwrap();
            assert_eq!(RUNS.swap(0, SeqCst), 1);
            invalidate!(user(1, "a")).await.unwrap();
            assert_eq!(entry!(user(1, "a")).get().await, None);
            entry!(user(1, "a")).put(Ok("x".into())).await.unwrap();
            assert_eq!(user(1, "a").await.unwrap(), "x");
            invalidate!(user).await.unwrap();
            assert_eq!(user(1, "a").await.unwrap(), "1 a");
            assert_eq!(RUNS.swap(0, SeqCst), 1);
            assert_eq!(products(3, &[1, 2]).await.unwrap()[&2], 6);
            assert_eq!(products(3, &[1, 2, 3]).await.unwrap()[&3], 9);
            assert_eq!(RUNS.swap(0, SeqCst), 3);
            invalidate!(products(3, &[1])).await.unwrap();
            products(3, &[1, 2, 3]).await.unwrap();
            assert_eq!(RUNS.swap(0, SeqCst), 1);
            assert_eq!(afib(80).await, 23416728348467685);
        });
        assert_eq!(fib(80), 23416728348467685);
        let repo = Repo { tenant: 5 };
        assert_eq!(
            (repo.get(1), repo.get(1), repo.get(0)),
            (Some(6), Some(6), None)
        );
        assert_eq!(Repo { tenant: 6 }.get(1), Some(7));
        repo.set(1);
        RUNS.store(0, SeqCst);
        repo.get(1);
        assert_eq!(RUNS.swap(0, SeqCst), 1);
        invalidate!(Repo::make(1), tag = "x").wait().unwrap();
        Repo::make(1);
        assert_eq!((generic("", 1u8), generic("", 1u16)), (1, 2));
        invalidate!(generic::<u8>(_, 1)).wait().unwrap();
        assert_eq!(
            (Square(2).area(), Square(3).area(), Square(2).area()),
            (4, 9, 4)
        );
        cache.advance(Duration::from_secs(61));
        println!("{}", cache.stats());
        for (name, stats) in cache.function_stats() {
            println!("{name}: {stats}");
        }
    });
}
