//! Writing entries: as they come, or only where nothing has changed meanwhile.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::envelope::{EVER, Envelope};
use super::guard::Budget;
use super::lasting::Lasting;
use super::names::Names;
use super::tier::Tier;
use super::versions::Versions;
use super::{Found, Item};
use crate::clock::{NEVER, Nanos, nanos};
use crate::codec::Format;
use crate::error::Error;
use crate::sync::lock;

/// An entry to be written.
#[derive(Clone)]
pub(crate) struct Written<'a> {
    pub(crate) names: &'a Names,
    pub(crate) versions: Versions,
    pub(crate) value: Vec<u8>,
    pub(crate) format: Format,
    pub(crate) lifetime: Nanos,
    /// How long it may be served after that.
    pub(crate) stale: Nanos,
    /// How long it is of use to any process, all in all.
    pub(crate) useful: Nanos,
}

impl<'a> Written<'a> {
    /// Whose versions have to live, and for how long.
    fn needs(&self) -> (&'a Names, Nanos) {
        (self.names, self.useful)
    }
}

impl Tier {
    /// Writes entries, each under the versions that were read before its body ran.
    ///
    /// # Errors
    /// The store did not confirm; or one was left out, as what concerns it is undelivered, or as it
    /// cannot be written as it is to be.
    pub(crate) async fn write(
        &self,
        budget: &Budget,
        mut entries: Vec<Written<'_>>,
    ) -> Result<(), Error> {
        let all = entries.len();
        entries.retain(|entry| self.may_write(entry));
        let needed = Lasting::of(self, entries.iter().map(Written::needs));
        let items: Vec<Item> = entries
            .into_iter()
            .filter_map(|entry| self.item(entry))
            .collect();
        let left_out = || {
            let why = "an invalidation is on its way there, or it cannot be sealed";
            Error::refused("store a value", why)
        };
        let whole = (items.len() == all).then_some(()).ok_or_else(left_out);
        if !items.is_empty() {
            let written = self.guard.run(budget, self.store().set_many(items));
            self.keeping(budget, needed, written).await?;
        }
        whole
    }

    /// Writes entries, each where the store has exactly these bytes still, or nothing; says for
    /// each whether it has something else by now.
    pub(crate) async fn fill(
        &self,
        budget: &Budget,
        entries: Vec<(Written<'_>, Found)>,
    ) -> Vec<bool> {
        let needed = Lasting::of(self, entries.iter().map(|(entry, _)| entry.needs()));
        let mut overtaken = vec![false; entries.len()];
        let (mut new, mut swaps) = (Vec::new(), Vec::new());
        for (at, (entry, raw)) in entries.into_iter().enumerate() {
            let item = self.may_write(&entry).then(|| self.item(entry)).flatten();
            match (item, raw) {
                (Some(item), None) => new.push((at, item)),
                (Some(item), Some(raw)) => swaps.push((at, raw, item)),
                (None, _) => {}
            }
        }
        let (places, new): (Vec<_>, Vec<_>) = new.into_iter().unzip();
        let add = async {
            match new.is_empty() {
                true => None,
                false => self.add(budget, new).await,
            }
        };
        let swapped = swaps.into_iter().map(|(at, raw, item)| {
            let put = self.put(budget, Some(raw), item);
            Box::pin(async move { (at, put.await) })
        });
        let filled = async { (add.await, crate::rt::all(swapped).await) };
        let (added, swapped) = self.keeping(budget, needed, filled).await;
        for (at, added) in places.into_iter().zip(added.into_iter().flatten()) {
            overtaken[at] = !added;
        }
        for (at, swapped) in swapped {
            overtaken[at] = matches!(swapped, Ok(false));
        }
        overtaken
    }

    /// Whether nothing of an entry is being invalidated right now.
    fn may_write(&self, entry: &Written<'_>) -> bool {
        !lock(&self.journal).concerns(entry.names.scopes())
    }

    /// Does something that writes, and has these versions live long enough meanwhile.
    async fn keeping<T>(
        &self,
        budget: &Budget,
        needed: Lasting,
        writing: impl Future<Output = T>,
    ) -> T {
        match needed.is_empty() {
            true => writing.await,
            false => both(writing, needed.extend(self, budget)).await,
        }
    }

    /// What is to be stored for an entry; none if it cannot be written as it is to be.
    pub(crate) fn item(&self, entry: Written<'_>) -> Option<Item> {
        let key = self.entry_key(&entry.names.key);
        let millis = |nanos: Nanos| match nanos {
            NEVER => EVER,
            nanos => nanos / 1_000_000,
        };
        let envelope = Envelope {
            format: entry.format,
            written: self.guard.clock().wall_millis(),
            fresh: millis(entry.lifetime),
            stale: millis(entry.stale),
            versions: entry.versions.bytes().into(),
            key: &key,
            value: entry.value.into(),
        };
        let value = envelope.close(&self.writing)?;
        let ttl = (entry.useful != NEVER).then(|| Duration::from_nanos(entry.useful));
        Some(Item { key, value, ttl })
    }

    /// Puts an item in the place of exactly these bytes, or of nothing; says whether it did.
    ///
    /// # Errors
    /// The store did not answer, or refused.
    pub(crate) async fn put(&self, budget: &Budget, raw: Found, item: Item) -> Result<bool, Error> {
        match raw {
            Some(raw) => self.guard.run(budget, self.store().swap(raw, item)).await,
            None => {
                let added = self.store().add_many(vec![item]);
                Ok(self.guard.run(budget, added).await? == [true])
            }
        }
    }

    /// The same for an item of an entry that is of use for longer than what it takes the place of.
    ///
    /// # Errors
    /// As for that.
    pub(crate) async fn put_for_longer(
        &self,
        budget: &Budget,
        raw: Found,
        item: Item,
        names: &Names,
    ) -> Result<bool, Error> {
        let useful = item.ttl.map_or(NEVER, nanos);
        let needed = Lasting::of(self, std::iter::once((names, useful)));
        let put = self.put(budget, raw, item);
        self.keeping(budget, needed, put).await
    }

    /// Stores items where there is nothing; none if the store does not say what became of it.
    pub(crate) async fn add(&self, budget: &Budget, items: Vec<Item>) -> Option<Vec<bool>> {
        let added = self.store().add_many(items);
        self.guard.try_run(budget, added).await
    }

    /// The bytes at a key; none if the store does not say.
    pub(crate) async fn raw(&self, budget: &Budget, key: &str) -> Option<Found> {
        let keys = [key.to_owned()];
        let found = self.store().get_many(&keys);
        self.guard.try_run(budget, found).await?.pop()
    }

    /// Frees what entries take that are about to be void.
    pub(crate) async fn remove(&self, entries: &[&Names]) {
        let keys: Vec<String> = entries.iter().map(|e| self.entry_key(&e.key)).collect();
        let removed = self.store().delete_many(&keys);
        self.guard.try_run(&self.budget(), removed).await;
    }
}

/// Runs two operations at once; what the first brings.
pub(super) async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> A {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, false);
    std::future::poll_fn(|cx| {
        if first.is_none()
            && let Poll::Ready(ready) = one.as_mut().poll(cx)
        {
            first = Some(ready);
        }
        second = second || other.as_mut().poll(cx).is_ready();
        match second {
            true => first.take().map_or(Poll::Pending, Poll::Ready),
            false => Poll::Pending,
        }
    })
    .await
}
