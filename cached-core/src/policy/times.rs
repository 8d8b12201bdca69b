//! The times of one entry, and what they mean at a moment.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Policy;
use crate::clock::{NEVER, Nanos};

/// The times of an entry to be.
pub(crate) struct Times {
    /// Before then, there is nothing to think about. Without windows it expires then.
    pub(crate) fresh: Nanos,
    pub(crate) windows: Option<Box<Windows>>,
}

/// The times of an entry beside its expiry: most have none.
pub(crate) struct Windows {
    /// A soft invalidation moves it forward.
    expires: AtomicU64,
    refresh: Nanos,
    last_read: AtomicU64,
    /// Until when memory may vouch for a copy of what a shared store has.
    #[cfg(feature = "stores")]
    vouched: Nanos,
    /// For how long it had expired when it came.
    #[cfg(feature = "stores")]
    past: Nanos,
    /// It is of no use from then on, whatever its windows.
    #[cfg(feature = "tower")]
    ends: Nanos,
    /// No load before then: the last one failed.
    retry: AtomicU64,
    policy: &'static Policy,
}

/// Until when an entry may be served, and in which way.
#[derive(Clone, Copy)]
pub(crate) struct Deadlines<'a> {
    pub(crate) fresh: &'a AtomicU64,
    pub(crate) windows: Option<&'a Windows>,
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
    pub(super) fn new(now: Nanos, expires: Nanos, refresh: Nanos, policy: &'static Policy) -> Self {
        if refresh == NEVER && !policy.has_windows() {
            return Times {
                fresh: expires,
                windows: None,
            };
        }
        Times {
            fresh: if policy.idle == 0 {
                expires.min(refresh)
            } else {
                0
            },
            windows: Some(Box::new(Windows::new(now, expires, refresh, policy))),
        }
    }

    /// Those of a copy that comes now, and expired so long ago.
    #[cfg(feature = "stores")]
    pub(crate) fn expired(now: Nanos, past: Nanos, policy: &'static Policy) -> Self {
        let mut windows = Windows::new(now, now, NEVER, policy);
        windows.past = past;
        Times {
            fresh: 0,
            windows: Some(Box::new(windows)),
        }
    }

    /// The entry is a copy, and good for nothing after `until`.
    #[cfg(feature = "stores")]
    pub(crate) fn vouch_until(mut self, now: Nanos, until: Nanos) -> Self {
        if until == NEVER {
            return self;
        }
        let expires = self.fresh;
        let new = || Box::new(Windows::new(now, expires, NEVER, &Policy::DEFAULT));
        self.windows.get_or_insert_with(new).vouched = until;
        self.fresh = self.fresh.min(until);
        self
    }

    /// What has windows is of no use from then on, wherever in them it is.
    #[cfg(feature = "tower")]
    pub(crate) fn end_at(mut self, end: Nanos) -> Self {
        if let Some(windows) = &mut self.windows {
            windows.ends = end;
        }
        self
    }
}

impl Windows {
    fn new(now: Nanos, expires: Nanos, refresh: Nanos, policy: &'static Policy) -> Self {
        Windows {
            expires: AtomicU64::new(expires),
            refresh,
            last_read: AtomicU64::new(now),
            #[cfg(feature = "stores")]
            vouched: NEVER,
            #[cfg(feature = "stores")]
            past: 0,
            #[cfg(feature = "tower")]
            ends: NEVER,
            retry: AtomicU64::new(0),
            policy,
        }
    }

    fn judge(&self, now: Nanos) -> Judgement {
        if self.policy.idle != 0 && self.idle_until() <= now {
            return Judgement::Expired;
        }
        #[cfg(feature = "stores")]
        if now >= self.vouched {
            return Judgement::Expired;
        }
        #[cfg(feature = "tower")]
        if now >= self.ends {
            return Judgement::Expired;
        }
        let expires = self.expires.load(Ordering::Relaxed);
        if now < expires {
            if now >= self.refresh && now >= self.retry.load(Ordering::Relaxed) {
                return Judgement::Refresh;
            }
            return Judgement::Fresh;
        }
        self.judge_stale(now, expires)
    }

    /// Remembers a read, if there is an idle timeout.
    fn read(&self, now: Nanos) {
        let idle = self.policy.idle;
        if idle == 0 {
            return;
        }
        let known = self.last_read.load(Ordering::Relaxed);
        if now.saturating_sub(known) > idle / 1024 {
            self.last_read.fetch_max(now, Ordering::Relaxed);
        }
    }

    fn judge_stale(&self, now: Nanos, expires: Nanos) -> Judgement {
        let past = self.past(now, expires);
        let (revalidate, error) = self.stale();
        let throttled = now < self.retry.load(Ordering::Relaxed);
        if throttled && past < revalidate.max(error) {
            Judgement::Throttled
        } else if past < revalidate {
            Judgement::Revalidate
        } else if past < error {
            Judgement::OnError
        } else {
            Judgement::Expired
        }
    }

    /// How long ago the entry expired.
    fn past(&self, now: Nanos, expires: Nanos) -> Nanos {
        let past = now.saturating_sub(expires);
        #[cfg(feature = "stores")]
        let past = past.saturating_add(self.past);
        past
    }

    /// The windows after expiry: while it is refreshed, and where a load fails.
    fn stale(&self) -> (Nanos, Nanos) {
        (
            self.policy.stale_while_revalidate,
            self.policy.stale_if_error,
        )
    }

    fn idle_until(&self) -> Nanos {
        let last_read = self.last_read.load(Ordering::Relaxed);
        last_read.saturating_add(self.policy.idle)
    }
}

impl Deadlines<'_> {
    /// Whether the entry is fresh at any time up to `latest`, as far as can be told at a glance.
    #[inline]
    pub(crate) fn fresh_until(self, latest: Nanos) -> bool {
        latest < self.fresh.load(Ordering::Relaxed)
    }

    /// What the entry is good for now.
    pub(crate) fn judge(self, now: Nanos) -> Judgement {
        match self.windows {
            Some(windows) => windows.judge(now),
            None if now < self.fresh.load(Ordering::Relaxed) => Judgement::Fresh,
            None => Judgement::Expired,
        }
    }

    fn expiry(&self) -> &AtomicU64 {
        self.windows.map_or(self.fresh, |windows| &windows.expires)
    }

    /// Whether the entry may be served because its load failed.
    pub(crate) fn good_on_error(self, now: Nanos) -> bool {
        let Some(windows) = self.windows else {
            return false;
        };
        let (revalidate, error) = windows.stale();
        let expires = windows.expires.load(Ordering::Relaxed);
        windows.past(now, expires) < error.max(revalidate)
    }

    /// Until when memory may vouch for a copy of what a shared store has.
    #[cfg(feature = "stores")]
    pub(crate) fn vouched(self) -> Nanos {
        self.windows.map_or(NEVER, |windows| windows.vouched)
    }

    /// Remembers a read, where that matters: to a thousandth of the idle timeout, so that threads
    /// which read the same entry do not write to it all the time.
    #[inline]
    pub(crate) fn read(self, now: Nanos) {
        if let Some(windows) = self.windows {
            windows.read(now);
        }
    }

    /// Counts as expired from now on.
    pub(crate) fn expire(self, now: Nanos) {
        self.expiry().fetch_min(now, Ordering::Relaxed);
        self.fresh.fetch_min(now, Ordering::Relaxed);
    }

    /// No load before `until`.
    pub(crate) fn throttle(self, until: Nanos) {
        if let Some(windows) = self.windows {
            windows.retry.fetch_max(until, Ordering::Relaxed);
        }
    }

    /// Lives for `lifetime` from now on, unless it has expired.
    pub(crate) fn renew(self, now: Nanos, lifetime: Nanos) -> bool {
        let expires = if lifetime == NEVER {
            NEVER
        } else {
            now.saturating_add(lifetime)
        };
        let alive = |old: Nanos| (old > now).then_some(expires);
        let renewed = self
            .expiry()
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, alive)
            .is_ok();
        if renewed && self.windows.is_some() {
            // Never longer: that is for the windows to say.
            self.fresh.fetch_min(expires, Ordering::Relaxed);
        }
        renewed
    }

    /// How long ago the entry expired; none while it has not.
    #[cfg(feature = "tower")]
    pub(crate) fn past(self, now: Nanos) -> Option<Nanos> {
        now.checked_sub(self.expiry().load(Ordering::Relaxed))
    }

    /// How long the entry is fresh still; [`NEVER`] for one without a timeout.
    pub(crate) fn left(self, now: Nanos) -> Nanos {
        let idle = match self.windows {
            Some(windows) if windows.policy.idle != 0 => windows.idle_until(),
            _ => NEVER,
        };
        match self.expiry().load(Ordering::Relaxed).min(idle) {
            NEVER => NEVER,
            end => end.saturating_sub(now),
        }
    }
}
