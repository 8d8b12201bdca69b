use super::{Glob, Order, PATTERNS, Ticks, Verdict};

fn hard(scopes: &[u64]) -> Order {
    Order {
        scopes: scopes.to_vec(),
        ..Order::default()
    }
}

#[test]
fn a_load_that_began_before_an_invalidation_is_invalid_after_it() {
    let ticks = Ticks::new(100);
    let began = ticks.now();
    ticks.invalidate(&hard(&[7]));
    assert_eq!(ticks.check([7, 8].into_iter(), "", began), Verdict::Invalid);
    assert_eq!(ticks.check([8].into_iter(), "", began), Verdict::Valid);
    assert_eq!(
        ticks.check([7].into_iter(), "", ticks.now()),
        Verdict::Valid
    );
}

#[test]
fn a_soft_invalidation_expires_and_a_hard_one_outweighs_it() {
    let ticks = Ticks::new(100);
    ticks.invalidate(&Order {
        soft: true,
        ..hard(&[7])
    });
    assert_eq!(ticks.check([7].into_iter(), "", 0), Verdict::Expired);
    ticks.invalidate(&hard(&[7]));
    assert_eq!(ticks.check([7].into_iter(), "", 0), Verdict::Invalid);
    assert_eq!(ticks.check([7].into_iter(), "", 2), Verdict::Valid);
}

#[test]
fn everything_is_one_tick() {
    let ticks = Ticks::new(100);
    let began = ticks.now();
    ticks.invalidate(&Order {
        all: true,
        ..Order::default()
    });
    assert_eq!(ticks.check([].into_iter(), "", began), Verdict::Invalid);
    assert_eq!(ticks.check([].into_iter(), "", ticks.now()), Verdict::Valid);
}

#[test]
fn a_pattern_holds_for_prefixes_nobody_has_seen() {
    let ticks = Ticks::new(100);
    ticks.invalidate(&Order {
        patterns: vec![Glob::new("product_*")],
        ..Order::default()
    });
    assert_eq!(
        ticks.check([].into_iter(), "product_list:1", 0),
        Verdict::Invalid
    );
    assert_eq!(ticks.check([].into_iter(), "user:1", 0), Verdict::Valid);
    assert_eq!(
        ticks.check([].into_iter(), "product_list:1", 1),
        Verdict::Valid
    );
}

#[test]
fn a_full_table_forgets_nothing_that_could_be_stale() {
    for capacity in 1..8 {
        let ticks = Ticks::new(capacity);
        for scope in 0..50 {
            let began = ticks.now();
            ticks.invalidate(&hard(&[scope]));
            for known in 0..=scope {
                // Scope `known` was invalidated at tick `known + 1`.
                assert_ne!(
                    ticks.check([known].into_iter(), "", known),
                    Verdict::Valid,
                    "{capacity} {known}"
                );
            }
            assert_eq!(
                ticks.check([scope].into_iter(), "", began),
                Verdict::Invalid
            );
            assert_eq!(
                ticks.check([scope].into_iter(), "", ticks.now()),
                Verdict::Valid
            );
        }
    }
}

#[test]
fn many_scopes_in_one_step_survive_a_turn_of_the_tables() {
    let ticks = Ticks::new(3);
    let scopes: Vec<u64> = (0..10).collect();
    ticks.invalidate(&hard(&scopes));
    for scope in scopes {
        assert_eq!(ticks.check([scope].into_iter(), "", 0), Verdict::Invalid);
    }
}

#[test]
fn more_patterns_than_are_kept_invalidate_all_that_is_older() {
    let ticks = Ticks::new(100);
    ticks.invalidate(&Order {
        patterns: vec![Glob::new("first*")],
        ..Order::default()
    });
    for n in 0..PATTERNS {
        let glob = Glob::new(&format!("other{n}*"));
        ticks.invalidate(&Order {
            patterns: vec![glob],
            ..Order::default()
        });
    }
    assert_eq!(ticks.check([].into_iter(), "first:1", 0), Verdict::Invalid);
    assert_eq!(ticks.check([].into_iter(), "first:1", 1), Verdict::Valid);
}
