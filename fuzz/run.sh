#!/usr/bin/env bash
# Runs every fuzz target for a while: `fuzz/run.sh [SECONDS]`, a minute each if nothing is said. What
# is found stays in fuzz/artifacts; add it to fuzz/seeds, which an ordinary test runs too.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked

for target in fuzz_targets/*.rs; do
    name=$(basename "$target" .rs)
    printf '\n== %s, %s seconds\n' "$name" "$seconds"
    mkdir -p "corpus/$name"
    cargo +nightly fuzz run "$name" "corpus/$name" "seeds/$name" -- -max_total_time="$seconds" -max_len=512
done
