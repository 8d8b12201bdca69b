//! What a load under a lease brings: it is stored where nothing has changed since it began.
//!
//! A lease runs out while its holder stands still, and then another process loads. What the first
//! brings when it goes on is older than what the second has brought, and must not take its place:
//!
//! - An entry is written only where the store has exactly the bytes that were read before the body
//!   ran; whoever finds others was overtaken by somebody.
//! - Who has the lease still is the last to have begun, and writes all the same.
//! - Who has not takes what the other has brought, if that is valid, in the stead of its own.

use std::sync::atomic::Ordering;

use super::lease::Lease;
use super::through::{Fresh, Writing, decode, fetch_all, writing};

/// Writes what was loaded under leases; for each what is newer, where there is something.
pub(super) async fn fill_all<R>(results: Vec<(Fresh<'_, R>, &Lease)>) -> Vec<Option<R>> {
    let mut newer: Vec<Option<R>> = results.iter().map(|_| None).collect();
    let (mut places, mut entries, mut to) = (Vec::new(), Vec::new(), None);
    for (at, (fresh, lease)) in results.into_iter().enumerate() {
        let load = fresh.0;
        if let Some(Writing {
            tier,
            budget,
            entry,
            raw,
        }) = writing(fresh)
        {
            places.push((at, load, lease, entry.clone()));
            entries.push((entry, raw));
            to = Some((tier, budget));
        }
    }
    let Some((tier, budget)) = to else {
        return newer;
    };
    let overtaken = tier.fill(&budget, entries).await;
    let places = places.into_iter().zip(overtaken);
    let places: Vec<_> = places
        .filter_map(|(place, overtaken)| overtaken.then_some(place))
        .collect();
    if places.is_empty() {
        return newer;
    }
    let held = places
        .iter()
        .map(|(_, _, lease, _)| Box::pin(lease.is_held()));
    let held = crate::rt::all(held).await;
    let lost = places.iter().zip(&held).filter(|(_, held)| !**held);
    let lost: Vec<_> = lost.map(|((_, load, ..), _)| *load).collect();
    let mut reads = fetch_all(&lost).await.into_iter();
    let mut entries = Vec::new();
    for ((at, load, _, entry), held) in places.into_iter().zip(held) {
        let mut read = if held { None } else { reads.next() };
        newer[at] = read.as_mut().and_then(|read| decode(&**load, read));
        match newer[at] {
            Some(_) => load.base().overtaken.store(true, Ordering::SeqCst),
            None => entries.push(entry),
        }
    }
    // What could not be written is loaded again; that is counted.
    let _ = tier.write(&budget, entries).await;
    newer
}
