//! Random reads, writes and invalidations on several threads, checked against a reference model.
//!
//! `cargo bench --bench consistency` runs the same for ten million operations and more.

#[path = "consistency/mod.rs"]
mod run;

use run::{Plan, Report, run};

fn short(plan: Plan) -> Report {
    let report = run(plan);
    println!("{report}");
    report
}

#[test]
fn no_read_after_an_invalidation_sees_a_value_loaded_before_it() {
    let report = short(Plan {
        operations: 200_000,
        ..Plan::default()
    });
    assert_eq!(report.violations, 0);
    assert!(report.reads > 100_000 && report.writes > 5_000);
    assert!(report.loads > report.writes / 2, "the cache was worked");
}

#[test]
fn nor_does_it_in_a_cache_that_evicts_and_forgets() {
    let report = short(Plan {
        operations: 100_000,
        entries: 8,
        remembered: 2,
        ..Plan::default()
    });
    assert_eq!(report.violations, 0);
    assert!(report.loads > 10_000);
}

#[test]
fn nor_does_it_when_all_work_on_one_key() {
    let report = short(Plan {
        operations: 100_000,
        keys: 1,
        ..Plan::default()
    });
    assert_eq!(report.violations, 0);
}

#[test]
fn once_quiet_the_cache_agrees_with_the_source() {
    let report = short(Plan {
        operations: 20_000,
        ..Plan::default()
    });
    assert_eq!(report.wrong_when_quiet, 0);
}
