//! What being counted costs a hit, and what telling others does while nobody listens.
//!
//! That is decided when the library is built, so the builds are programs of their own, which take
//! their turns as the contenders of other groups do.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::cli::Effort;
use crate::report::{OURS, Section, Table, Unit};
use crate::summary::Summary;

const ABOUT: &str = "A hit as in the group `hit`, by programs that differ in how the library was \
    built, in turns of a few milliseconds. *again* is the same program as ours a second time: what \
    it differs by is no difference. *not counted* leaves out what a hit adds to the statistics, which \
    users cannot. *tracing, metrics* has both features, without a subscriber or a recorder. Each \
    is started several times, as where its memory lies makes a nanosecond of difference too.";

/// The head of a column, the name of the program, and how it is built.
struct Build {
    name: &'static str,
    program: &'static str,
    /// A folder of its own, where the flags are others for all packages.
    folder: &'static str,
    features: &'static [&'static str],
    flags: &'static str,
}

const PLAIN: Build = Build {
    name: OURS,
    program: "plain",
    folder: "observed",
    features: &[],
    flags: "",
};

const BUILDS: &[Build] = &[
    PLAIN,
    Build {
        name: "again",
        ..PLAIN
    },
    Build {
        name: "not counted",
        program: "uncounted",
        // That of `guard.sh --uncounted`.
        folder: "uncounted",
        flags: " --cfg dewar_uncounted",
        ..PLAIN
    },
    Build {
        name: "tracing, metrics",
        program: "told",
        features: &["--features", "told"],
        ..PLAIN
    },
];

impl Build {
    /// Builds it, and returns where it is.
    fn program(&self, target: &Path) -> PathBuf {
        let folder = target.join(self.folder);
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default() + self.flags;
        let mut cargo = Command::new("cargo");
        cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args([
                "build",
                "-q",
                "--release",
                "-p",
                "dewar-guard",
                "--bin",
                "observed",
            ])
            .args(self.features)
            .arg("--target-dir")
            .arg(&folder);
        // An empty variable is not the same as none.
        if !flags.is_empty() {
            cargo.env("RUSTFLAGS", flags);
        }
        let built = cargo.status().expect("cargo");
        assert!(built.success(), "{cargo:?} failed");
        // The next build of this folder takes its place.
        let program = folder.join(self.program);
        let made = std::fs::copy(folder.join("release/observed"), &program);
        made.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        program
    }
}

/// A program that is asked for one turn after the other.
struct Running {
    child: Child,
    orders: Option<ChildStdin>,
    times: BufReader<ChildStdout>,
}

impl Running {
    fn start(program: &Path, keys: u64, slice: u64) -> Self {
        let mut child = Command::new(program)
            .args([keys.to_string(), slice.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a program that was built");
        let times = child.stdout.take().expect("what it prints");
        Running {
            orders: child.stdin.take(),
            times: BufReader::new(times),
            child,
        }
    }

    /// Nanoseconds of a hit, by so many threads at once.
    fn turn(&mut self, threads: usize) -> f64 {
        let orders = self.orders.as_mut().expect("a program that is not ended");
        writeln!(orders, "{threads}").expect("a program that waits for orders");
        let mut time = String::new();
        self.times.read_line(&mut time).expect("a time");
        time.trim().parse().expect("a number")
    }

    /// It checks at its end that what it timed were hits.
    fn end(mut self) {
        drop(self.orders.take());
        let ended = self.child.wait().expect("a program that ends");
        assert!(ended.success(), "a program that timed hits: {ended}");
    }
}

const THREADS: [usize; 2] = [1, 2];

/// The times by each of the builds, for each number of threads.
fn measure(programs: &[PathBuf], keys: u64, effort: Effort) -> Vec<Vec<Vec<f64>>> {
    let (starts, rounds) = (effort.pick(12, 2), effort.pick(21, 3));
    let slice = effort.pick(3_000_000, 300_000);
    let mut measured = vec![vec![Vec::new(); programs.len()]; THREADS.len()];
    for _ in 0..starts {
        let mut running: Vec<_> = programs
            .iter()
            .map(|program| Running::start(program, keys, slice))
            .collect();
        let turns = THREADS.len() * running.len();
        for round in 0..rounds {
            for step in 0..turns {
                let turn = (round + step) % turns;
                let (which, threads) = (turn % programs.len(), turn / programs.len());
                measured[threads][which].push(running[which].turn(THREADS[threads]));
            }
        }
        running.into_iter().for_each(Running::end);
    }
    measured
}

/// Measures the group; builds the programs first.
pub fn run(effort: Effort) -> Section {
    let here = std::env::current_exe().expect("a path of this program");
    let target = here.ancestors().nth(2).expect("a folder of builds");
    let programs: Vec<_> = BUILDS.iter().map(|it| it.program(target)).collect();
    let mut table = Table::new("observed");
    for (keys, called) in [(1, "1 key"), (8, "8 keys")] {
        let measured = measure(&programs, keys, effort);
        for (threads, times) in ["1 thread", "2 threads"].into_iter().zip(measured) {
            let names = BUILDS.iter().map(|it| it.name);
            let cells = names.zip(times.into_iter().map(Summary::of)).collect();
            table.row(format!("u64, {called}, {threads}"), Unit::Time, cells);
        }
    }
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}
