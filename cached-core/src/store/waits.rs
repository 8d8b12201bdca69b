//! Waiting for what another process loads.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::tier::Tier;
use crate::sync::lock;

/// Who waits for which lease. There are as many as there are calls that wait.
#[derive(Default)]
pub(super) struct Waits(Mutex<HashMap<String, Vec<Arc<Wait>>>>);

#[derive(Default)]
struct Wait {
    told: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// Hears that one of several loads has ended, from when it is made until it is dropped.
pub(crate) struct Told {
    waits: Arc<Waits>,
    leases: Vec<String>,
    wait: Arc<Wait>,
}

impl Tier {
    /// Hears of the end of the loads with these leases.
    pub(crate) fn wait_for(&self, leases: Vec<String>) -> Told {
        let (waits, wait) = (Arc::clone(&self.channel.waits), Arc::default());
        let mut all = lock(&waits.0);
        for lease in &leases {
            let those = all.entry(lease.clone()).or_default();
            those.push(Arc::clone(&wait));
        }
        drop(all);
        Told {
            waits,
            leases,
            wait,
        }
    }

    /// Whether this process hears what others say.
    pub(crate) fn tells(&self) -> bool {
        self.channel.is_up()
    }
}

impl Waits {
    /// The load with this lease has ended.
    pub(super) fn wake(&self, lease: &str) {
        let those = lock(&self.0).get(lease).cloned().unwrap_or_default();
        for wait in those {
            wait.told.store(true, Ordering::SeqCst);
            let waker = lock(&wait.waker).take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl Told {
    /// Whether it hears of exactly these.
    pub(crate) fn is_of(&self, leases: &[String]) -> bool {
        self.leases == leases
    }

    /// Waits until one of them has ended, or until something else has.
    pub(crate) async fn within(&self, limit: impl Future<Output = ()>) {
        let mut limit = pin!(limit);
        std::future::poll_fn(|cx| {
            *lock(&self.wait.waker) = Some(cx.waker().clone());
            match self.wait.told.swap(false, Ordering::SeqCst) {
                true => Poll::Ready(()),
                false => limit.as_mut().poll(cx),
            }
        })
        .await
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let mut all = lock(&self.waits.0);
        for lease in &self.leases {
            if let Some(those) = all.get_mut(lease) {
                those.retain(|wait| !Arc::ptr_eq(wait, &self.wait));
                if those.is_empty() {
                    all.remove(lease);
                }
            }
        }
    }
}
