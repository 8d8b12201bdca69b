//! One load for all processes: `single_flight = "distributed"`.
//!
//! Whoever finds nothing on the store takes the lease of the key: a token of its own under a key of
//! its own, which runs out by itself. Who does not get it waits, and leaves a mark on the lease: the
//! holder, who gives back a lease that is marked, tells all who wait, where the store can push.
//! They look now and then besides, since a message may be lost: for the value, or for the lease to
//! be free. Nobody waits for longer than a lease lasts, so a leader that crashed delays the others
//! by that and no more; and nobody waits for a store that fails.
//!
//! The versions of the entry's scopes are in the name of the lease: whoever comes after an
//! invalidation does not wait for a load that began before it, which would be void.
//!
//! A background refresh does not wait: who does not get the lease leaves it to who has it. Who has
//! waited for long enough, or is told to load whatever there is, takes the lease away from its holder.
//!
//! The lease decides who loads, never what is served: what a leader writes under versions that have
//! moved on is void, however long it held the lease. And whoever lost it does not overwrite what was
//! loaded after that: see `fill`.

use std::sync::Arc;
use std::time::Duration;

use super::call::Load;
use super::through::{Read, accept, fetch_all};
use crate::clock::{Clock, Nanos};
use crate::store::Item;
use crate::store::names;
use crate::store::tier::Tier;
use crate::store::waits::Told;

/// How long until a waiter looks again, first and at most.
const PAUSE: Nanos = 10_000_000;
const LONGEST: Nanos = 250_000_000;
/// The same where it will be told.
const TOLD: Nanos = 1_000_000_000;

/// How long it is known that a lease was given back: longer than from when somebody reads the store
/// until they ask for the lease.
const FREED: Nanos = 2_000_000_000;

/// At the end of a token: somebody waits.
const MARK: u8 = b'w';

/// The right to load a key, given back when dropped.
pub(super) struct Lease(Option<Held>);

struct Held {
    tier: Arc<Tier>,
    key: String,
    token: Vec<u8>,
}

/// What came of asking for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// It is this caller's, and nobody has had it lately.
    Given,
    /// It is this caller's, and somebody has just given it back: what they loaded may be there by
    /// now.
    Freed,
    /// It is another's.
    Taken,
}

/// What became of it.
pub(super) enum Taken<R> {
    /// To be loaded by this caller.
    Load(Lease),
    /// Another process has loaded it.
    Loaded(R),
}

/// The wait for loads of other processes: bounded, and told of their end where that can be.
pub(super) struct Turn {
    until: Option<Nanos>,
    pause: Nanos,
    told: Option<Told>,
}

impl Turn {
    pub(super) fn new() -> Self {
        Turn {
            until: None,
            pause: PAUSE,
            told: None,
        }
    }

    /// How long it is to be waited for still.
    fn left(&mut self, tier: &Tier, clock: &Clock) -> Nanos {
        let now = clock.now();
        let until = self.until.get_or_insert(now.saturating_add(tier.lease));
        until.saturating_sub(now)
    }

    /// Waits until there may be something new of these leases, which others hold.
    async fn wait(&mut self, clock: &Clock, leases: &[Held]) {
        let Some(tier) = leases.first().map(|held| &held.tier) else {
            return;
        };
        let left = self.left(tier, clock);
        if !tier.tells() {
            clock.sleep(self.pause.min(left)).await;
            self.pause = (self.pause * 2).min(LONGEST);
            return;
        }
        // First to hear, then the mark: whoever sees the mark will be heard.
        let keys: Vec<String> = leases.iter().map(|held| held.key.clone()).collect();
        // Another lease is waited for where the versions have moved on meanwhile.
        let told = match self.told.take().filter(|told| told.is_of(&keys)) {
            Some(told) => told,
            None => tier.wait_for(keys),
        };
        let told = self.told.insert(told);
        let marks = leases.iter().map(|held| Box::pin(held.mark()));
        let marked = crate::rt::all(marks).await;
        if marked.into_iter().all(|marked| marked) {
            told.within(clock.sleep(TOLD.min(left))).await;
        }
    }
}

/// Takes the lease of a load, or waits for what its holder loads; `read` is what the store had, and
/// is read afresh meanwhile.
pub(super) async fn take<R>(load: &Arc<dyn Load<R>>, read: &mut Read) -> Taken<R> {
    let base = load.base();
    let Some(mut held) = Held::of(&**load, read) else {
        return Taken::Load(Lease(None));
    };
    let (clock, mut turn, mut counted) = (&base.engine.clock, Turn::new(), false);
    loop {
        let left = turn.left(&held.tier, clock);
        match held.acquire().await {
            None => return Taken::Load(Lease(None)),
            Some(Asked::Given) => return Taken::Load(Lease(Some(held))),
            Some(Asked::Freed) => {
                let lease = Lease(Some(held));
                let Some(result) = read_again(load, read).await else {
                    return Taken::Load(lease);
                };
                lease.release().await;
                return Taken::Loaded(result);
            }
            Some(Asked::Taken) if left == 0 => return Taken::Load(held.seize().await),
            Some(Asked::Taken) => {}
        }
        if !std::mem::replace(&mut counted, true) {
            base.counters.waited(base.named());
        }
        turn.wait(clock, std::slice::from_ref(&held)).await;
        if let Some(result) = read_again(load, read).await {
            return Taken::Loaded(result);
        }
        held.key = Held::of(&**load, read).map_or(held.key, |now| now.key);
    }
}

/// Reads what the store has by now; the result, if there is one.
async fn read_again<R>(load: &Arc<dyn Load<R>>, read: &mut Read) -> Option<R> {
    *read = fetch_all(&[load]).await.pop().unwrap_or_default();
    accept(&**load, read)
}

/// Takes the leases of several loads, as far as nobody has them; says for each whether it is this
/// caller's to load. Where another process loads, that has been waited for when this returns, unless
/// there is something to load meanwhile. What is to be loaded `anew` is this caller's in any case.
///
/// `reads` is what the store had, and is read afresh for leases that were given back a moment ago.
pub(super) async fn take_many<R>(
    loads: &[Option<Arc<dyn Load<R>>>],
    anew: &[bool],
    reads: &mut [Read],
    turn: &mut Turn,
) -> Vec<Option<Lease>> {
    let held = |(load, read): (&Option<Arc<dyn Load<R>>>, &Read)| {
        let load = load.as_ref()?;
        let distributed = load.base().policy.distributed;
        distributed.then(|| Held::of(&**load, read)).flatten()
    };
    let held: Vec<Option<Held>> = loads.iter().zip(reads.iter()).map(held).collect();
    let nobodys = || loads.iter().map(|_| Some(Lease(None))).collect();
    let some: Vec<&Held> = held.iter().flatten().collect();
    let (Some(one), Some(load)) = (some.first(), loads.iter().flatten().next()) else {
        return nobodys();
    };
    let clock = load.base().engine.clock.clone();
    let first = turn.until.is_none();
    let over = turn.left(&one.tier, &clock) == 0;
    // Nobody waits for a store that fails.
    let Some(asked) = Held::acquire_all(&some).await else {
        return nobodys();
    };
    let mut asked = asked.into_iter();
    let mut taken: Vec<Option<Lease>> = Vec::with_capacity(loads.len());
    let (mut freed, mut late, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (at, held) in held.into_iter().enumerate() {
        let Some(held) = held else {
            taken.push(Some(Lease(None)));
            continue;
        };
        match asked.next().unwrap_or(Asked::Taken) {
            Asked::Taken => {
                taken.push(None);
                match over || anew[at] {
                    true => late.push((at, held)),
                    false => others.push(held),
                }
            }
            given => {
                freed.extend((given == Asked::Freed && !anew[at]).then_some(at));
                taken.push(Some(Lease(Some(held))));
            }
        }
    }
    let seize = |(at, held): (usize, Held)| Box::pin(async move { (at, held.seize().await) });
    for (at, lease) in crate::rt::all(late.into_iter().map(seize)).await {
        taken[at] = Some(lease);
    }
    let waited = loads
        .iter()
        .zip(&taken)
        .filter(|(_, lease)| lease.is_none());
    for load in waited
        .filter_map(|(load, _)| load.as_ref())
        .filter(|_| first)
    {
        load.base().counters.waited(load.base().named());
    }
    read_afresh(loads, &freed, reads).await;
    if taken.iter().all(Option::is_none) {
        turn.wait(&clock, &others).await;
    }
    taken
}

/// Reads some of several loads once more, all in one operation.
async fn read_afresh<R>(loads: &[Option<Arc<dyn Load<R>>>], which: &[usize], reads: &mut [Read]) {
    let some: Vec<_> = which.iter().filter_map(|at| loads[*at].as_ref()).collect();
    if !some.is_empty() {
        for (at, read) in which.iter().zip(fetch_all(&some).await) {
            reads[*at] = read;
        }
    }
}

/// Gives several leases back.
pub(super) async fn release_all(leases: Vec<Lease>) {
    let released = leases.into_iter().map(|lease| Box::pin(lease.release()));
    crate::rt::all(released).await;
}

/// Takes the lease of a load unless somebody has it; one in name only where the store does not say.
pub(super) async fn try_take<R>(load: &dyn Load<R>, read: &Read) -> Option<Lease> {
    let Some(held) = Held::of(load, read) else {
        return Some(Lease(None));
    };
    match held.acquire().await {
        None => Some(Lease(None)),
        Some(Asked::Given | Asked::Freed) => Some(Lease(Some(held))),
        Some(Asked::Taken) => None,
    }
}

/// Takes the lease of a load from whoever has it; one in name only where the store does not say.
pub(super) async fn seize<R>(load: &dyn Load<R>, read: &Read) -> Lease {
    match Held::of(load, read) {
        Some(held) => held.seize().await,
        None => Lease(None),
    }
}

impl Held {
    /// What it would be to hold the lease of a load under the versions that were read.
    fn of<R>(load: &dyn Load<R>, read: &Read) -> Option<Held> {
        let base = load.base();
        let tier = base.engine.tier.clone()?;
        Some(Held {
            key: tier.lease_key(base.names.as_ref()?, read.versions.as_ref()),
            token: names::unique().to_le_bytes().to_vec(),
            tier,
        })
    }

    /// Asks for the lease; none if the store does not say.
    async fn acquire(&self) -> Option<Asked> {
        Held::acquire_all(&[self]).await?.pop()
    }

    /// Asks for several leases; none if the store does not say.
    async fn acquire_all(all: &[&Held]) -> Option<Vec<Asked>> {
        let tier = &all.first()?.tier;
        let items = all
            .iter()
            .map(|held| held.item(held.token.clone(), tier.lease));
        let added = tier.add(&tier.budget(), items.collect()).await?;
        let asked = all.iter().zip(added).map(|(held, added)| {
            Box::pin(async move {
                match added {
                    true => Some(Asked::Given),
                    false => held.acquire_freed().await,
                }
            })
        });
        crate::rt::all(asked).await.into_iter().collect()
    }

    /// Asks for a lease that is there: one that was given back is empty.
    async fn acquire_freed(&self) -> Option<Asked> {
        let item = self.item(self.token.clone(), self.tier.lease);
        let budget = self.tier.budget();
        let swapped = self.tier.put(&budget, Some(Vec::new()), item).await.ok()?;
        Some(if swapped { Asked::Freed } else { Asked::Taken })
    }

    /// Takes the lease from whoever has it; one in name only where another does so at the same time,
    /// or the store does not say. Those who wait for the one go on waiting for the other.
    async fn seize(self) -> Lease {
        let budget = self.tier.budget();
        let Some(found) = self.tier.raw(&budget, &self.key).await else {
            return Lease(None);
        };
        let item = self.item(self.marked(), self.tier.lease);
        match self.tier.put(&budget, found, item).await {
            Ok(true) => Lease(Some(self)),
            _ => Lease(None),
        }
    }

    /// Whether the lease is this caller's still.
    async fn is_held(&self) -> bool {
        let budget = self.tier.budget();
        for token in [self.token.clone(), self.marked()] {
            let item = self.item(token.clone(), self.tier.lease);
            if let Ok(true) = self.tier.put(&budget, Some(token), item).await {
                return true;
            }
        }
        false
    }

    /// The token, with the mark of those who wait.
    fn marked(&self) -> Vec<u8> {
        [self.token.as_slice(), &[MARK]].concat()
    }

    /// Has the holder know that somebody waits; says whether there is a holder.
    async fn mark(&self) -> bool {
        let budget = self.tier.budget();
        let Some(Some(token)) = self.tier.raw(&budget, &self.key).await else {
            return false;
        };
        match token.as_slice() {
            [] => return false,
            [.., MARK] if token.len() > self.token.len() => return true,
            _ => {}
        }
        let marked = [token.as_slice(), &[MARK]].concat();
        // It lives for a lease from now on, as if it had just been taken: a holder that is gone
        // delays others by two at most, and whoever waits now by one.
        let item = self.item(marked, self.tier.lease);
        (self.tier.put(&budget, Some(token), item).await).is_ok_and(|marked| marked)
    }

    fn item(&self, value: Vec<u8>, lives: Nanos) -> Item {
        Item {
            key: self.key.clone(),
            value,
            ttl: Some(Duration::from_nanos(lives)),
        }
    }

    /// Gives the lease back, unless it has run out and is another's by now, and tells those who
    /// wait.
    async fn release(self) {
        let (budget, freed) = (self.tier.budget(), self.item(Vec::new(), FREED));
        let (token, marked) = (self.token.clone(), self.marked());
        if let Ok(false) = self.tier.put(&budget, Some(token), freed.clone()).await
            && let Ok(true) = self.tier.put(&budget, Some(marked), freed).await
        {
            self.tier.tell_loaded(&budget, &self.key).await;
        }
    }
}

impl Lease {
    /// Whether the right to load is this caller's still.
    pub(super) async fn is_held(&self) -> bool {
        match &self.0 {
            Some(held) => held.is_held().await,
            None => false,
        }
    }

    /// Gives the lease back: the load has ended.
    pub(super) async fn release(mut self) {
        if let Some(held) = self.0.take() {
            held.release().await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            // The load panicked, or nobody wants it any more: the next should not have to wait. What is
            // not given back runs out.
            let leftovers = Arc::clone(&held.tier.leftovers);
            leftovers.add(Box::pin(held.release()));
        }
    }
}
