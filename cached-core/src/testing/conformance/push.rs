//! What a store has to do that tells other processes something.

use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::Poll;

use super::{Suite, check, failed, pause};
use crate::error::Error;
use crate::store::Push;
use crate::sync::lock;

type Heard = Mutex<Vec<Vec<u8>>>;

/// Tries out the channel, if there is one.
pub(super) async fn conformance(suite: &Suite<'_>) -> Result<(), Error> {
    let (Some(speaker), Some(listener)) = (suite.one.push(), suite.other.push()) else {
        return Ok(());
    };
    let (channel, elsewhere) = (suite.key("channel"), suite.key("elsewhere"));
    let heard: Heard = Mutex::default();
    let begun = Mutex::new(0);
    let hear = |message: Option<&[u8]>| match message {
        None => *lock(&begun) += 1,
        Some(message) => lock(&heard).push(message.to_vec()),
    };
    let listening = listener.listen(&channel, &hear);
    let speaking = speak(suite, speaker, (&channel, &elsewhere), &heard, &begun);
    let (mut listening, mut speaking) = (pin!(listening), pin!(speaking));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(done) = speaking.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        listening.as_mut().poll(cx).map(Err)
    })
    .await
}

async fn speak(
    suite: &Suite<'_>,
    speaker: &dyn Push,
    (channel, elsewhere): (&str, &str),
    heard: &Heard,
    begun: &Mutex<usize>,
) -> Result<(), Error> {
    until("say that listening has begun", || *lock(begun) == 1).await?;
    let item = suite.item("told", "value");
    suite.one.set_many(vec![item]).await?;
    let messages: Vec<Vec<u8>> = (0..50u8).map(|n| vec![n, 0, b'\r', b'\n', 255]).collect();
    for message in &messages {
        speaker.publish(elsewhere, b"not for you").await?;
        speaker.publish(channel, message).await?;
    }
    let what = "have messages heard in their order, and none of other channels";
    until(what, || lock(heard).len() >= messages.len()).await?;
    check(what, *lock(heard) == messages)?;
    let there = Some(&b"value"[..]);
    suite
        .expect("have stored what came before a message", "told", there)
        .await
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Error> {
    for _ in 0..200 {
        if holds() {
            return Ok(());
        }
        pause(20).await;
    }
    Err(failed(what))
}
