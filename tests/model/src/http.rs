//! What a body on its way refers to, as far as `http/fill.rs` needs it: a handler's body is a
//! script, and what is stored are bytes.

#[allow(dead_code)]
#[path = "../../../cached-core/src/http/fill.rs"]
pub(crate) mod fill;

pub(crate) mod stored {
    use bytes::Bytes;

    pub(crate) struct Stored(pub(crate) Bytes);
}

pub(crate) mod body {
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use http_body::{Body, Frame};

    use crate::sync::{Arc, Mutex, lock};

    pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

    /// What happens next in a body.
    pub(crate) enum Next {
        Piece(&'static str),
        /// What follows comes when the gate is open.
        Behind(Arc<Gate>),
        Error,
    }

    /// The handler's body; it ends after its last step.
    pub(crate) struct Inner(pub(crate) VecDeque<Next>);

    impl Body for Inner {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            loop {
                match self.0.front() {
                    None => return Poll::Ready(None),
                    Some(Next::Behind(gate)) if !gate.is_open(cx) => return Poll::Pending,
                    Some(_) => {}
                }
                match self.0.pop_front() {
                    Some(Next::Piece(piece)) => {
                        let piece = Frame::data(Bytes::from_static(piece.as_bytes()));
                        return Poll::Ready(Some(Ok(piece)));
                    }
                    Some(Next::Error) => return Poll::Ready(Some(Err("cut".into()))),
                    Some(Next::Behind(_)) | None => {}
                }
            }
        }
    }

    /// Where a body waits for what it is made of.
    #[derive(Default)]
    pub(crate) struct Gate(Mutex<Way>);

    #[derive(Default)]
    struct Way {
        open: bool,
        /// Of the last who asked, as the contract of futures has it.
        waker: Option<Waker>,
    }

    impl Gate {
        fn is_open(&self, cx: &Context<'_>) -> bool {
            let mut way = lock(&self.0);
            if !way.open {
                way.waker = Some(cx.waker().clone());
            }
            way.open
        }

        pub(crate) fn open(&self) {
            let waker = {
                let mut way = lock(&self.0);
                way.open = true;
                way.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}
