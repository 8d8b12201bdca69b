//! What is computed afresh is so for all processes.

use std::sync::Arc;

use super::guard::Budget;
use super::names::{self, Names};
use super::tier::{Tier, dependable, version_item};
use super::versions::Versions;
use crate::sync::lock;

/// What became of a new version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewed {
    Done,
    /// The key was invalidated since.
    Overtaken,
    /// The store does not answer.
    Unknown,
}

impl Tier {
    /// Gives the scopes of some entries' keys new versions in the place of those among `versions`,
    /// those their loads began under, and puts them there: loads that began before, in any process,
    /// are void. Says for each whether it did; not if the key was invalidated since, or the store
    /// does not answer.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        budget: &Budget,
        entries: &mut [Option<(&Names, &mut Versions)>],
    ) -> Vec<Renewed> {
        let mut renewed: Vec<Renewed> = entries.iter().map(|_| Renewed::Unknown).collect();
        let (mut places, mut swaps) = (Vec::new(), Vec::new());
        for (at, entry) in entries.iter().enumerate() {
            let Some((names, versions)) = entry else {
                continue;
            };
            if let (Some(own), Some(version)) = (names.own(), versions.own()) {
                let new = names::unique();
                let key = self.version_key(&own);
                let item = version_item(key, new, dependable(names.lifetime));
                places.push((at, version, new));
                swaps.push((version.to_le_bytes().to_vec(), item));
            }
        }
        if swaps.is_empty() {
            return renewed;
        }
        let swapped = self.store().swap_many(swaps);
        let swapped = self.guard.try_run(budget, swapped).await;
        for ((at, old, new), swapped) in places.into_iter().zip(swapped.into_iter().flatten()) {
            renewed[at] = Renewed::Overtaken;
            if let (true, Some((names, versions))) = (swapped, &mut entries[at]) {
                renewed[at] = Renewed::Done;
                versions.renew(new);
                if let Some(own) = names.own() {
                    lock(&self.journal).renewed(&own, old, new);
                }
            }
        }
        renewed
    }
}
