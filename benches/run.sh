#!/usr/bin/env bash
# Measures all groups, or those named, and writes the tables into RESULTS.md.
#
#   benches/run.sh                  # everything: ten minutes, on a machine that is quiet
#   benches/run.sh hit miss         # these groups; the sections of the others stay
#   benches/run.sh --quick [group…] # whether all of it runs; the figures mean nothing
set -euo pipefail
cd "$(dirname "$0")"

options=()
groups=()
for arg in "$@"; do
    case $arg in
        # Written elsewhere, so that nobody takes these figures for results.
        --quick) options=(--quick --output target/RESULTS-quick.md) ;;
        --*) echo "no such option: $arg" >&2; exit 1 ;;
        *) groups+=("$arg") ;;
    esac
done

# Without the servers first: their features would be in the library that the other groups measure.
cargo build --release --bins
cargo build --release --features servers --bin servers --bin view_server
bin=${CARGO_TARGET_DIR:-target}/release
mkdir -p target

# Which program measures a group.
declare -A program_of
all=()
for program in dewar-benches servers counting; do
    mapfile -t measured < <("$bin/$program" --list)
    all+=("${measured[@]}")
    for group in "${measured[@]}"; do program_of[$group]=$program; done
done
[ ${#groups[@]} -gt 0 ] || groups=("${all[@]}")

# Each group has a process of its own: what one leaves in memory does not slow the next one down.
for group in "${groups[@]}"; do
    program=${program_of[$group]:-}
    [ -n "$program" ] || { echo "no group $group; there are: ${all[*]}" >&2; exit 1; }
    "$bin/$program" "$group" "${options[@]}"
done
echo "written to benches/${options[2]:-RESULTS.md}"
