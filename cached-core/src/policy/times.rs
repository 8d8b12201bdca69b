//! The times of one entry, and what they mean at a moment.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Policy;
use crate::clock::{NEVER, Nanos};

/// When an entry was stored, and until when it may be served in which way.
pub(crate) struct Times {
    /// A soft invalidation moves it forward.
    expires: AtomicU64,
    refresh: Nanos,
    /// Before then, and before it expires, there is nothing to think about.
    carefree: Nanos,
    /// Windows after expiry.
    revalidate: Nanos,
    error: Nanos,
    idle: Nanos,
    last_read: AtomicU64,
    /// Until when memory may vouch for a copy of what a shared store has.
    #[cfg(feature = "stores")]
    vouched: Nanos,
    /// No load before then: the last one failed.
    retry: AtomicU64,
}

/// What an entry is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Served.
    Fresh,
    /// Served, and due for a refresh in the background.
    Refresh,
    /// Expired, but served while one load refreshes it.
    Revalidate,
    /// Expired, and served without a load: the last one failed a moment ago.
    Throttled,
    /// Expired; served only if the load fails.
    OnError,
    /// Of no use any more.
    Expired,
}

impl Times {
    pub(super) fn new(now: Nanos, expires: Nanos, refresh: Nanos, policy: &Policy) -> Self {
        Times {
            expires: AtomicU64::new(expires),
            refresh,
            carefree: if policy.idle == 0 { refresh } else { 0 },
            revalidate: policy.stale_while_revalidate,
            error: policy.stale_if_error,
            idle: policy.idle,
            last_read: AtomicU64::new(now),
            #[cfg(feature = "stores")]
            vouched: NEVER,
            retry: AtomicU64::new(0),
        }
    }

    /// Whether the entry is fresh at any time up to `latest`, as far as can be told at a glance.
    #[inline]
    pub(crate) fn fresh_until(&self, latest: Nanos) -> bool {
        latest < self.expires.load(Ordering::Relaxed) && latest < self.carefree
    }

    /// What the entry is good for now.
    pub(crate) fn judge(&self, now: Nanos) -> Judgement {
        let expires = self.expires.load(Ordering::Relaxed);
        if self.idle != 0 && self.idle_until() <= now {
            return Judgement::Expired;
        }
        #[cfg(feature = "stores")]
        if now >= self.vouched {
            return Judgement::Expired;
        }
        if now < expires {
            if now >= self.refresh && now >= self.retry.load(Ordering::Relaxed) {
                return Judgement::Refresh;
            }
            return Judgement::Fresh;
        }
        self.judge_stale(now, expires)
    }

    /// The entry is a copy, and good for nothing after `until`.
    #[cfg(feature = "stores")]
    pub(crate) fn vouch_until(mut self, until: Nanos) -> Self {
        self.vouched = until;
        self.carefree = self.carefree.min(until);
        self
    }

    fn judge_stale(&self, now: Nanos, expires: Nanos) -> Judgement {
        let past = now - expires;
        let throttled = now < self.retry.load(Ordering::Relaxed);
        if throttled && past < self.revalidate.max(self.error) {
            Judgement::Throttled
        } else if past < self.revalidate {
            Judgement::Revalidate
        } else if past < self.error {
            Judgement::OnError
        } else {
            Judgement::Expired
        }
    }

    fn idle_until(&self) -> Nanos {
        self.last_read
            .load(Ordering::Relaxed)
            .saturating_add(self.idle)
    }

    /// Whether the entry may be served because its load failed.
    pub(crate) fn good_on_error(&self, now: Nanos) -> bool {
        let past = now.saturating_sub(self.expires.load(Ordering::Relaxed));
        past < self.error.max(self.revalidate)
    }

    /// Remembers a read, where that matters: to a thousandth of the idle timeout, so that threads
    /// which read the same entry do not write to it all the time.
    #[inline]
    pub(crate) fn read(&self, now: Nanos) {
        if self.idle == 0 {
            return;
        }
        let known = self.last_read.load(Ordering::Relaxed);
        if now.saturating_sub(known) > self.idle / 1024 {
            self.last_read.fetch_max(now, Ordering::Relaxed);
        }
    }

    /// Counts as expired from now on.
    pub(crate) fn expire(&self, now: Nanos) {
        self.expires.fetch_min(now, Ordering::Relaxed);
    }

    /// No load before `until`.
    pub(crate) fn throttle(&self, until: Nanos) {
        self.retry.fetch_max(until, Ordering::Relaxed);
    }

    /// Lives for `lifetime` from now on, unless it has expired.
    pub(crate) fn renew(&self, now: Nanos, lifetime: Nanos) -> bool {
        let expires = if lifetime == NEVER {
            NEVER
        } else {
            now.saturating_add(lifetime)
        };
        let alive = |old: Nanos| (old > now).then_some(expires);
        self.expires
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, alive)
            .is_ok()
    }

    /// How long the entry is fresh still; [`NEVER`] for one without a timeout.
    pub(crate) fn left(&self, now: Nanos) -> Nanos {
        let idle = if self.idle == 0 {
            NEVER
        } else {
            self.idle_until()
        };
        match self.expires.load(Ordering::Relaxed).min(idle) {
            NEVER => NEVER,
            end => end.saturating_sub(now),
        }
    }
}
