//! Telling all processes, by publish and subscribe.

use std::task::{Poll, ready};

use ::redis::RedisError;
use futures_core::Stream;

use super::{Redis, command, link};
use crate::error::Error;
use crate::rt::{BoxFuture, io};
use crate::store::Push;

impl Redis {
    /// Channels are the server's, not the database's: the number keeps those of two databases
    /// apart.
    fn channel(&self, channel: &str) -> String {
        format!("{channel}@{}", self.0.config.database)
    }
}

impl Push for Redis {
    fn publish<'a>(
        &'a self,
        channel: &'a str,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Error>> {
        let mut publish = command("PUBLISH");
        publish.arg(self.channel(channel)).arg(message);
        let sent = self.send("publish", vec![publish]);
        Box::pin(async move { sent.await.map(drop) })
    }

    fn listen<'a>(
        &'a self,
        channel: &'a str,
        hear: &'a (dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> BoxFuture<'a, Error> {
        io::inside(async move {
            match self.hear_all(&self.channel(channel), hear).await {
                Ok(()) => Error::store("listen", "the connection was closed"),
                Err(error) => link::error("listen", &error),
            }
        })
    }
}

impl Redis {
    async fn hear_all(
        &self,
        channel: &str,
        hear: &(dyn Fn(Option<&[u8]>) + Send + Sync),
    ) -> Result<(), RedisError> {
        let mut listener = self.0.link.listener(channel).await?;
        listener.subscribe(channel).await?;
        hear(None);
        let mut messages = std::pin::pin!(listener.on_message());
        std::future::poll_fn(|cx| {
            while let Some(message) = ready!(messages.as_mut().poll_next(cx)) {
                hear(Some(message.get_payload_bytes()));
            }
            Poll::Ready(Ok(()))
        })
        .await
    }
}
