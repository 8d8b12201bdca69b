//! The most recent operations, for the dashboard.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::SystemTime;

use super::Event;
use crate::sync::lock;

/// How many are kept.
const MOST: usize = 200;

/// An event, and when it was; one of [`Cache::operations`](crate::Cache::operations).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Operation {
    /// When it was.
    pub at: SystemTime,
    /// What happened.
    pub event: Event,
}

#[derive(Default)]
pub(super) struct Recent(Mutex<VecDeque<Operation>>);

impl Recent {
    pub(super) fn add(&self, at: SystemTime, event: Event) {
        let mut all = lock(&self.0);
        let last = (all.len() >= MOST).then(|| all.pop_back());
        all.push_front(Operation { at, event });
        drop(all);
        drop(last);
    }

    pub(super) fn all(&self) -> Vec<Operation> {
        lock(&self.0).iter().cloned().collect()
    }
}
