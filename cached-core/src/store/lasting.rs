//! How long versions have to live.

use std::time::Duration;

use super::guard::Budget;
use super::tier::{Tier, dependable};
use super::write::Written;
use crate::clock::{NEVER, Nanos};

/// For as long as anything that never expires will be there: a century, which all stores can count.
const AGES: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The versions that entries depend on, and how long they have to live.
#[derive(Default)]
pub(super) struct Lasting {
    scopes: Vec<String>,
    longest: Nanos,
    /// Those of what never expires.
    ever: Vec<String>,
}

impl Lasting {
    pub(super) fn of<'a>(tier: &Tier, entries: impl Iterator<Item = &'a Written<'a>>) -> Self {
        let mut all = Lasting::default();
        for entry in entries {
            all.add(tier, &entry.names.scopes, entry.useful);
        }
        for scopes in [&mut all.scopes, &mut all.ever] {
            scopes.sort_unstable();
            scopes.dedup();
        }
        all
    }

    pub(super) fn add(&mut self, tier: &Tier, scopes: &[String], lifetime: Nanos) {
        let keys = scopes.iter().map(|scope| tier.version_key(scope));
        match lifetime {
            NEVER => self.ever.extend(keys),
            lifetime => {
                self.longest = self.longest.max(lifetime);
                self.scopes.extend(keys);
            }
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
