//! How long versions have to live.

use std::time::Duration;

use super::guard::Budget;
use super::names::Names;
use super::tier::{Tier, dependable};
use super::versions;
use super::write::Written;
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
    pub(super) fn of<'a>(tier: &Tier, entries: impl Iterator<Item = &'a Written<'a>>) -> Self {
        let (mut finite, mut ever, mut longest) = (Vec::new(), Vec::new(), 0);
        for entry in entries {
            match entry.useful {
                NEVER => ever.push(entry.names),
                useful => {
                    longest = useful.max(longest);
                    finite.push(entry.names);
                }
            }
        }
        Lasting {
            scopes: versions::keys(tier, &finite),
            longest,
            ever: versions::keys(tier, &ever),
        }
    }

    /// The same for one entry that is of use for so long.
    pub(super) fn of_one(tier: &Tier, names: &Names, useful: Nanos) -> Self {
        let keys = versions::keys(tier, &[names]);
        let (scopes, ever) = match useful {
            NEVER => (Vec::new(), keys),
            _ => (keys, Vec::new()),
        };
        Lasting {
            scopes,
            longest: useful,
            ever,
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
