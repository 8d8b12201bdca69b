//! What is computed afresh is so for all processes.

use std::sync::Arc;

use super::call::Load;
use super::fill::fill_all;
use super::through::{Fresh, place};
use crate::store::names::Names;
use crate::store::renew::Renewed;
use crate::store::tier::Tier;

/// Writes the results of loads that were to compute afresh, and has the other processes see
/// them: neither their copies nor what they are loading now is. Where there is nothing to
/// write, what was there is void; and so is what stands in the way, as nobody knows whether that
/// is older, and what the store does not answer for.
pub(crate) async fn write_all_anew<R>(mut results: Vec<Fresh<'_, R>>) {
    let to = results.iter().find_map(|(load, read, _)| {
        let (tier, _) = place(load.base())?;
        Some((Arc::clone(tier), read.budget.clone()?))
    });
    let Some((tier, budget)) = to else {
        return;
    };
    let loads: Vec<_> = results.iter().map(|(load, ..)| *load).collect();
    let mut untold = Untold {
        tier: &tier,
        loads,
        told: false,
    };
    let places = results.iter_mut().map(|(load, read, _)| {
        let (_, names) = place(load.base())?;
        Some((names, read.versions.as_mut()?))
    });
    let mut places: Vec<_> = places.collect();
    let renewed = tier.renew(&budget, &mut places).await;
    let own = |(load, ..): &Fresh<'_, R>| load.base().names.as_ref()?.own();
    let mut void = Vec::new();
    for ((load, ..), renewed) in results.iter().zip(&renewed) {
        let names = load.base().names.as_ref();
        void.extend(
            names
                .filter(|_| *renewed != Renewed::Done)
                .and_then(Names::own),
        );
        if *renewed == Renewed::Overtaken {
            // Memory may have what was put there meanwhile.
            load.base().engine.forget(load.key());
        }
    }
    // In the background, as nobody waits for that.
    drop(tier.announce(void, false));
    let mut renewed = renewed.into_iter();
    results.retain(|_| renewed.next() == Some(Renewed::Done));
    let own: Vec<String> = results.iter().filter_map(own).collect();
    // What could not be written is loaded again; that is counted.
    let _ = fill_all(results).await;
    tier.tell_changed(&budget, &own).await;
    untold.told = true;
}

/// What is being computed afresh for all, and the others have not been told of: whoever was to do so
/// has left, and what the store has by now nobody knows.
struct Untold<'a, R> {
    tier: &'a Arc<Tier>,
    loads: Vec<&'a Arc<dyn Load<R>>>,
    told: bool,
}

impl<R> Drop for Untold<'_, R> {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let bases = self.loads.iter().map(|load| (load, load.base()));
        bases.for_each(|(load, base)| base.engine.forget(load.key()));
        let names = self.loads.iter().map(|load| load.base().names.as_ref());
        let own = names.filter_map(|names| names?.own()).collect();
        // In the background.
        drop(self.tier.announce(own, false));
    }
}
