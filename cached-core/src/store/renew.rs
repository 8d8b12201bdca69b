//! What is computed afresh is so for all processes.

use std::sync::Arc;

use super::guard::Budget;
use super::names::{self, Names};
use super::tier::{Tier, dependable, version_item};
use super::versions::Versions;
use crate::sync::lock;

impl Tier {
    /// Gives the scope of an entry's key a new version in the place of the one among `versions`,
    /// those its load began under, and puts it there: loads that began before, in any process, are
    /// void. Says whether it did; not if the key was invalidated since, or the store does not
    /// answer.
    pub(crate) async fn renew(
        self: &Arc<Self>,
        budget: &Budget,
        names: &Names,
        versions: &mut Versions,
    ) -> bool {
        let (Some(own), Some(version)) = (&names.own, versions.own()) else {
            return false;
        };
        let new = names::unique();
        let item = version_item(self.version_key(own), new, dependable(names.lifetime));
        let expected = version.to_le_bytes().to_vec();
        let swapped = self.store().swap(expected, item);
        let renewed = self.guard.try_run(budget, swapped).await == Some(true);
        if renewed {
            versions.renew(new);
            lock(&self.journal).renewed(own, new);
        }
        renewed
    }
}
