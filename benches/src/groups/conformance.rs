//! How much of HTTP caching is done: figures that another program has counted.

use crate::cli::Effort;
use crate::report::{OURS, Section, Table, Unit};
use crate::summary::Summary;

const ABOUT: &str = "Tests of npm's `http-cache-tests` 0.4.5 that a cache passes behind a small \
    reverse proxy, of those that a cache must pass and of those that an optimal one does. Ours are \
    those below which `tests/conformance/run.sh` fails, which runs the suite against \
    `examples/reverse_proxy`; it also fails on any outright failure. The others are not run again \
    here: they were counted in November 2026 with the same suite, http-cache-semantics with a small \
    adapter around it.";

/// Counts that the suite's script holds us to.
const COUNTED: &str = include_str!("../../../tests/conformance/run.sh");

/// What the others passed: required, optimal.
const PEERS: &[(&str, f64, f64)] = &[
    ("http-cache-semantics", 127.0, 57.0),
    ("http-cache-tower", 113.0, 45.0),
    ("Varnish", 106.0, 40.0),
    ("nginx", 93.0, 50.0),
];

/// Puts the figures together.
///
/// # Panics
/// The script does not say what it holds us to.
pub fn run(_: Effort) -> Section {
    let mut table = Table::new("conformance");
    let others = |pick: fn(&(&'static str, f64, f64)) -> f64| {
        PEERS.iter().map(move |it| (it.0, Summary::exact(pick(it))))
    };
    let row = |name, others: &mut dyn Iterator<Item = _>| {
        let ours = (OURS, Summary::exact(counted(name)));
        [ours].into_iter().chain(others).collect()
    };
    let required = row("required", &mut others(|it| it.1));
    table.row("required, of 157", Unit::Count, required);
    let optimal = row("optimal", &mut others(|it| it.2));
    table.row("optimal, of 86", Unit::Count, optimal);
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}

fn counted(name: &str) -> f64 {
    let figure = |line: &str| line.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
    COUNTED.lines().find_map(figure).expect("a line of its own")
}
