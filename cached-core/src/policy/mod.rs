//! How long results are kept: plain data, and pure functions of (policy, entry's times, now).
//!
//! Nothing here reads a clock or touches a cache.

mod times;

pub(crate) use times::{Deadlines, Judgement, Times, Windows};

use std::time::Duration;

use crate::clock::{NEVER, Nanos, nanos};

/// What the options of one function say about time and loading, ready at compile time.
///
/// All lengths are nanoseconds; zero stands for "not asked for".
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub(crate) timeout: Timeout,
    pub(crate) idle: Nanos,
    pub(crate) stale_while_revalidate: Nanos,
    pub(crate) stale_if_error: Nanos,
    pub(crate) retry: Nanos,
    pub(crate) refresh_ahead: u16,
    pub(crate) soft: Nanos,
    pub(crate) hard: Nanos,
    pub(crate) jitter: Jitter,
    pub(crate) single_flight: bool,
    pub(crate) detach: bool,
    pub(crate) none: Negative,
    pub(crate) err: Negative,
    /// Kept in this process only.
    pub(crate) local: bool,
    /// One load for all processes.
    #[cfg_attr(
        not(feature = "stores"),
        allow(dead_code, reason = "without a store there is one process")
    )]
    pub(crate) distributed: bool,
}

/// A time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// The cache's own.
    Default,
    For(Nanos),
    Never,
}

/// How expiry is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jitter {
    None,
    PerMille(u16),
    UpTo(Nanos),
}

/// Whether `None` or an error is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Negative {
    No,
    AsLong,
    For(Nanos),
}

/// How long after a load that failed the next one is tried, where the user says nothing.
pub(crate) const RETRY: Nanos = 1_000_000_000;

impl Policy {
    /// Every option left out.
    pub const DEFAULT: Policy = Policy {
        timeout: Timeout::Default,
        idle: 0,
        stale_while_revalidate: 0,
        stale_if_error: 0,
        retry: RETRY,
        refresh_ahead: 0,
        soft: 0,
        hard: 0,
        jitter: Jitter::None,
        single_flight: true,
        detach: true,
        none: Negative::No,
        err: Negative::No,
        local: false,
        distributed: false,
    };
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $t:ty),*) $field:ident = $value:expr;)*) => {
        impl Policy {$(
            $(#[$doc])*
            #[must_use]
            pub const fn $name(mut self, $($arg: $t),*) -> Self {
                self.$field = $value;
                self
            }
        )*}
    };
}

setters! {
    /// `timeout`, in nanoseconds.
    timeout(n: u64) timeout = Timeout::For(n);
    /// `timeout = never`.
    never() timeout = Timeout::Never;
    /// `idle_timeout`, in nanoseconds.
    idle_timeout(n: u64) idle = n;
    /// `stale_while_revalidate`, in nanoseconds.
    stale_while_revalidate(n: u64) stale_while_revalidate = n;
    /// `stale_if_error`, in nanoseconds.
    stale_if_error(n: u64) stale_if_error = n;
    /// How long after a load that failed the next one is tried, in nanoseconds.
    retry(n: u64) retry = n;
    /// `refresh_ahead`, in thousandths of the timeout.
    refresh_ahead(n: u16) refresh_ahead = n;
    /// `soft_timeout`, in nanoseconds.
    soft_timeout(n: u64) soft = n;
    /// `hard_timeout`, in nanoseconds.
    hard_timeout(n: u64) hard = n;
    /// `jitter`, in thousandths of the timeout.
    jitter_per_mille(n: u16) jitter = Jitter::PerMille(n);
    /// `jitter`, in nanoseconds.
    jitter(n: u64) jitter = Jitter::UpTo(n);
    /// `single_flight = false`.
    no_single_flight() single_flight = false;
    /// `single_flight = "distributed"`.
    distributed() distributed = true;
    /// `detach = false`.
    no_detach() detach = false;
    /// `cache_none`.
    cache_none() none = Negative::AsLong;
    /// `cache_none`, in nanoseconds.
    cache_none_for(n: u64) none = Negative::For(n);
    /// `cache_err`.
    cache_err() err = Negative::AsLong;
    /// `local`.
    local() local = true;
    /// `cache_err`, in nanoseconds.
    cache_err_for(n: u64) err = Negative::For(n);
}

impl Policy {
    /// The time to live, given the cache's own.
    pub(crate) fn lifetime(&self, default: Nanos) -> Nanos {
        match self.timeout {
            Timeout::Default => default,
            Timeout::For(n) => n,
            Timeout::Never => NEVER,
        }
    }

    /// The deadlines of an entry stored now that lives for `lifetime`.
    ///
    /// `random` is any number: it decides where in the jitter's range the expiry falls.
    pub(crate) fn times(&'static self, now: Nanos, lifetime: Nanos, random: u64) -> Times {
        let lifetime = lifetime.saturating_sub(self.spread(lifetime, random));
        let expires = if lifetime == NEVER {
            NEVER
        } else {
            now.saturating_add(lifetime)
        };
        let refresh = match self.refresh_ahead {
            0 => NEVER,
            _ if lifetime == NEVER => NEVER,
            part => now.saturating_add(lifetime / 1000 * u64::from(part)),
        };
        Times::new(now, expires, refresh, self)
    }

    /// How long an entry may be served after its expiry, for whatever reason.
    #[cfg(feature = "stores")]
    pub(crate) fn stale(&self) -> Nanos {
        self.stale_while_revalidate.max(self.stale_if_error)
    }

    /// How long an entry that lives for `lifetime` is of use on a shared store, where nobody knows of
    /// reads: what nobody may have read for `idle_timeout` is of none.
    #[cfg(feature = "stores")]
    pub(crate) fn useful(&self, lifetime: Nanos) -> Nanos {
        let useful = lifetime.saturating_add(self.stale());
        match self.idle {
            0 => useful,
            idle => useful.min(idle),
        }
    }

    /// Whether there is more to the times of an entry than when it expires.
    fn has_windows(&self) -> bool {
        self.idle != 0 || self.stale_while_revalidate != 0 || self.stale_if_error != 0
    }

    /// By how much the jitter shortens a lifetime: an entry never lives longer than was asked for.
    pub(crate) fn spread(&self, lifetime: Nanos, random: u64) -> Nanos {
        let range = match self.jitter {
            Jitter::None => 0,
            _ if lifetime == NEVER => 0,
            Jitter::PerMille(part) => lifetime / 1000 * u64::from(part.min(1000)),
            Jitter::UpTo(most) => most.min(lifetime.saturating_sub(1)),
        };
        if range == 0 { 0 } else { random % range }
    }
}

/// A time to live that the value itself brings: `|v| v.max_age()`.
///
/// ```
/// use std::time::Duration;
///
/// #[dewar::cached(timeout = |page: &(String, Duration)| page.1)]
/// fn page(id: u64) -> (String, Duration) {
///     (format!("page {id}"), Duration::from_secs(30))
/// }
/// # page(1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time to live",
    label = "expected a `Duration`, or an `Option<Duration>` where `None` means never"
)]
pub trait IntoTimeout {
    /// In nanoseconds.
    #[doc(hidden)]
    fn into_timeout(self) -> u64;
}

impl IntoTimeout for Duration {
    fn into_timeout(self) -> u64 {
        nanos(self)
    }
}

impl IntoTimeout for Option<Duration> {
    fn into_timeout(self) -> u64 {
        self.map_or(NEVER, nanos)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
