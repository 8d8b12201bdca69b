//! What is cached: the same for everybody.

use std::cell::Cell;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::Arc;
use std::task::Poll;

thread_local! {
    static LOADS: Cell<u64> = const { Cell::new(0) };
}

/// How often a body ran on this thread.
pub fn loads() -> u64 {
    LOADS.get()
}

/// A number from a number.
pub fn number(n: u64) -> u64 {
    LOADS.set(LOADS.get() + 1);
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// A text from a text and a number.
pub fn text(name: &str, id: u32) -> Arc<str> {
    format!("{name} {id}").into()
}

/// A hundred bytes.
pub fn bytes(n: u64) -> Arc<Vec<u8>> {
    Arc::new(vec![n as u8; 100])
}

/// A number, after having waited with 4 KiB on the stack: a future of that size.
pub async fn large(n: u64) -> u64 {
    let buffer = black_box([n as u8; 4_096]);
    let mut waited = false;
    poll_fn(|cx| match std::mem::replace(&mut waited, true) {
        true => Poll::Ready(()),
        false => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
    number(n) + u64::from(black_box(&buffer)[n as usize % 4_096] & 1)
}
