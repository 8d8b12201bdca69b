//! An invalidation's way to the shared store, where there is one.

use std::task::{Context, Poll};

use crate::engine::Engine;
use crate::error::Error;
use crate::scope::ticks::Order;

#[cfg(not(feature = "stores"))]
pub(super) use none::Deliveries;
#[cfg(not(feature = "stores"))]
pub(crate) use none::names;
#[cfg(feature = "stores")]
pub(super) use shared::Deliveries;
#[cfg(feature = "stores")]
pub(crate) use shared::names;

#[cfg(not(feature = "stores"))]
mod none {
    use super::{Context, Engine, Error, Order, Poll};

    /// Nothing to deliver, to nobody.
    #[derive(Debug)]
    pub(crate) struct Deliveries;

    impl Deliveries {
        pub(crate) fn new() -> Self {
            Deliveries
        }

        pub(crate) fn announce(&mut self, _engine: &Engine, _order: &Order) {}

        pub(crate) fn poll(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }
    }

    /// What scopes would be called.
    pub(crate) mod names {
        pub(crate) fn level(_level: &str) -> String {
            String::new()
        }
        pub(crate) use level as function;
        pub(crate) use level as tag;
        #[cfg(feature = "tower")]
        pub(crate) use {level as layer, level as path, level as url};
        pub(crate) fn any_tag() -> String {
            String::new()
        }
        pub(crate) use any_tag as everything;
    }
}

#[cfg(feature = "stores")]
mod shared {
    use super::{Context, Engine, Error, Order, Poll};
    use crate::rt::BoxFuture;
    use crate::store::deliver::Delivery;

    /// What scopes are called on the store.
    pub(crate) mod names {
        pub(crate) use crate::store::names::{function, level, tag};
        #[cfg(feature = "tower")]
        pub(crate) use crate::store::names::{layer, path, url};

        pub(crate) fn any_tag() -> String {
            crate::store::names::ANY_TAG.to_owned()
        }

        pub(crate) fn everything() -> String {
            crate::store::names::EVERYTHING.to_owned()
        }
    }

    /// Invalidations on their way to the stores of one or more caches. Dropped before they are
    /// there, they go on in the background.
    pub(crate) struct Deliveries {
        announced: Vec<Delivery>,
        running: Option<BoxFuture<'static, Result<(), Error>>>,
    }

    impl Deliveries {
        pub(crate) fn new() -> Self {
            Deliveries {
                announced: Vec::new(),
                running: None,
            }
        }

        /// From now on nothing of it is read from the store.
        pub(crate) fn announce(&mut self, engine: &Engine, order: &Order) {
            if let Some(tier) = &engine.tier {
                let delivery = tier.announce(order.names.clone(), order.soft);
                self.announced.push(delivery);
            }
        }

        pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
            let announced = &mut self.announced;
            let deliver = || deliver(std::mem::take(announced));
            self.running.get_or_insert_with(deliver).as_mut().poll(cx)
        }
    }

    fn deliver(announced: Vec<Delivery>) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(async move {
            let mut result = Ok(());
            for delivery in announced {
                result = result.and(delivery.deliver().await);
            }
            result
        })
    }

    impl std::fmt::Debug for Deliveries {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Deliveries")
                .field("stores", &self.announced.len())
                .finish()
        }
    }
}
