//! Connections that callers' own runtimes drive, where that is asked for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::runtime::Id;

use super::config::{Config, Servers};
use super::link::Link;
use crate::rt::io;
use crate::sync::lock;

/// Of so many runtimes there are connections; the one that came first goes first.
const RUNTIMES: usize = 8;

/// The connections of the runtimes that call; none where it was not asked for.
pub(super) struct Near(Option<(Config, Mutex<Links>)>);

type Links = VecDeque<(Id, Arc<Link>)>;

impl Near {
    pub(super) fn new(config: &Config) -> Self {
        let asked = config.on_caller && !matches!(config.servers, Servers::Cluster(_));
        Near(asked.then(|| (config.clone(), Mutex::default())))
    }

    /// That of the runtime whose task this is.
    pub(super) fn link(&self) -> Option<Arc<Link>> {
        let (config, links) = self.0.as_ref()?;
        let runtime = io::of_caller()?;
        let id = runtime.id();
        let mut links = lock(links);
        if let Some((_, link)) = links.iter().find(|(known, _)| *known == id) {
            return Some(Arc::clone(link));
        }
        let link = Arc::new(Link::new(config, Some(runtime)).ok()?);
        let oldest = (links.len() == RUNTIMES).then(|| links.pop_front());
        links.push_back((id, Arc::clone(&link)));
        drop(links);
        drop(oldest);
        Some(link)
    }
}
