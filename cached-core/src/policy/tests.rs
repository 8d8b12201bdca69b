use super::{Deadlines, Judgement, Policy, Windows};
use crate::clock::NEVER;
use std::sync::atomic::AtomicU64;

const BASE: Policy = Policy::DEFAULT.timeout(1000);

/// The times of an entry that is stored at 0.
struct Stored {
    fresh: AtomicU64,
    windows: Option<Box<Windows>>,
}

impl Stored {
    fn new(policy: Policy, now: u64, lifetime: u64, random: u64) -> Self {
        let policy: &'static Policy = Box::leak(Box::new(policy));
        let times = policy.times(now, lifetime, random);
        Stored {
            fresh: AtomicU64::new(times.fresh),
            windows: times.windows,
        }
    }

    fn times(&self) -> Deadlines<'_> {
        Deadlines {
            fresh: &self.fresh,
            windows: self.windows.as_deref(),
        }
    }

    /// At a glance and looked at closely.
    fn judge(&self, at: u64) -> Judgement {
        let judged = self.times().judge(at);
        assert!(!self.times().fresh_until(at) || judged == Judgement::Fresh);
        judged
    }
}

fn judge(policy: Policy, at: u64) -> Judgement {
    Stored::new(policy, 0, policy.lifetime(300), 0).judge(at)
}

#[test]
fn an_entry_is_fresh_up_to_its_timeout() {
    assert_eq!(judge(BASE, 999), Judgement::Fresh);
    assert_eq!(judge(BASE, 1000), Judgement::Expired);
    assert_eq!(judge(Policy::DEFAULT, 299), Judgement::Fresh);
    assert_eq!(judge(Policy::DEFAULT, 300), Judgement::Expired);
    assert_eq!(judge(Policy::DEFAULT.never(), NEVER - 1), Judgement::Fresh);
}

#[test]
fn stale_windows_follow_expiry() {
    let policy = BASE.stale_while_revalidate(10).stale_if_error(100);
    assert_eq!(judge(policy, 1009), Judgement::Revalidate);
    assert_eq!(judge(policy, 1010), Judgement::OnError);
    assert_eq!(judge(policy, 1100), Judgement::Expired);
}

#[test]
fn a_refresh_is_due_past_its_fraction() {
    let policy = BASE.refresh_ahead(800);
    assert_eq!(judge(policy, 799), Judgement::Fresh);
    assert_eq!(judge(policy, 800), Judgement::Refresh);
    assert_eq!(judge(policy, 1000), Judgement::Expired);
}

#[test]
fn a_failed_load_throttles_the_next() {
    let policy = BASE.refresh_ahead(800).stale_if_error(500);
    let stored = Stored::new(policy, 0, 1000, 0);
    stored.times().throttle(1200);
    assert_eq!(stored.judge(900), Judgement::Fresh);
    assert_eq!(stored.judge(1100), Judgement::Throttled);
    assert_eq!(stored.judge(1200), Judgement::OnError);
    stored.times().throttle(9000);
    assert_eq!(
        stored.judge(1500),
        Judgement::Expired,
        "the throttle does not lengthen the window"
    );
}

#[test]
fn an_idle_entry_dies_and_a_read_one_lives_on() {
    let stored = Stored::new(BASE.idle_timeout(100), 0, 1000, 0);
    stored.times().read(50);
    assert_eq!(stored.judge(149), Judgement::Fresh);
    assert_eq!(stored.judge(150), Judgement::Expired);
}

#[test]
fn a_renewed_entry_lives_on_and_an_expired_one_stays_so() {
    for policy in [BASE, BASE.stale_if_error(10)] {
        let stored = Stored::new(policy, 0, 1000, 0);
        assert!(stored.times().renew(500, 5000));
        assert_eq!(stored.judge(5499), Judgement::Fresh);
        assert!(stored.times().renew(500, 100));
        assert_eq!(stored.judge(599), Judgement::Fresh);
        assert_ne!(stored.judge(600), Judgement::Fresh);
        assert!(!stored.times().renew(600, 100));
        stored.times().expire(50);
        assert_ne!(stored.judge(50), Judgement::Fresh);
    }
}

fn left(policy: Policy, lifetime: u64, random: u64) -> u64 {
    Stored::new(policy, 0, lifetime, random).times().left(0)
}

#[test]
fn jitter_only_shortens() {
    for random in [0, 1, 99, 100, 12345, u64::MAX] {
        let left = left(BASE.jitter_per_mille(100), 1000, random);
        assert!((901..=1000).contains(&left), "{left}");
        let left = self::left(BASE.jitter(300), 1000, random);
        assert!((701..=1000).contains(&left), "{left}");
    }
    assert_eq!(left(BASE.jitter_per_mille(100), NEVER, 7), NEVER);
}

#[test]
fn the_largest_timeout_overflows_nothing() {
    let stored = Stored::new(
        Policy::DEFAULT.timeout(NEVER - 1),
        u64::MAX / 2,
        NEVER - 1,
        0,
    );
    assert_eq!(stored.judge(u64::MAX / 2 + 1), Judgement::Fresh);
}
