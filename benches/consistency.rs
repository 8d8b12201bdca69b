//! Ten million random operations against the reference model of `tests/consistency`; fails if one
//! read sees what an invalidation had made wrong before it began.
//!
//! ```text
//! cargo bench --bench consistency            # ten million
//! cargo bench --bench consistency -- 1e8     # as many as you like
//! ```

#[path = "../tests/consistency/mod.rs"]
mod run;

use run::{Plan, run};

fn main() {
    let given = std::env::args()
        .skip(1)
        .find_map(|arg| arg.parse::<f64>().ok());
    let operations = given.unwrap_or(1e7) as u64;
    let plans = [
        ("16 keys", Plan::default()),
        (
            "one key",
            Plan {
                keys: 1,
                ..Plan::default()
            },
        ),
        (
            "evicting, forgetful",
            Plan {
                entries: 8,
                remembered: 2,
                ..Plan::default()
            },
        ),
        (
            "reads in the main",
            Plan {
                writes: 1,
                keys: 256,
                ..Plan::default()
            },
        ),
    ];
    let mut violations = 0;
    for (name, plan) in plans {
        let report = run(Plan {
            operations: operations / 4,
            ..plan
        });
        println!("{name:<20} {report}");
        violations += report.violations + report.wrong_when_quiet;
    }
    println!("{operations} operations, {violations} violations");
    assert_eq!(
        violations, 0,
        "a read saw what had been invalidated before it began"
    );
}
