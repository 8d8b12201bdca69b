//! How long versions have to live.

use std::time::Duration;

use super::guard::Budget;
use super::names::Names;
use super::tier::{Tier, dependable};
use super::versions;
use crate::clock::{NEVER, Nanos};

/// For as long as anything that never expires will be there: a century, which all stores can count.
const AGES: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The versions that entries depend on, and how long they have to live.
pub(super) struct Lasting {
    scopes: Vec<String>,
    longest: Nanos,
    /// Those of what never expires.
    ever: Vec<String>,
}

impl Lasting {
    /// For entries of these names, each of use for so long.
    pub(super) fn of<'a>(tier: &Tier, entries: impl Iterator<Item = (&'a Names, Nanos)>) -> Self {
        let (mut finite, mut ever, mut longest) = (Vec::new(), Vec::new(), 0);
        for (names, useful) in entries {
            match useful {
                NEVER => ever.push(names),
                useful => {
                    longest = useful.max(longest);
                    finite.push(names);
                }
            }
        }
        Lasting {
            scopes: versions::keys(tier, &finite),
            longest,
            ever: versions::keys(tier, &ever),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.ever.is_empty()
    }

    /// Has them live for so long from now on.
    pub(super) async fn extend(&self, tier: &Tier, budget: &Budget) {
        let lasting = dependable(self.longest).unwrap_or(AGES);
        let extend = async |scopes: &[String], ttl| {
            if !scopes.is_empty() {
                let extended = tier.store().extend_many(scopes, ttl);
                tier.guard.try_run(budget, extended).await;
            }
        };
        super::write::both(extend(&self.scopes, lasting), extend(&self.ever, AGES)).await;
    }
}
