//! Measures times; see the README beside `Cargo.toml`.

fn main() {
    dewar_benches::cli::run(dewar_benches::groups::TIMED);
}
