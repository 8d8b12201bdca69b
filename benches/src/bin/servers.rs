//! Measures what servers do: a store behind the memory tier, and views.

fn main() {
    dewar_benches::cli::run(dewar_benches::groups::SERVERS);
}
