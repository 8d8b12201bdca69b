//! The command line of both binaries: names of groups, `--quick`, `--output PATH`.

use std::path::PathBuf;

use crate::report::{self, Section};

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Enough to see that everything runs; the figures mean nothing.
    pub quick: bool,
}

impl Effort {
    /// One of two figures, by how much is to be measured.
    pub fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// A group: its name, and what measures it.
pub type Group = (&'static str, fn(Effort) -> Section);

/// Measures the groups that the arguments name, all if they name none, and writes their sections.
///
/// # Panics
/// An argument that is none, a group that panicked, or a file that cannot be written.
pub fn run(groups: &[Group]) {
    let mut named = Vec::new();
    let mut effort = Effort { quick: false };
    let mut output = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md"));
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--quick" => effort.quick = true,
            "--output" => output = args.next().expect("a path after --output").into(),
            "--list" => return groups.iter().for_each(|(name, _)| println!("{name}")),
            name => match groups.iter().find(|(group, _)| *group == name) {
                Some(group) => named.push(*group),
                None => panic!("no group `{name}`: there are {}", names(groups)),
            },
        }
    }
    if named.is_empty() {
        named = groups.to_vec();
    }
    for (name, measure) in named {
        eprintln!("measuring {name}");
        let section = measure(effort);
        println!("{section}");
        report::write(&output, name, &section);
    }
}

fn names(groups: &[Group]) -> String {
    let names: Vec<_> = groups.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
