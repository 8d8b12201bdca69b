//! What a load brings is stored where nothing has changed since it began.
//!
//! An entry is written only where the store has exactly the bytes that were read before the body
//! ran, or nothing as then. Whoever finds something else was overtaken, and looks again:
//!
//! - Under other versions than those of the load, the key has been invalidated or set meanwhile: what
//!   was loaded is void, and what is there stays.
//! - What is there is valid, loaded by another: it stays. Not so where this load was to be the one:
//!   a value that is set by hand replaces it, and so does what was loaded under a lease that is held
//!   still, as its holder is the last to have begun. Who has lost the lease, since it ran out while
//!   the process stood still, takes what the other has brought in the stead of its own.
//! - What is there is void: it is replaced.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::call::Load;
use super::lease::Lease;
use super::through::{ATTEMPTS, Fresh, Read, Writing, decode, fetch_settled, writing};
use crate::error::Error;
use crate::store::Found;
use crate::store::guard::Budget;
use crate::store::tier::Tier;
use crate::store::write::Written;

/// Nothing is there, and nothing can be put there, so often: what is there is of no cache's, and is
/// written over. Once may be by chance, where it was deleted meanwhile.
const FOREIGN: usize = 2;

/// What was loaded, and is to be stored.
struct Filling<'a, R> {
    /// Its number among the results.
    at: usize,
    load: &'a Arc<dyn Load<R>>,
    entry: (Written<'a>, Found),
    /// How often nothing could be put where nothing is.
    refused: usize,
}

/// What was loaded for one store.
struct Fillings<'a, R> {
    tier: Arc<Tier>,
    budget: Arc<Budget>,
    all: Vec<Filling<'a, R>>,
}

impl<'a, R> Fillings<'a, R> {
    /// What there is to write of these results; none if there is nothing.
    fn of(results: Vec<Fresh<'a, R>>) -> Option<Self> {
        let (mut all, mut to) = (Vec::new(), None);
        for (at, fresh) in results.into_iter().enumerate() {
            let load = fresh.0;
            if let Some(Writing {
                tier,
                budget,
                entry,
                raw,
            }) = writing(fresh)
            {
                all.push(Filling {
                    at,
                    load,
                    entry: (entry, raw),
                    refused: 0,
                });
                to = Some((tier, budget));
            }
        }
        let (tier, budget) = to?;
        Some(Fillings { tier, budget, all })
    }

    /// Writes all; leaves those that others were faster with.
    async fn fill(&mut self) -> Result<(), Error> {
        let (foreign, all): (Vec<_>, Vec<_>) = std::mem::take(&mut self.all)
            .into_iter()
            .partition(|filling| filling.refused >= FOREIGN);
        for filling in foreign {
            let written = self.tier.write(&self.budget, &filling.entry.0);
            Box::pin(written).await?;
        }
        let (places, entries): (Vec<_>, Vec<_>) = all
            .into_iter()
            .map(|filling| ((filling.at, filling.load, filling.refused), filling.entry))
            .unzip();
        let overtaken = self.tier.fill(&self.budget, &entries).await?;
        let left = places.into_iter().zip(entries).zip(overtaken);
        let left = left.filter(|(_, overtaken)| *overtaken);
        let left = left.map(|(((at, load, refused), entry), _)| Filling {
            at,
            load,
            entry,
            refused,
        });
        self.all.extend(left);
        Ok(())
    }

    /// Reads what there is by now, and leaves those that `replace` what there is.
    async fn look(&mut self, mut replace: impl FnMut(&Filling<'a, R>, &mut Read) -> bool) {
        let loads: Vec<_> = self.all.iter().map(|filling| filling.load).collect();
        let mut reads = fetch_settled(&loads).await.into_iter();
        self.all.retain_mut(|filling| {
            let mut read = reads.next().unwrap_or_default();
            let replaces = replace(filling, &mut read);
            let nothing = filling.entry.1.is_none() && read.raw.is_none();
            filling.refused += usize::from(nothing);
            filling.entry.1 = read.raw;
            replaces
        });
    }
}

impl<R> Filling<'_, R> {
    /// Whether it is valid still.
    fn is_valid(&self, read: &Read) -> bool {
        read.versions.as_ref() == Some(&self.entry.0.versions)
    }
}

/// Writes the results of several loads.
///
/// # Errors
/// The store did not confirm, or has left some out.
pub(super) async fn fill_all<R>(results: Vec<Fresh<'_, R>>) -> Result<(), Error> {
    let Some(mut fillings) = Fillings::of(results) else {
        return Ok(());
    };
    fillings.fill().await?;
    if fillings.all.is_empty() {
        return Ok(());
    }
    let void =
        |filling: &Filling<'_, R>, read: &mut Read| filling.is_valid(read) && read.value.is_none();
    for _ in 0..=FOREIGN {
        fillings.look(void).await;
        if fillings.all.is_empty() {
            break;
        }
        fillings.fill().await?;
    }
    Ok(())
}

/// Has the store hold values that no load brought, whoever has loaded something meanwhile. Returns
/// the numbers of those that were invalidated or set by others meanwhile: they are void, as if they
/// had come first.
///
/// # Errors
/// The store did not confirm, or has left some out.
pub(super) async fn set_all<R>(values: Vec<Fresh<'_, R>>) -> Result<Vec<usize>, Error> {
    let mut void = Vec::new();
    let Some(mut fillings) = Fillings::of(values) else {
        return Ok(void);
    };
    let mut unread = false;
    for _ in 0..ATTEMPTS {
        fillings.fill().await?;
        if fillings.all.is_empty() {
            return Ok(void);
        }
        let valid = |filling: &Filling<'_, R>, read: &mut Read| {
            unread |= read.versions.is_none() && !read.overtaken;
            let valid = filling.is_valid(read);
            void.extend((!valid).then_some(filling.at));
            valid
        };
        fillings.look(valid).await;
        if unread {
            // Whether others have set it meanwhile, nobody knows.
            return Err(super::through::unread());
        }
    }
    let why = "others changed it again and again";
    Err(Error::refused("store a value", why))
}

/// Writes what was loaded under leases; for each what is newer, where there is something.
pub(super) async fn fill_leased<R>(results: Vec<(Fresh<'_, R>, &Lease)>) -> Vec<Option<R>> {
    let mut newer: Vec<Option<R>> = results.iter().map(|_| None).collect();
    let (results, leases): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    let Some(mut fillings) = Fillings::of(results) else {
        return newer;
    };
    // What could not be written is loaded again; that is counted.
    if fillings.fill().await.is_err() || fillings.all.is_empty() {
        return newer;
    }
    let leases = fillings.all.iter().map(|filling| leases[filling.at]);
    let held = leases.map(|lease| Box::pin(lease.is_held()));
    let mut held = crate::rt::all(held).await.into_iter();
    let replace = |filling: &Filling<'_, R>, read: &mut Read| {
        if held.next() != Some(true) {
            let brought = decode(&**filling.load, read);
            if brought.is_some() {
                filling.load.base().overtaken.store(true, Ordering::SeqCst);
                newer[filling.at] = brought;
                return false;
            }
        }
        filling.is_valid(read)
    };
    fillings.look(replace).await;
    let _ = fillings.fill().await;
    newer
}
