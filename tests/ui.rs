//! What the compiler says about mistakes, and that what is none compiles.
//!
//! Each file below `ui` is one mistake, makes one error, on the word to change, and uses what was
//! annotated elsewhere, so that an error that follows from the first would show. To write the
//! answers anew: `TRYBUILD=overwrite cargo test --test ui`; then read them.

#[expect(
    clippy::boxed_local,
    clippy::needless_lifetimes,
    reason = "whatever a signature may look like"
)]
#[path = "ui/pass/mod.rs"]
mod pass;

use std::fs;
use std::path::Path;
use std::process::Command;

/// The compiler whose words are written down.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn mistakes() {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    if !version.starts_with(COMPILER) {
        eprintln!("skipped: the answers are those of {COMPILER}x, and this is {version}");
        return;
    }
    let cases = trybuild::TestCases::new();
    for about in [
        "batch",
        "combinations",
        "entry",
        "functions",
        "invalidate",
        "invalidates",
        "options",
        "prefixes",
        "times",
        "types",
    ] {
        cases.compile_fail(format!("tests/ui/{about}/*.rs"));
    }
    #[cfg(feature = "axum")]
    cases.compile_fail("tests/ui/views/*.rs");
}

/// A crate of its own, since some lints look at libraries only, and trybuild knows one edition.
fn strict_user(edition: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("strict-{edition}"));
    let manifest = format!(
        "[package]\nname = \"strict\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\n[lib]\npath = \
         {:?}\n\n[dependencies]\ndewar = {{ path = {root:?} }}\n\n[workspace]\n",
        root.join("tests/ui/crates/strict.rs")
    );
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.with_file_name("strict"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

#[test]
fn a_strict_user_of_edition_2021() {
    strict_user("2021");
}

#[test]
fn a_strict_user_of_edition_2024() {
    strict_user("2024");
}
