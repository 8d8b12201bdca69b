//! How a cache was built, for people.

use std::time::Duration;

use super::Cache;
use crate::clock::{NEVER, Nanos};

/// A setting by its name, and its value in words.
pub(crate) type Said = (&'static str, String);

impl Cache {
    /// The settings by their names, without credentials and keys.
    pub(crate) fn configuration(&self) -> Vec<Said> {
        let engine = self.engine();
        let limit = engine.memory.as_ref().map(|memory| memory.limit());
        let alone = if limit.is_some() { "memory" } else { "null" };
        let pages = engine.memory.as_ref().and_then(|it| it.page_limit());
        let all = vec![
            ("store", alone.to_owned()),
            ("limit", limit.unwrap_or_else(|| "-".to_owned())),
            ("limit of pages", pages.unwrap_or_else(|| "-".to_owned())),
            ("default timeout", time(engine.default_timeout)),
            ("longest wait for another's load", time(engine.wait_limit)),
            ("event keys", engine.watch.keys().name().to_owned()),
        ];
        #[cfg(feature = "stores")]
        if let Some(tier) = &engine.tier {
            let mut all = all;
            all[0].1 = format!("memory, then {}", tier.store().describe());
            all[1].0 = "limit of memory";
            all.extend(tier.configuration());
            return all;
        }
        all
    }
}

pub(crate) fn time(nanos: Nanos) -> String {
    match nanos {
        NEVER => "never".to_owned(),
        nanos => format!("{:?}", Duration::from_nanos(nanos)),
    }
}
