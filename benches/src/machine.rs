//! What the figures were measured on: they mean little without it.

use std::process::Command;

/// The first line that a command prints, or a dash.
fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let text = output
        .map(|it| String::from_utf8_lossy(&it.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or("–").trim().to_owned()
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Processor, cores, system and compiler, as lines of a table.
pub fn table() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let unknown = || "unknown".to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "| | |\n| --- | --- |\n\
         | processor | {} (family {}, model {}), {cores} cores |\n\
         | system | {} |\n\
         | compiler | {} |\n\
         | packages | {} |\n",
        field(&info, "model name").unwrap_or_else(unknown),
        field(&info, "cpu family").unwrap_or_else(unknown),
        field(&info, "model\t").unwrap_or_else(unknown),
        said("uname", &["-srm"]),
        said("rustc", &["-V"]),
        versions(),
    )
}

/// When this was measured, of what, and how busy the machine was.
pub fn moment() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<_> = load.split(' ').take(3).collect();
    let changed = said(
        "git",
        &["status", "--porcelain", "--", "..", ":!RESULTS.md"],
    );
    format!(
        "{}, commit {}{}, load {}",
        said("date", &["-u", "+%F %H:%M UTC"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        if changed == "–" {
            ""
        } else {
            " with changes"
        },
        load.join(" "),
    )
}

/// The peers, with the versions that the lock file has.
fn versions() -> String {
    const LOCK: &str = include_str!("../Cargo.lock");
    // Where the lock file has several of a name, the list of our own dependencies says which.
    let own = LOCK
        .split_once("name = \"dewar-benches\"")
        .map_or("", |(_, rest)| rest);
    let own = own.split_once(']').map_or(own, |(list, _)| list);
    let version = |name: &&str| {
        let among = own.split_once(&format!("\"{name} "));
        let (_, rest) =
            among.or_else(|| LOCK.split_once(&format!("name = \"{name}\"\nversion = \"")))?;
        Some(format!("{name} {}", rest.split('"').next()?))
    };
    let versions: Vec<_> = crate::peers::PACKAGES.iter().filter_map(version).collect();
    versions.join(", ")
}
