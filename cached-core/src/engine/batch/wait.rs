//! Waiting for keys that others load.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Missing;
use super::rest::Rest;
use super::rows::Rows;
use super::share::Shared;
use crate::clock::Sleep;
use crate::engine::flight::News;
use crate::engine::flights::{Landing, Orphan};
use crate::engine::run::throttle;
use crate::engine::wait::Joined;

/// What came of waiting for one key.
pub(super) enum Told<K, V: 'static> {
    /// What there is.
    Rows(Missing<K, V>, Rows<V>),
    /// The load brought nothing for this key.
    Absent(Missing<K, V>),
    /// Enter it once more.
    Again(Missing<K, V>),
    /// The load failed, and nothing stands in for this key.
    Failed(Missing<K, V>, Arc<Shared>),
}

/// The wait for several keys at once, for a bounded time.
pub(super) struct Waits<K, V: 'static> {
    joins: Vec<(Missing<K, V>, Joined<V>)>,
    told: Vec<Told<K, V>>,
    /// What others left behind, which is this caller's to run now.
    rests: Vec<Rest<V>>,
    limit: Option<Sleep>,
}

impl<K, V: 'static> Waits<K, V> {
    pub(super) fn new(joins: Vec<(Missing<K, V>, Joined<V>)>) -> Self {
        Waits {
            joins,
            told: Vec::new(),
            rests: Vec::new(),
            limit: None,
        }
    }

    /// Asks after every key; returns whether another's load was taken over.
    fn ask(&mut self, cx: &mut Context<'_>) -> bool {
        let mut taken = false;
        for (missing, mut joined) in std::mem::take(&mut self.joins) {
            match joined.poll_news(cx) {
                Poll::Pending => self.joins.push((missing, joined)),
                Poll::Ready(News::Landed(landing)) => self.told.push(Told::of(missing, landing)),
                Poll::Ready(News::TakeOver(Orphan::Rest(rest))) => {
                    self.rests.extend(rest.take());
                    self.joins.push((missing, joined));
                    taken = true;
                }
                // A batch leaves nothing else behind.
                Poll::Ready(News::Gone | News::TakeOver(Orphan::Half(_))) => {
                    self.told.push(Told::Again(missing));
                }
            }
        }
        taken
    }

    /// The load of some key takes too long: this caller loads what is left beside the others.
    fn give_up(&mut self) {
        let late = self.joins.drain(..).map(|(mut missing, _)| {
            missing.alone = true;
            Told::Again(missing)
        });
        self.told.extend(late);
    }

    fn overdue(&mut self, cx: &mut Context<'_>) -> bool {
        // One who runs the load does not wait for it.
        let Some((_, joined)) = self.joins.first().filter(|_| self.rests.is_empty()) else {
            return false;
        };
        let limit = self.limit.get_or_insert_with(|| joined.limit());
        Pin::new(limit).poll(cx).is_ready()
    }
}

impl<K, V: 'static> Told<K, V> {
    fn of(mut missing: Missing<K, V>, landing: Landing<V>) -> Self {
        let error = match landing {
            Landing::Shared(share) => return Told::Rows(missing, Rows::One(share())),
            Landing::Rows(rows) if rows.is_empty() => return Told::Absent(missing),
            Landing::Rows(rows) => {
                let rows = rows.iter().map(|share| share()).collect();
                return Told::Rows(missing, Rows::Several(rows));
            }
            Landing::Failed(error) => Some(error),
            Landing::Alone { failed: true } => None,
            Landing::Alone { failed: false } => {
                missing.alone = true;
                return Told::Again(missing);
            }
        };
        if let Ok(load) = &missing.load
            && let Some(stale) = load.stale()
        {
            throttle(&**load);
            load.base().counters.fallbacks.one();
            return Told::Rows(missing, Rows::One(stale));
        }
        missing.alone = true;
        match error {
            Some(error) => Told::Failed(missing, error),
            None => Told::Again(missing),
        }
    }
}

/// Nothing in it is ever pinned in place.
impl<K, V: 'static> Unpin for Waits<K, V> {}

impl<K, V: 'static> Future for Waits<K, V> {
    type Output = Vec<Told<K, V>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            this.rests
                .retain_mut(|rest| Pin::new(rest).poll(cx).is_pending());
            if !this.ask(cx) {
                break;
            }
        }
        if this.overdue(cx) {
            this.give_up();
        }
        let failed = this
            .told
            .iter()
            .any(|told| matches!(told, Told::Failed(..)));
        if failed || this.joins.is_empty() {
            return Poll::Ready(std::mem::take(&mut this.told));
        }
        Poll::Pending
    }
}
