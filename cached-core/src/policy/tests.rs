use super::{Judgement, Policy};
use crate::clock::NEVER;

const BASE: Policy = Policy::DEFAULT.timeout(1000);

fn judge(policy: Policy, at: u64) -> Judgement {
    policy.times(0, policy.lifetime(300), 0).judge(at)
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
    let times = policy.times(0, 1000, 0);
    times.throttle(1200);
    assert_eq!(times.judge(900), Judgement::Fresh);
    assert_eq!(times.judge(1100), Judgement::Throttled);
    assert_eq!(times.judge(1200), Judgement::OnError);
    times.throttle(9000);
    assert_eq!(
        times.judge(1500),
        Judgement::Expired,
        "the throttle does not lengthen the window"
    );
}

#[test]
fn an_idle_entry_dies_and_a_read_one_lives_on() {
    let times = BASE.idle_timeout(100).times(0, 1000, 0);
    times.read(50);
    assert_eq!(times.judge(149), Judgement::Fresh);
    assert_eq!(times.judge(150), Judgement::Expired);
}

#[test]
fn jitter_only_shortens() {
    for random in [0, 1, 99, 100, 12345, u64::MAX] {
        let times = BASE.jitter_per_mille(100).times(0, 1000, random);
        assert!((901..=1000).contains(&times.left(0)), "{}", times.left(0));
        let times = BASE.jitter(300).times(0, 1000, random);
        assert!((701..=1000).contains(&times.left(0)), "{}", times.left(0));
    }
    assert_eq!(BASE.jitter_per_mille(100).times(0, NEVER, 7).left(0), NEVER);
}

#[test]
fn the_largest_timeout_overflows_nothing() {
    let times = Policy::DEFAULT
        .timeout(NEVER - 1)
        .times(u64::MAX / 2, NEVER - 1, 0);
    assert_eq!(times.judge(u64::MAX / 2 + 1), Judgement::Fresh);
}
