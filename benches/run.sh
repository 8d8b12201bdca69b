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

cargo build --release --bins
bin=${CARGO_TARGET_DIR:-target}/release
mkdir -p target

timed=$("$bin/dewar-benches" --list)
counted=$("$bin/counting" --list)
[ ${#groups[@]} -gt 0 ] || read -r -d '' -a groups <<<"$timed"$'\n'"$counted" || true

# Each group has a process of its own: what one leaves in memory does not slow the next one down.
for group in "${groups[@]}"; do
    if grep -qx "$group" <<<"$timed"; then
        "$bin/dewar-benches" "$group" "${options[@]}"
    elif grep -qx "$group" <<<"$counted"; then
        "$bin/counting" "$group" "${options[@]}"
    else
        echo "no group $group; there are:" $timed $counted >&2
        exit 1
    fi
done
echo "written to benches/${options[2]:-RESULTS.md}"
