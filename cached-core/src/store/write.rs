//! Writing entries: as they come, or only where nothing has changed meanwhile.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::envelope::{EVER, Envelope};
use super::guard::Budget;
use super::journal::Concern;
use super::lasting::Lasting;
use super::names::Names;
use super::tier::{GONE, Tier};
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

/// Why an entry is not written.
enum LeftOut {
    /// Something of it is being invalidated by this process, or is to be.
    Overtaken,
    /// It cannot be written as it is to be.
    Refused,
}

impl<'a> Written<'a> {
    /// Whose versions have to live, and for how long.
    fn needs(&self) -> (&'a Names, Nanos) {
        (self.names, self.useful)
    }
}

impl Tier {
    /// Writes an entry under the versions that were read before its body ran, whatever is there.
    ///
    /// # Errors
    /// The store did not confirm; or it was left out, as what concerns it is undelivered, or as it
    /// cannot be written as it is to be.
    pub(crate) async fn write(&self, budget: &Budget, entry: &Written<'_>) -> Result<(), Error> {
        let item = self.writable(entry).map_err(|_| left_out())?;
        let needed = Lasting::of(self, std::iter::once(entry.needs()));
        let written = self.guard.run(budget, self.store().set_many(vec![item]));
        self.keeping(budget, needed, written).await
    }

    /// Writes entries under the versions that were read before their bodies ran, each where the
    /// store has exactly these bytes still, or nothing; says for each whether it has something else
    /// by now.
    ///
    /// # Errors
    /// As for one; the others may be there.
    pub(crate) async fn fill(
        &self,
        budget: &Budget,
        entries: &[(Written<'_>, Found)],
    ) -> Result<Vec<bool>, Error> {
        let mut overtaken = vec![false; entries.len()];
        let (mut added, mut new) = (Vec::new(), Vec::new());
        let (mut swapped, mut swaps) = (Vec::new(), Vec::new());
        let mut whole = true;
        for (at, (entry, raw)) in entries.iter().enumerate() {
            match (self.writable(entry), raw) {
                (Ok(item), None) => {
                    added.push(at);
                    new.push(item);
                }
                (Ok(item), Some(raw)) => {
                    swapped.push(at);
                    swaps.push((raw.clone(), item));
                }
                (Err(LeftOut::Overtaken), _) => overtaken[at] = true,
                (Err(LeftOut::Refused), _) => whole = false,
            }
        }
        let needed = Lasting::of(self, entries.iter().map(|(entry, _)| entry.needs()));
        let add = async {
            match new.is_empty() {
                true => Ok(Vec::new()),
                false => (self.guard).run(budget, self.store().add_many(new)).await,
            }
        };
        let swap = async {
            match swaps.is_empty() {
                true => Ok(Vec::new()),
                false => {
                    (self.guard)
                        .run(budget, self.store().swap_many(swaps))
                        .await
                }
            }
        };
        let filled = self.keeping(budget, needed, side_by_side(add, swap));
        let (done, exchanged) = filled.await;
        let each = added.into_iter().zip(done?);
        for (at, done) in each.chain(swapped.into_iter().zip(exchanged?)) {
            overtaken[at] = !done;
        }
        whole.then_some(overtaken).ok_or_else(left_out)
    }

    /// What is to be stored for an entry, unless something of it is being invalidated.
    fn writable(&self, entry: &Written<'_>) -> Result<Item, LeftOut> {
        match lock(&self.journal).concerns(entry.names.scopes()) {
            Concern::None => {}
            Concern::Held | Concern::Waits => return Err(LeftOut::Overtaken),
        }
        self.item(entry).ok_or(LeftOut::Refused)
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
    pub(crate) fn item(&self, entry: &Written<'_>) -> Option<Item> {
        let key = self.key_of(entry.names);
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
            value: entry.value.as_slice().into(),
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

    /// Puts an item in the place of whatever is there.
    ///
    /// # Errors
    /// As for that.
    #[cfg(feature = "tower")]
    pub(crate) async fn set_over(&self, budget: &Budget, item: Item) -> Result<(), Error> {
        (self.guard)
            .run(budget, self.store().set_many(vec![item]))
            .await
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

    /// Frees what entries take that are void by now, where the store has exactly these bytes still.
    pub(crate) async fn free(&self, entries: &[&Names], raw: Vec<Found>) {
        let nothing = |names: &Names| Item {
            key: self.key_of(names),
            value: GONE.to_vec(),
            ttl: Some(Duration::from_secs(1)),
        };
        let void = entries.iter().zip(raw);
        let void = void.filter_map(|(names, raw)| Some((raw?, nothing(names))));
        let void: Vec<_> = void.collect();
        if !void.is_empty() {
            let freed = self.store().swap_many(void);
            self.guard.try_run(&self.budget(), freed).await;
        }
    }

    /// Frees what entries take, whatever is there.
    pub(crate) async fn remove(&self, entries: &[&Names]) {
        let keys: Vec<String> = entries.iter().map(|names| self.key_of(names)).collect();
        let removed = self.store().delete_many(&keys);
        self.guard.try_run(&self.budget(), removed).await;
    }
}

fn left_out() -> Error {
    let why = "an invalidation is on its way there, or it cannot be sealed";
    Error::refused("store a value", why)
}

/// Runs two operations at once; what the first brings.
pub(super) async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> A {
    side_by_side(one, other).await.0
}

/// Runs two operations at once.
async fn side_by_side<A, B>(
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|cx| {
        if first.is_none()
            && let Poll::Ready(ready) = one.as_mut().poll(cx)
        {
            first = Some(ready);
        }
        if second.is_none()
            && let Poll::Ready(ready) = other.as_mut().poll(cx)
        {
            second = Some(ready);
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}
