//! `http/fill.rs`: a body that a client reads and others wait for, polled by whoever comes first.
//! The client is given every piece and then the end, and nobody waits for ever.

use std::task::{Context, Poll, Waker};

use http_body::SizeHint;

use crate::http::body::{Gate, Inner, Next};
use crate::http::fill::{Fill, Reader, Whole};
use crate::http::stored::Stored;
use crate::run::{Bell, Job, Seen, explore, spawn};
use crate::sync::Arc;

/// A body of no known length; what is longer than three bytes is not stored.
fn fill(steps: impl IntoIterator<Item = Next>) -> Arc<Fill> {
    let finish = |whole: Option<bytes::Bytes>| whole.map(|whole| Arc::new(Stored(whole)));
    Fill::new(
        Inner(steps.into_iter().collect()),
        None,
        3,
        Box::new(finish),
    )
}

fn note(seen: &Seen, who: &str, waited: bool) {
    let when = if waited { "after waiting" } else { "at once" };
    seen.note(format!("{who} ends {when}"));
}

/// Starts a client that reads to the end; what it was given, with `!` where the body was cut short,
/// and the body, as it wakes the others when it is dropped.
fn client(fill: &Arc<Fill>, seen: &Seen) -> Job<(String, Reader)> {
    let (mut reader, seen) = (
        Reader::new(Arc::clone(fill), SizeHint::default()),
        seen.clone(),
    );
    spawn(move || {
        let bell = Bell::here();
        let waker = Waker::from(Arc::clone(&bell));
        let (mut text, mut waited) = (String::new(), false);
        loop {
            match reader.poll_frame(&mut Context::from_waker(&waker)) {
                Poll::Pending => {
                    waited = true;
                    bell.wait();
                    continue;
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let piece = frame.into_data().unwrap_or_default();
                    text.push_str(&String::from_utf8_lossy(&piece));
                    continue;
                }
                Poll::Ready(Some(Err(_))) => text.push('!'),
                Poll::Ready(None) => {}
            }
            note(&seen, "the client", waited);
            return (text, reader);
        }
    })
}

/// Starts a client that asks once and is gone.
fn gone(fill: &Arc<Fill>) -> Job<()> {
    let mut reader = Reader::new(Arc::clone(fill), SizeHint::default());
    spawn(move || {
        let waker = Waker::from(Bell::here());
        let _ = reader.poll_frame(&mut Context::from_waker(&waker));
        // Of this thread: what is dropped with the closure is dropped elsewhere.
        drop(reader);
    })
}

/// Starts one who waits for the whole; what is stored, or what became of it.
fn waiter(fill: &Arc<Fill>, seen: &Seen) -> Job<String> {
    let (fill, seen) = (Arc::clone(fill), seen.clone());
    spawn(move || {
        let bell = Bell::here();
        let waker = Waker::from(Arc::clone(&bell));
        let (mut whole, mut waited) = (Box::pin(fill.whole()), false);
        let whole = loop {
            match whole.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(whole) => break whole,
                Poll::Pending => {
                    waited = true;
                    bell.wait();
                }
            }
        };
        note(&seen, "the other", waited);
        match whole {
            Whole::Stored(stored) => String::from_utf8_lossy(&stored.0).into_owned(),
            Whole::Unstored => "unstored".to_owned(),
            Whole::Cut => "cut".to_owned(),
        }
    })
}

const ALL: [&str; 4] = [
    "the client ends after waiting",
    "the client ends at once",
    "the other ends after waiting",
    "the other ends at once",
];

fn at_once(steps: fn() -> Vec<Next>, read: &'static str, known: &'static str) {
    explore(Some(3), &ALL, move |seen| {
        let fill = fill(steps());
        let (client, other) = (client(&fill, seen), waiter(&fill, seen));
        let (text, _body) = client.join();
        assert_eq!(text, read, "what the client was given");
        assert_eq!(other.join(), known, "what became of it");
    });
}

/// The body is there at once, and two read it.
pub fn a_client_and_one_who_waits() {
    at_once(|| vec![Next::Piece("a"), Next::Piece("b")], "ab", "ab");
}

/// It turns out to be too long while two read it.
pub fn a_client_and_one_who_waits_for_too_long_a_body() {
    at_once(
        || vec![Next::Piece("abc"), Next::Piece("d")],
        "abcd",
        "unstored",
    );
}

/// It is cut short while two read it.
pub fn a_client_and_one_who_waits_for_a_body_that_is_cut() {
    at_once(|| vec![Next::Piece("a"), Next::Error], "a!", "cut");
}

/// The body comes while two wait for it: both are woken, whoever of them asked last.
pub fn a_body_that_comes_to_a_client_and_one_who_waits() {
    explore(Some(2), &ALL, |seen| {
        let gate = Arc::<Gate>::default();
        let fill = fill([Next::Behind(Arc::clone(&gate)), Next::Piece("a")]);
        let (client, other) = (client(&fill, seen), waiter(&fill, seen));
        gate.open();
        let (text, _body) = client.join();
        assert_eq!((text.as_str(), other.join().as_str()), ("a", "a"));
    });
}

/// The client is gone, perhaps when it was to go on: who waits does.
pub fn a_body_that_comes_when_its_client_is_gone() {
    explore(
        Some(2),
        &["the other ends after waiting", "the other ends at once"],
        |seen| {
            let gate = Arc::<Gate>::default();
            let fill = fill([Next::Behind(Arc::clone(&gate)), Next::Piece("a")]);
            let (gone, other) = (gone(&fill), waiter(&fill, seen));
            gate.open();
            gone.join();
            assert_eq!(other.join(), "a");
        },
    );
}
