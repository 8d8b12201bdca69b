//! Between the leader of a load and its body: the shared store, where there is one.
//!
//! The leader asks the store first, and the body runs only if the store has nothing valid; what it
//! returns is written to the store before the others are told. Without a store this is the body
//! and nothing else.

use std::future::Future;
use std::sync::Arc;

use super::call::Load;

/// What is good enough for a load of what the store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Whatever is fresh.
    Any,
    /// What is not due for a refresh itself: a value is being served meanwhile.
    Newer,
    /// Nothing: the body is to run.
    New,
}

impl Want {
    pub(crate) fn of(anew: bool) -> Want {
        if anew { Want::New } else { Want::Any }
    }
}

/// The body of a load, by way of the store.
#[cfg(not(feature = "stores"))]
pub(crate) async fn through<R, F: Future<Output = R>>(
    _load: Option<Arc<dyn Load<R>>>,
    _want: Want,
    body: F,
) -> R {
    body.await
}

/// The same for a synchronous body.
#[cfg(not(feature = "stores"))]
pub(crate) fn through_sync<R>(_: &Arc<dyn Load<R>>, _: Want, body: impl FnOnce() -> R) -> R {
    body()
}

#[cfg(feature = "stores")]
pub(crate) use shared::{
    ATTEMPTS, Fresh, Read, Writing, accept, decode, encoded, fetch_all, fetch_settled, offer,
    peek_all, place, publish, publish_all, replaces, through, through_sync, unread, write_all,
    writing,
};

#[cfg(feature = "stores")]
mod shared {
    use std::collections::HashMap;
    use std::pin::Pin;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::engine::anew::write_all_anew;
    use crate::engine::base::Base;
    use crate::engine::call::Decoded;
    use crate::engine::fill::{fill_all, fill_leased, set_all};
    use crate::engine::lease::{Taken, seize, take, try_take};
    use crate::error::Error;
    use crate::store::Found;
    use crate::store::guard::Budget;
    use crate::store::names::Names;
    pub(crate) use crate::store::tier::Fetched as Read;
    use crate::store::tier::{Tier, Value};
    use crate::store::versions::Versions;
    use crate::store::write::Written;

    /// How often it is tried where others change the same entry.
    pub(crate) const ATTEMPTS: usize = 10;

    /// What goes to the store, and for how long; none for what is not to be kept.
    type Encoded = Option<(Vec<u8>, crate::clock::Nanos)>;

    pub(crate) fn place(base: &Base) -> Option<(&Arc<Tier>, &Names)> {
        Some((base.engine.tier.as_ref()?, base.names.as_ref()?))
    }

    /// The body of a load, by way of the store.
    pub(crate) async fn through<R, F: Future<Output = R>>(
        load: Option<Arc<dyn Load<R>>>,
        want: Want,
        body: F,
    ) -> R {
        let Some(load) = load.filter(|load| place(load.base()).is_some()) else {
            return body.await;
        };
        boxed(load, want, body).await
    }

    /// In a box, made in a function of its own: a body may call the function again, many levels
    /// deep, and where there is no store none of this is to be on the stack.
    #[inline(never)]
    fn boxed<R, F: Future<Output = R>>(
        load: Arc<dyn Load<R>>,
        want: Want,
        body: F,
    ) -> Pin<Box<impl Future<Output = R>>> {
        Box::pin(by_way_of_the_store(load, want, body))
    }

    async fn by_way_of_the_store<R, F: Future<Output = R>>(
        load: Arc<dyn Load<R>>,
        want: Want,
        body: F,
    ) -> R {
        let mut read = fetch_all(&[&load]).await.pop().unwrap_or_default();
        if want != Want::New {
            if let Some(result) = accept_if(&*load, &mut read, want) {
                return result;
            }
            offer(&*load, &read);
            if load.base().revalidates() {
                // The caller may take that and leave, before the body begins.
                crate::rt::yield_now().await;
            }
        }
        // What a hit on the store does not come to is in boxes: it need not make room for that.
        let base = load.base();
        let distributed = base.policy.distributed && !base.inside.load(Ordering::SeqCst);
        let lease = match (distributed, want) {
            (false, _) => None,
            (true, Want::New) => Some(Box::pin(seize(&*load, &read)).await),
            (true, Want::Any) => match Box::pin(take(&load, &mut read)).await {
                Taken::Loaded(result) => return result,
                Taken::Load(lease) => Some(lease),
            },
            // Somebody refreshes it already, and there is a value meanwhile: nobody waits.
            (true, Want::Newer) => match (Box::pin(try_take(&*load, &read)).await, load.held()) {
                (None, Some(held)) => {
                    load.base().skipped.store(true, Ordering::SeqCst);
                    return held;
                }
                (lease, _) => lease,
            },
        };
        let result = body.await;
        let encoded = encoded(&*load, &result);
        if want == Want::New {
            if replaces(&*load, &result, &encoded) {
                Box::pin(write_all_anew(vec![(&load, read, encoded)])).await;
            }
            if let Some(lease) = lease {
                Box::pin(lease.release()).await;
            }
            return result;
        }
        let fresh = (&load, read, encoded);
        let Some(lease) = lease else {
            // What could not be written is loaded again; that is counted.
            let _ = Box::pin(write_all(vec![fresh])).await;
            return result;
        };
        let newer = Box::pin(fill_leased(vec![(fresh, &lease)])).await.pop();
        Box::pin(lease.release()).await;
        newer.flatten().unwrap_or(result)
    }

    /// The same for a synchronous body.
    pub(crate) fn through_sync<R>(
        load: &Arc<dyn Load<R>>,
        want: Want,
        body: impl FnOnce() -> R,
    ) -> R {
        match place(load.base()).is_none() {
            true => body(),
            false => blocked(load, want, body),
        }
    }

    /// A function of its own, so that what it takes of the stack is taken only where it is run: a
    /// body may call the function again, many levels deep.
    #[inline(never)]
    fn blocked<R>(load: &Arc<dyn Load<R>>, want: Want, body: impl FnOnce() -> R) -> R {
        let load = Some(Arc::clone(load));
        crate::rt::block_on(through(load, want, async { body() }))
    }

    /// Has the store hold a value that no load brought: whoever loads it now, anywhere, will not
    /// overwrite it.
    ///
    /// # Errors
    /// The store did not confirm that what it had is void, and that is tried again; or it did not
    /// take the value.
    pub(crate) async fn publish<R>(load: Arc<dyn Load<R>>, encoded: Encoded) -> Result<(), Error> {
        publish_all(vec![(load, encoded)]).await
    }

    /// The same for several values of one function, in as many operations as for one.
    ///
    /// # Errors
    /// As for one.
    pub(crate) async fn publish_all<R>(
        values: Vec<(Arc<dyn Load<R>>, Encoded)>,
    ) -> Result<(), Error> {
        let of = |load: &Arc<dyn Load<R>>| {
            place(load.base()).and_then(|(tier, names)| Some((Arc::clone(tier), names.own()?)))
        };
        let (loads, values): (Vec<_>, Vec<_>) = values
            .into_iter()
            .filter(|(load, _)| of(load).is_some())
            .unzip();
        let (mut tiers, names): (Vec<_>, Vec<_>) = loads.iter().filter_map(of).unzip();
        let Some(tier) = tiers.pop() else {
            return Ok(());
        };
        let mut delivery = tier.announce(names, false);
        let mine = delivery.written().await?;
        let forget = |load: &Arc<dyn Load<R>>| load.base().engine.forget(load.key());
        let read = fetch_settled(&loads.iter().collect::<Vec<_>>()).await;
        let values = loads.iter().zip(read).zip(values);
        let values = values.map(|((load, read), value)| (load, read, value));
        let (void, values): (Vec<_>, Vec<_>) =
            values.partition(|(load, read, _)| is_overtaken(load.base(), read, &mine));
        void.iter().for_each(|(load, ..)| forget(load));
        let result = match all_read(&values) {
            true => {
                let set: Vec<_> = values.iter().map(|(load, ..)| *load).collect();
                let void = set_all(values).await;
                void.map(|void| void.into_iter().for_each(|at| forget(set[at])))
            }
            false => Err(unread()),
        };
        if delivery.contended() {
            // Memory may have the value of another than the store.
            loads.iter().for_each(forget);
        }
        result
    }

    /// Whether the store has said what all these depend on that are to be kept.
    fn all_read<R>(results: &[Fresh<'_, R>]) -> bool {
        (results.iter()).all(|(_, read, value)| value.is_none() || read.versions.is_some())
    }

    pub(crate) fn unread() -> Error {
        Error::store("store a value", "it does not say what is valid")
    }

    /// Whether somebody else has stored a value at a key, or deleted it, since this process wrote
    /// these versions: what it was to store is void, as if it had come first.
    fn is_overtaken(base: &Base, read: &Read, mine: &HashMap<String, u64>) -> bool {
        let own = base.names.as_ref().and_then(Names::own);
        let mine = own.and_then(|own| mine.get(&own));
        let now = read.versions.as_ref().map(Versions::own);
        mine.zip(now).is_some_and(|(mine, now)| now != Some(*mine))
    }

    /// What the store has for several loads, all read in one operation.
    pub(crate) async fn fetch_all<R>(loads: &[&Arc<dyn Load<R>>]) -> Vec<Read> {
        read_all(loads, true).await
    }

    /// The same when nobody in this process is invalidating any of it: which of them the store took
    /// last, only the store knows.
    pub(crate) async fn fetch_settled<R>(loads: &[&Arc<dyn Load<R>>]) -> Vec<Read> {
        let mut reads = Vec::new();
        for _ in 0..ATTEMPTS {
            let mut settled = true;
            for (tier, names) in loads.iter().filter_map(|load| place(load.base())) {
                settled = settled && tier.settle(names).await;
            }
            reads = fetch_all(loads).await;
            if !settled || !reads.iter().any(|read: &Read| read.overtaken) {
                break;
            }
        }
        reads
    }

    /// The same where nothing will be loaded.
    pub(crate) async fn peek_all<R>(loads: &[&Arc<dyn Load<R>>]) -> Vec<Read> {
        read_all(loads, false).await
    }

    async fn read_all<R>(loads: &[&Arc<dyn Load<R>>], to_load: bool) -> Vec<Read> {
        let placed = || loads.iter().filter(|load| place(load.base()).is_some());
        let names = placed().filter_map(|load| load.base().names.as_ref());
        let names: Vec<&Names> = names.collect();
        let Some((tier, _)) = placed().find_map(|load| place(load.base())) else {
            return loads.iter().map(|_| Read::default()).collect();
        };
        let asked = (loads.first()).map_or(0, |load| load.base().engine.shared_now());
        let budget = Arc::new(tier.budget());
        let mut fetched = match to_load {
            true => tier.fetch(&budget, &names).await,
            false => tier.peek(&budget, &names).await,
        };
        for read in &mut fetched {
            read.budget = Some(Arc::clone(&budget));
            read.asked = asked;
        }
        let idle: Vec<_> = placed()
            .zip(&mut fetched)
            .inspect(|(load, read)| read.count_unreadable(&load.base().counters))
            .filter(|(load, read)| is_half_idle(&****load, read))
            .collect();
        if to_load && !idle.is_empty() {
            let prolonged = idle
                .into_iter()
                .map(|(load, read)| Box::pin(prolong(tier, &budget, load.base(), read)));
            crate::rt::all(prolonged).await;
        }
        if fetched.len() == loads.len() {
            return fetched;
        }
        let mut fetched = fetched.into_iter();
        let mut next = || fetched.next().unwrap_or_default();
        let read = |load: &&Arc<dyn Load<R>>| match place(load.base()) {
            Some(_) => next(),
            None => Read::default(),
        };
        loads.iter().map(read).collect()
    }

    /// The same, if it is good enough.
    fn accept_if<R>(load: &dyn Load<R>, read: &mut Read, want: Want) -> Option<R> {
        let ahead = u64::from(load.base().policy.refresh_ahead);
        let due = |value: &Value| {
            let last = value.lifetime / 1000 * 1000u64.saturating_sub(ahead);
            ahead > 0 && value.left <= last
        };
        let value = read.value.as_ref();
        if want == Want::Newer && value.is_some_and(due) {
            return None;
        }
        accept(load, read)
    }

    /// Keeps what was fetched and has expired, for the case that the load fails or is slow.
    pub(crate) fn offer<R>(load: &dyn Load<R>, read: &Read) {
        let stale = read.stale.as_ref();
        if let Some(stale) = stale.filter(|stale| !idle(load, stale)) {
            load.offer(stale, stale.bytes(&read.raw), read.asked);
        }
    }

    /// Whether a value is read for which nobody may have said so for half of its `idle_timeout`.
    fn is_half_idle<R>(load: &dyn Load<R>, read: &Read) -> bool {
        let half = load.base().policy.idle / 2;
        half > 0 && (read.value.as_ref()).is_some_and(|it| it.age >= half && !idle(load, it))
    }

    /// Writes a value that is being read once more, to live for as long as it would have and to be
    /// taken for idle from now on, unless somebody else has written since.
    async fn prolong(tier: &Tier, budget: &Budget, base: &Base, read: &mut Read) {
        let (Some(names), Some(value), Some(versions)) =
            (&base.names, &mut read.value, &read.versions)
        else {
            return;
        };
        let bytes = value.bytes(&read.raw).to_vec();
        let written = Written {
            names,
            versions: versions.clone(),
            value: bytes.clone(),
            format: value.format,
            lifetime: value.left,
            stale: base.policy.stale(),
            useful: base.policy.useful(value.left),
        };
        if let Some(item) = tier.item(&written) {
            let (raw, new) = (read.raw.clone(), item.value.clone());
            // Whatever becomes of it, the value is there.
            if let Ok(true) = tier.put_for_longer(budget, raw, item, names).await {
                // A load that follows takes the place of what is there now.
                value.keep(bytes);
                read.raw = Some(new);
            }
        }
    }

    /// Whether a value was last known to be read too long ago: when it was written, as what others
    /// read from their memories is not known here.
    fn idle<R>(load: &dyn Load<R>, value: &Value) -> bool {
        let idle = load.base().policy.idle;
        idle > 0 && value.age >= idle
    }

    /// The result that was fetched, if it can be read and `stale_if` does not refuse it.
    pub(crate) fn accept<R>(load: &dyn Load<R>, read: &mut Read) -> Option<R> {
        let result = decode(load, read)?;
        load.base().counters.fetched.one();
        Some(result)
    }

    /// The same, not counted as an answer to a miss.
    pub(crate) fn decode<R>(load: &dyn Load<R>, read: &mut Read) -> Option<R> {
        let value = read.value.take()?;
        if idle(load, &value) {
            return None;
        }
        let base = load.base();
        match load.decode(value.bytes(&read.raw), value.format) {
            Decoded::Result(result) => {
                base.fetched_at.store(read.asked, Ordering::SeqCst);
                base.fetched.store(value.left.max(1), Ordering::SeqCst);
                return Some(result);
            }
            Decoded::Refused => {}
            Decoded::Unreadable => base.counters.undecodable.one(),
        }
        None
    }

    /// A result, what the store had before it was loaded, and what it is there.
    pub(crate) type Fresh<'a, R> = (&'a Arc<dyn Load<R>>, Read, Encoded);

    /// Something to be written, and by whom.
    pub(crate) struct Writing<'a> {
        pub(crate) tier: Arc<Tier>,
        pub(crate) budget: Arc<Budget>,
        pub(crate) entry: Written<'a>,
        /// The bytes that were there before.
        pub(crate) raw: Found,
    }

    /// What is to be written of a result; none for what is not to be kept.
    pub(crate) fn writing<'a, R>((load, read, value): Fresh<'a, R>) -> Option<Writing<'a>> {
        let base = load.base();
        let (tier, names) = place(base)?;
        let (value, lifetime) = value?;
        let entry = Written {
            names,
            versions: read.versions?,
            value,
            format: tier.format(),
            lifetime,
            stale: base.policy.stale(),
            useful: base.policy.useful(lifetime),
        };
        Some(Writing {
            tier: Arc::clone(tier),
            budget: read.budget?,
            entry,
            raw: read.raw,
        })
    }

    /// Writes the results of several loads, in one operation where nobody else writes them.
    ///
    /// # Errors
    /// Not all of them are there: the store did not say what they depend on, or did not take them.
    pub(crate) async fn write_all<R>(results: Vec<Fresh<'_, R>>) -> Result<(), Error> {
        let whole = all_read(&results);
        fill_all(results).await?;
        whole.then_some(()).ok_or_else(unread)
    }

    /// Why a result stays in memory.
    const VALUE: &str = "a result has no form in the format of the shared store: what that is \
        stands in the guide on stores";

    /// What is to be written of a result that was loaded. Where it is to be stored and cannot be
    /// written, that is said once in the log.
    pub(crate) fn encoded<R>(load: &dyn Load<R>, result: &R) -> Encoded {
        let (encoded, base) = (load.encode(result), load.base());
        if encoded.is_none() && place(base).is_some() && load.is_kept(result) {
            (base.engine).memory_only_at(base.id, base.function, VALUE);
        }
        encoded
    }

    /// Whether what the store has is void by a result that was computed afresh: it is another, or
    /// says that there is nothing.
    pub(crate) fn replaces<R>(load: &dyn Load<R>, result: &R, encoded: &Encoded) -> bool {
        encoded.is_some() || load.is_nothing(result) || load.is_kept(result)
    }
}
