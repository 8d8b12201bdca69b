//! How many instructions a hit is: no times, but the same on a machine that is busy.

use std::process::{Child, Command, Stdio};

use crate::calls::ROWS;
use crate::cli::Effort;
use crate::report::{Section, Table, Unit};
use crate::summary::Summary;

const ABOUT: &str = "Instructions of one hit of one key, on one thread, the mean of \
    3,200, counted by callgrind after as many that set up what is set up once. What is done every \
    few hits (moka's housekeeping) is in them; waiting, for memory or for other threads, is not.";

/// Measures the group; without `valgrind` it has no rows.
pub fn run(effort: Effort) -> Section {
    // A multiple of how often hits are sampled.
    let times = effort.pick(3_200, 320);
    let mut table = Table::new("instructions");
    for (row, calls) in ROWS {
        let mut cells = Vec::new();
        for (contender, _) in *calls {
            if let Some(count) = start(row, contender, times).and_then(counted) {
                let each = count as f64 / times as f64;
                cells.push((*contender, Summary::exact(each.round())));
            }
        }
        table.row(format!("hit, {row}"), Unit::Instructions, cells);
    }
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}

fn start(row: &str, contender: &str, times: u64) -> Option<Child> {
    let here = std::env::current_exe().expect("a path of this program");
    let started = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*counted_calls*")
        .arg(here.with_file_name("calls"))
        .args([row, contender, &times.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    started
        .inspect_err(|error| eprintln!("  valgrind: {error}"))
        .ok()
}

/// What callgrind says at its end.
fn counted(child: Child) -> Option<u64> {
    let output = child.wait_with_output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let (_, count) = said.split_once("Collected : ")?;
    let count = count.split_whitespace().next()?.parse().ok();
    count.filter(|_| output.status.success())
}
