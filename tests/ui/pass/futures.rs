//! Futures: recursive, not `Send`, `Send`.

use std::rc::Rc;

use dewar::{cached, entry, invalidate, invalidates};

#[cached(timeout = 60)]
async fn fib(n: u64) -> u64 {
    match n {
        0 | 1 => n,
        _ => Box::pin(fib(n - 1)).await + Box::pin(fib(n - 2)).await,
    }
}

#[cached(timeout = 60)]
async fn not_send(id: u64) -> u64 {
    let held = Rc::new(id);
    std::future::ready(()).await;
    *held
}

#[cached(timeout = 60, stale_while_revalidate = "1m")]
async fn sent(id: u64, name: String) -> Result<u64, String> {
    std::future::ready(()).await;
    Ok(id + name.len() as u64)
}

#[cached(timeout = 60, key = name)]
async fn borrows(name: &str, by: &dyn Fn(&str) -> usize) -> usize {
    by(name)
}

#[invalidates(fib(n), not_send(n))]
async fn forget(n: u64) -> u64 {
    let held = Rc::new(n);
    std::future::ready(()).await;
    *held
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn all_of_them() {
    futures::executor::block_on(async {
        assert_eq!(fib(20).await, 6765);
        assert_eq!(not_send(2).await, 2);
        assert_eq!(is_send(sent(1, "a".into())).await, Ok(2));
        assert_eq!(borrows("abc", &|name| name.len()).await, 3);
        assert_eq!(forget(2).await, 2);
        assert!(!entry!(fib(2)).contains().await);
        invalidate!(sent(1, "a".into())).await.unwrap();
        assert!(!entry!(sent(1, "a".into())).contains().await);
    });
}
