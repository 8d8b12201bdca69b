//! `#[invalidates]` on a function that does not return.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use dewar::{cached, invalidates, testing};

static SOURCE: AtomicU64 = AtomicU64::new(0);

#[cached(timeout = 60, key_prefix = "unfinished")]
fn read() -> u64 {
    SOURCE.load(SeqCst)
}

#[invalidates(prefix = "unfinished")]
fn write_and_panic() {
    SOURCE.fetch_add(1, SeqCst);
    panic!("after the write");
}

#[invalidates(prefix = "unfinished")]
async fn write_and_hang() {
    SOURCE.fetch_add(1, SeqCst);
    std::future::pending::<()>().await;
}

#[invalidates(prefix = "unfinished")]
fn refuse() -> Result<(), String> {
    Err("nothing was written".into())
}

#[test]
fn what_was_written_before_a_panic_or_a_cancellation_is_seen() {
    testing::isolated(|cache| {
        let before = read();
        assert!(std::panic::catch_unwind(write_and_panic).is_err());
        assert_eq!(read(), before + 1);

        let mut hanging = Box::pin(write_and_hang());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(hanging.as_mut().poll(&mut cx).is_pending());
        assert_eq!(read(), before + 1, "it is not over yet");
        drop(hanging);
        assert_eq!(read(), before + 2);

        let loads = cache.stats().loads;
        assert!(refuse().is_err());
        read();
        assert_eq!(cache.stats().loads, loads, "an error changed nothing");
    });
}
