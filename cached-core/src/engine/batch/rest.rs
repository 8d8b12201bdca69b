//! The load of many keys, and what is left of it when its caller gives up.
//!
//! The whole load is one task, which tells those who wait for any of its keys. So whoever polls it
//! to its end does so for all of them: one who waits for one of the keys, or else the background.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::Led;
use super::load::Brought;
use crate::cache::current::Scoped;
use crate::engine::Engine;
use crate::engine::answers::Answers;
use crate::engine::flights::{Number, Orphan};
use crate::rt::BoxFuture;
use crate::sync::lock;

/// The load that a call polls in its own task, and leaves to others when it is dropped.
pub(super) struct Carried<R: Answers<Value: 'static> + 'static> {
    load: Option<BoxFuture<'static, Brought<R>>>,
    /// Where others find it who might take it over; nowhere if no key is the cache's business.
    listed: Option<Listed>,
}

/// A cache, and the number under which it lists a load.
#[derive(Clone)]
struct Listed {
    engine: Arc<Engine>,
    number: Number,
}

impl<R: Answers<Value: 'static> + 'static> Carried<R> {
    pub(super) fn new<F>(
        leads: Vec<Led<R::Key, R::Value>>,
        load: impl FnOnce(Vec<Led<R::Key, R::Value>>) -> F,
    ) -> Self
    where
        F: Future<Output = Brought<R>> + Send + 'static,
    {
        // They started together, under one number.
        let first = leads.iter().find_map(|led| led.lead.as_ref());
        let listed = first.and_then(|lead| {
            let (engine, number) = (lead.engine(), lead.number()?);
            Some(Listed { engine, number })
        });
        Carried {
            load: Some(Box::pin(load(leads))),
            listed,
        }
    }
}

/// Nothing in it is ever pinned in place.
impl<R: Answers<Value: 'static> + 'static> Unpin for Carried<R> {}

impl<R: Answers<Value: 'static> + 'static> Future for Carried<R> {
    type Output = Brought<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Brought<R>> {
        // Taken out, so that nobody is left a load that panicked.
        let Some(mut load) = self.load.take() else {
            return Poll::Pending;
        };
        let polled = load.as_mut().poll(cx);
        if polled.is_pending() {
            self.load = Some(load);
        }
        polled
    }
}

impl<R: Answers<Value: 'static> + 'static> Drop for Carried<R> {
    fn drop(&mut self) {
        let Some(load) = self.load.take() else { return };
        if let Some(listed) = self.listed.take() {
            drop(Rest::new(load, listed));
        }
    }
}

/// What is left of a load of many keys that has no caller any more; a task.
///
/// Dropped before its end, it goes on elsewhere: with one who waits, or in the background, unless
/// it came from there. Where there is neither, it ends, and says so to those who come to wait.
pub(crate) struct Rest<V: 'static> {
    task: Option<BoxFuture<'static, ()>>,
    listed: Listed,
    background: bool,
    values: PhantomData<fn() -> V>,
}

impl<V: 'static> Rest<V> {
    fn new<R>(load: BoxFuture<'static, Brought<R>>, listed: Listed) -> Self
    where
        R: Answers<Value = V> + 'static,
    {
        let of = Arc::clone(&listed.engine);
        let task = async move {
            if load.await.ill {
                crate::trace::background_failed(&of.name);
            }
        };
        Rest {
            task: Some(Box::pin(task)),
            listed,
            background: false,
            values: PhantomData,
        }
    }

    /// Leaves the task to whoever of those who wait for its keys is polled first.
    fn left_to_a_waiter(self) -> Option<Self> {
        let Listed { engine, number } = self.listed.clone();
        let parked = Parked(Arc::new(Mutex::new(Some(self))));
        let mut waited_for = false;
        for flight in engine.flights.all_of::<V>(number) {
            waited_for |= flight.park(Orphan::Rest(parked.clone()));
        }
        // One who has come to wait meanwhile may have it already.
        if waited_for { None } else { parked.take() }
    }
}

/// The rest of a load where all who wait for one of its keys can take it, once.
pub(crate) struct Parked<V: 'static>(Arc<Mutex<Option<Rest<V>>>>);

impl<V: 'static> Parked<V> {
    pub(crate) fn take(&self) -> Option<Rest<V>> {
        lock(&self.0).take()
    }
}

impl<V: 'static> Clone for Parked<V> {
    fn clone(&self) -> Self {
        Parked(Arc::clone(&self.0))
    }
}

impl<V: 'static> Future for Rest<V> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(mut task) = self.task.take() else {
            return Poll::Ready(());
        };
        let polled = task.as_mut().poll(cx);
        if polled.is_pending() {
            self.task = Some(task);
        }
        polled
    }
}

impl<V: 'static> Drop for Rest<V> {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        let rest: Rest<V> = Rest {
            task: Some(task),
            listed: self.listed.clone(),
            background: false,
            values: PhantomData,
        };
        let Some(mut rest) = rest.left_to_a_waiter() else {
            return;
        };
        if self.background {
            // There is nowhere left: the load ends, and tells the others as it is dropped.
            drop(rest.task.take());
            return;
        }
        rest.background = true;
        let runtime = Arc::clone(&rest.listed.engine.runtime);
        drop(runtime.spawn(Box::pin(Scoped::again(rest))));
    }
}
