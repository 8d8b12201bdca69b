#!/usr/bin/env bash
# Runs every fuzz target for a while: `fuzz/run.sh [SECONDS]`, a minute each if nothing is said.
#
# It needs Linux or macOS, a C++ compiler, and what is said below where it is missing:
#
#     rustup toolchain install nightly
#     cargo install cargo-fuzz --locked
#
# What is found stays in fuzz/artifacts; add it to fuzz/seeds, which an ordinary test runs too.
set -euo pipefail
cd "$(dirname "$0")"

missing() {
    echo "fuzzing needs $1: $2" >&2
    exit 1
}
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || {
    echo "fuzz/run.sh: \`$seconds\` is no number of seconds" >&2
    exit 1
}
command -v rustup >/dev/null || missing rustup "see https://rustup.rs"
rustup toolchain list | grep -q '^nightly' ||
    missing "a nightly toolchain" "rustup toolchain install nightly"
command -v cargo-fuzz >/dev/null || missing cargo-fuzz "cargo install cargo-fuzz --locked"
command -v c++ >/dev/null || missing "a C++ compiler" "apt install g++, or what your system calls it"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
summary=
for target in fuzz_targets/*.rs; do
    name=$(basename "$target" .rs)
    printf '\n== %s, %s seconds\n' "$name" "$seconds"
    mkdir -p "corpus/$name"
    outcome=nothing
    cargo +nightly fuzz run "$name" "corpus/$name" "seeds/$name" -- \
        -max_total_time="$seconds" -max_len=512 -print_final_stats=1 2>&1 | tee "$log" || {
        outcome="see above, and artifacts/$name"
        failed=1
    }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    corpus=$(find "corpus/$name" -type f | wc -l)
    summary+=$(printf '%-14s %12s runs, %5s inputs in the corpus, found: %s' \
        "$name" "${runs:-0}" "$corpus" "$outcome")$'\n'
done
printf '\n%s' "$summary"
exit $failed
