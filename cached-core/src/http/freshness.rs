//! How long a response is fresh, how old it is, and what it is good for past that
//! (RFC 9111, section 4.2; RFC 5861).

use http::header::{AGE, DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};

use super::control::{Control, MOST, digits};
use super::date::{self, Seconds};
use super::policy::{Statuses, ViewPolicy};
use super::targeted;
use crate::clock::Nanos;

const SECOND: Nanos = 1_000_000_000;

/// Seconds as the clock counts.
pub(crate) fn nanos(seconds: u64) -> Nanos {
    seconds.saturating_mul(SECOND)
}

/// When a response was asked for and received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) asked: Nanos,
    pub(crate) received: Nanos,
    /// By the wall clock.
    pub(crate) wall: Seconds,
}

/// What is known of a response's freshness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Freshness {
    pub(crate) lifetime: Nanos,
    /// Never to be used without validation, fresh or not.
    pub(crate) validate: bool,
    /// May be given to requests with credentials.
    pub(crate) shared: bool,
    /// How long past its lifetime it may be served while it is loaded afresh.
    pub(crate) while_revalidate: Nanos,
    /// How long past its lifetime it may be served where a fresh one cannot be had.
    pub(crate) if_error: Nanos,
    /// Whether it may be served stale at all.
    pub(crate) may_be_stale: bool,
}

/// The freshness of a response; none if nothing is known of it.
pub(crate) fn of(
    policy: &ViewPolicy,
    status: StatusCode,
    headers: &HeaderMap,
    control: &Control,
    timing: &Timing,
) -> Option<Freshness> {
    let lifetime = explicit(policy, headers, control, timing)
        .map(nanos)
        .or_else(|| heuristic(policy, status, headers, control, timing).map(nanos))
        .or_else(|| {
            policy
                .timeout
                .filter(|_| speaks_for(policy, status, control))
        });
    let lifetime = match lifetime {
        Some(lifetime) => lifetime,
        None if control.no_cache => 0,
        None => return None,
    };
    let forbidden = control.must_revalidate
        || control.proxy_revalidate
        || control.s_maxage.is_some()
        || control.no_cache;
    let window = |said: Option<u64>, policy: Nanos| match said {
        _ if forbidden => 0,
        Some(said) => nanos(said),
        None => policy,
    };
    Some(Freshness {
        lifetime,
        validate: control.no_cache,
        shared: is_shared(control),
        while_revalidate: window(
            control.stale_while_revalidate,
            policy.stale_while_revalidate,
        ),
        if_error: window(control.stale_if_error, policy.stale_if_error),
        may_be_stale: !forbidden,
    })
}

/// Whether the response says that it is for everybody (section 3.5).
pub(crate) fn is_shared(control: &Control) -> bool {
    control.public || control.s_maxage.is_some() || control.must_revalidate
}

/// Whether the policy's own lifetime is for a response of this status: where every status may be
/// stored, it is one that HTTP calls cacheable, or the response says that it may be (section 3).
fn speaks_for(policy: &ViewPolicy, status: StatusCode, control: &Control) -> bool {
    !matches!(policy.statuses, Statuses::Any)
        || control.public
        || is_heuristically_cacheable(status)
}

/// The lifetime that the response states, in seconds.
fn explicit(
    policy: &ViewPolicy,
    headers: &HeaderMap,
    control: &Control,
    timing: &Timing,
) -> Option<u64> {
    if let Some(seconds) = control.s_maxage.or(control.max_age) {
        return Some(seconds);
    }
    if !headers.contains_key(EXPIRES) || targeted::field(policy, headers).is_some() {
        return None;
    }
    // Of several the earliest; one that is no date has passed already.
    let each = headers.get_all(EXPIRES).into_iter();
    let expires = each.map(|line| date::parse(line).unwrap_or(0)).min()?;
    let sent = headers.get(DATE).and_then(date::parse);
    Some(expires.saturating_sub(sent.unwrap_or(timing.wall)))
}

/// A part of the time for which the response has not changed (section 4.2.2).
fn heuristic(
    policy: &ViewPolicy,
    status: StatusCode,
    headers: &HeaderMap,
    control: &Control,
    timing: &Timing,
) -> Option<u64> {
    let part = u64::from(policy.heuristic?);
    if !control.public && !is_heuristically_cacheable(status) {
        return None;
    }
    let modified = headers.get(LAST_MODIFIED).and_then(date::parse)?;
    let sent = headers.get(DATE).and_then(date::parse);
    let unchanged = sent.unwrap_or(timing.wall).checked_sub(modified)?;
    Some(unchanged.saturating_mul(part) / 1000)
}

/// RFC 9110, section 15.1, without 206.
pub(crate) fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

/// The age at the moment a response was received (section 4.2.3).
pub(crate) fn initial_age(headers: &HeaderMap, timing: &Timing) -> Nanos {
    let sent = headers.get(DATE).and_then(date::parse);
    let apparent = timing.wall.saturating_sub(sent.unwrap_or(timing.wall));
    let delay = timing.received.saturating_sub(timing.asked);
    nanos(apparent).max(nanos(stated_age(headers)).saturating_add(delay))
}

/// What `Age` says; a field that is broken or stands there twice says that nobody knows.
///
/// Of a list the first member counts (section 5.1). But `, ` is how lines are joined on the way: then
/// there were two fields.
fn stated_age(headers: &HeaderMap) -> u64 {
    let mut lines = headers.get_all(AGE).iter();
    let age = match (lines.next(), lines.next()) {
        (None, _) => return 0,
        (Some(age), None) => age.as_bytes(),
        _ => return MOST,
    };
    let mut members = age.split(|byte| *byte == b',').map(digits);
    let first = members.next().flatten();
    match first {
        Some(first) if members.all(|member| member.is_some()) => first.min(MOST),
        _ => MOST,
    }
}

#[cfg(test)]
#[path = "freshness_tests.rs"]
mod tests;
