//! What users wait for: a crate with a hundred annotated functions, built and changed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{fmt::Write, fs};

use crate::cli::Effort;
use crate::report::{OURS, Section, Table, Unit};
use crate::summary::Summary;

const ABOUT: &str = "A crate with a hundred annotated functions of two arguments. The clean build \
    is one in debug with all dependencies; the check is `cargo check` after the body of one \
    function was changed; the expansion is what the compiler reads for each function. Packages \
    are those that a build links or runs, the crate itself not counted.";

const FUNCTIONS: usize = 100;

/// A kind of annotation, and what it needs.
struct Kind {
    name: &'static str,
    dependency: &'static str,
    head: &'static str,
    attribute: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        name: OURS,
        dependency: concat!("dewar = { path = \"", env!("CARGO_MANIFEST_DIR"), "/..\" }"),
        head: "use dewar::cached;",
        attribute: "#[cached(timeout = 60)]",
    },
    Kind {
        name: "cached",
        dependency: "cached = { version = \"4.1\", features = [\"async\"] }",
        head: "use cached::macros::cached;",
        attribute: "#[cached(max_size = 10_000, ttl_secs = 60)]",
    },
    Kind {
        name: "memoize",
        dependency: "memoize = \"0.6\"",
        head: "use memoize::memoize; use std::time::Duration;",
        attribute: "#[memoize(SharedCache, Capacity: 10_000, TimeToLive: Duration::from_secs(60))]",
    },
];

/// A generated crate.
struct Crate {
    name: &'static str,
    folder: PathBuf,
    kind: &'static Kind,
}

impl Crate {
    fn generate(kind: &'static Kind) -> Self {
        let folder = std::env::temp_dir().join(format!("dewar-benches/{}", kind.name));
        fs::create_dir_all(folder.join("src")).expect("a folder for a generated crate");
        let manifest = format!(
            "[workspace]\n[package]\nname = \"hundred\"\nedition = \"2024\"\n\
             [dependencies]\n{}\n",
            kind.dependency
        );
        write(&folder.join("Cargo.toml"), &manifest);
        // The same versions as everywhere here; cargo leaves out what is not needed.
        write(&folder.join("Cargo.lock"), include_str!("../../Cargo.lock"));
        let it = Crate {
            name: kind.name,
            folder,
            kind,
        };
        it.change(0);
        it
    }

    /// Writes the source, with a constant in the body of one function that was not there before.
    fn change(&self, constant: u64) {
        let mut source = format!("#![allow(warnings)]\n{}\n", self.kind.head);
        for at in 0..FUNCTIONS {
            let constant = if at == 50 { constant } else { 0 };
            let _ = write!(
                source,
                "{}\npub fn f{at}(id: u64, name: String) -> Option<u64> {{\n    \
                 name.parse::<u64>().ok().map(|n| n + id + {at} + {constant})\n}}\n",
                self.kind.attribute
            );
        }
        write(&self.folder.join("src/lib.rs"), &source);
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(args)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .stderr(Stdio::null());
        command
    }

    /// Runs cargo, and returns what it prints.
    fn output(&self, mut command: Command) -> String {
        let output = command.output().expect("cargo");
        assert!(output.status.success(), "{}: {command:?} failed", self.name);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn time(&self, args: &[&str]) -> f64 {
        let start = Instant::now();
        self.output(self.cargo(args));
        start.elapsed().as_nanos() as f64
    }

    fn packages(&self) -> Summary {
        let args = ["tree", "-e", "normal", "--prefix", "none"];
        let tree = self.output(self.cargo(&args));
        let name = |line: &str| line.split(" (").next().map(str::to_owned);
        let all: HashSet<_> = tree.lines().filter_map(name).collect();
        Summary::exact(all.len() as f64 - 1.0)
    }

    fn expansion(&self) -> Summary {
        let args = ["rustc", "--profile", "check", "--", "-Zunpretty=expanded"];
        let mut command = self.cargo(&args);
        command.env("RUSTC_BOOTSTRAP", "1");
        Summary::exact((self.output(command).len() / FUNCTIONS) as f64)
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// One figure of each crate.
fn each(crates: &[Crate], figure: impl FnMut(&Crate) -> Summary) -> Vec<(&'static str, Summary)> {
    let figures: Vec<_> = crates.iter().map(figure).collect();
    crates.iter().map(|it| it.name).zip(figures).collect()
}

/// Times of each crate, in interleaved rounds.
fn times(
    crates: &[Crate],
    rounds: usize,
    time: impl Fn(&Crate, usize) -> f64,
) -> Vec<(&'static str, Summary)> {
    let mut measured = vec![Vec::new(); crates.len()];
    for round in 0..rounds {
        for step in 0..crates.len() {
            let at = (round + step) % crates.len();
            measured[at].push(time(&crates[at], round));
        }
    }
    let mut summaries = measured.into_iter().map(Summary::of);
    each(crates, |_| summaries.next().unwrap_or(Summary::exact(0.0)))
}

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    let crates: Vec<_> = KINDS.iter().map(Crate::generate).collect();
    let mut packages = Table::new("packages");
    packages.row(
        "default features",
        Unit::Count,
        each(&crates, Crate::packages),
    );
    let mut build = Table::new("build");
    let clean = times(&crates, effort.pick(3, 1), |it, _| {
        let _ = fs::remove_dir_all(it.folder.join("target"));
        it.time(&["build"])
    });
    build.row("clean build", Unit::Time, clean);
    for it in &crates {
        it.time(&["check"]);
    }
    let check = times(&crates, effort.pick(15, 2), |it, round| {
        it.change(1 + round as u64);
        it.time(&["check"])
    });
    build.row("check after a change", Unit::Time, check);
    build.row(
        "expansion of a function",
        Unit::Bytes,
        each(&crates, Crate::expansion),
    );
    Section {
        about: ABOUT,
        tables: vec![build, packages],
    }
}
