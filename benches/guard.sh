#!/usr/bin/env bash
# Guards what a call costs by figures that are the same on a busy machine: instructions of a hit,
# allocations of hits and misses, and the size of what `#[cached]` expands to.
#
#   benches/guard.sh            # compares with guard.txt; fails if something changed
#   benches/guard.sh --accept   # writes what it is now into guard.txt
#   benches/guard.sh --uncounted  # what hits would cost without statistics: another build, for people
#
# Instructions are counted by callgrind for so many hits and for twice as many; the difference is
# that of the hits alone, without what a program does once. They may be off by 4 % or by 12 (memory that lies elsewhere), the rest
# is exact. Better counts too: a figure that is not written down is one that can be lost again.
set -euo pipefail
cd "$(dirname "$0")"

# A multiple of how often hits are sampled.
times=3200
known=guard.txt
snapshot=../cached-macros/src/expand/snapshots/async_result.rs

command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 1; }

target=${CARGO_TARGET_DIR:-target}
if [ "${1:-}" = --uncounted ]; then
    target=$target/uncounted
    export RUSTFLAGS="--cfg dewar_uncounted" CARGO_TARGET_DIR=$target
fi
bin=$target/release

instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bin/hits" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : //p'
}

# With the features named, under a prefix.
hits() {
    local name one two
    cargo build -q --release -p dewar-guard "${@:2}"
    for name in $("$bin/hits"); do
        one=$(instructions "$name" "$times")
        two=$(instructions "$name" $((2 * times)))
        echo "instructions_$1$name $(((two - one) / times))"
    done
}

measure() {
    hits told_ --features told
    hits ""
    "$bin/allocations"
    # The first lines say what is expanded; a test holds the rest equal to the expansion.
    echo "expansion_async_result $(sed '/^\/\/ /d' "$snapshot" | sed 1d | wc -c)"
}

if [ "${1:-}" = --uncounted ]; then
    hits ""
    exit
fi

now=$(measure)
if [ "${1:-}" = --accept ]; then
    {
        echo "# Written by guard.sh --accept; $(rustc -V), $(valgrind --version)."
        echo "$now"
    } >$known
    echo "accepted:"
    cat $known
    exit
fi

header=$(sed -n 's/^# .*--accept; //p' $known)
if [ "$header" != "$(rustc -V), $(valgrind --version)." ]; then
    echo "accepted with $header"
    echo "measured with $(rustc -V), $(valgrind --version): instructions may differ by that alone"
fi
awk '
    FNR == 1 { file++ }
    /^#/ { next }
    file == 1 { was[$1] = $2; next }
    {
        seen[$1] = 1
        change = $2 - was[$1]
        allowed = 0
        if ($1 ~ /^instructions_/) {
            allowed = was[$1] * 0.04
            if (allowed < 12) allowed = 12
        }
        if (!($1 in was)) verdict = "NEW"
        else if (change > allowed || -change > allowed) verdict = change > 0 ? "WORSE" : "BETTER"
        else verdict = "ok"
        percent = was[$1] ? sprintf("%+.1f %%", 100 * change / was[$1]) : "-"
        printf "%-40s was %6s  is %6s  %+7g  %9s  %s\n", $1, was[$1], $2, change, percent, verdict
        if (verdict != "ok") changed++
    }
    END {
        for (name in was) if (!(name in seen)) { print name, "was", was[name], "and is GONE"; changed++ }
        if (changed) {
            print changed " changed. If that is meant: benches/guard.sh --accept, and commit guard.txt"
            print "with the reason."
            exit 1
        }
        print "nothing changed"
    }
' $known <(echo "$now")
