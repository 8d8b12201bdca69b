#!/usr/bin/env bash
# Installs what the tests need, runs everything, and says what it skipped and why.
set -euo pipefail
cd "$(dirname "$0")"

skipped=()

step() { printf '\n== %s\n' "$*"; }

# A C compiler, for the SQLite that the examples bring with them; valgrind, to count instructions;
# a browser and curl, to look at the shop; node, for the tests of HTTP caching.
need_packages() {
    local missing=()
    command -v cc >/dev/null || missing+=(build-essential)
    command -v valgrind >/dev/null || missing+=(valgrind)
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
    command -v memcached >/dev/null || missing+=(memcached)
    command -v redis-server >/dev/null || missing+=(redis-server)
    command -v curl >/dev/null || missing+=(curl)
    command -v chromium >/dev/null || missing+=(chromium)
    command -v chromedriver >/dev/null || missing+=(chromium-driver)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    command -v promtool >/dev/null || missing+=(prometheus)
    [ ${#missing[@]} -eq 0 ] && return
    if ! command -v apt-get >/dev/null; then
        echo "missing: ${missing[*]}; install them with your system's package manager" >&2
        exit 1
    fi
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -q
    "${sudo[@]}" apt-get install -qy "${missing[@]}"
}

# As the README starts it, on a port that is free.
shop_opens() {
    local log
    log=$(mktemp)
    cargo build -q --example shop
    PORT=0 "${CARGO_TARGET_DIR:-target}/debug/examples/shop" >"$log" &
    local pid=$!
    local url=
    for _ in $(seq 100); do
        url=$(sed -n 's/^the shop is open: //p' "$log")
        [ -n "$url" ] && break
        sleep 0.1
    done
    local status
    status=$(curl -s -o /dev/null -w '%{http_code}' "$url/products" || true)
    kill -INT "$pid"
    wait "$pid"
    rm "$log"
    echo "$url answers $status"
    [ "$status" = 200 ]
}

features() {
    sed -n '/^\[features\]/,/^\[/s/^\([a-z_-]*\) = .*/\1/p' Cargo.toml | grep -v '^default$'
}

step "what the tests need"
need_packages

# Without the examples that ask for features.
# Debian 12 has it in its backports alone.
command -v valkey-server >/dev/null || skipped+=("Valkey: valkey-server is not installed")
[ "$(id -u)" -eq 0 ] || skipped+=("a full disk: root alone can mount one")

step "tests, default features"
cargo test --workspace --exclude shop --exclude reverse_proxy

step "tests, all features"
cargo test --workspace --all-features

step "the alert rules"
promtool check rules examples/observability/alerts.yml
promtool test rules examples/observability/alerts_test.yml

step "the shop in a browser"
cargo test -p shop --test browser -- --ignored

step "two instances of the shop on one store, of each kind"
cargo build -q -p shop --example shop
cargo test -p shop --test instances -- --ignored

step "the shop opens"
shop_opens

step "HTTP caching, by npm's http-cache-tests through the reverse proxy"
tests/conformance/run.sh

step "each feature alone compiles"
cargo check -q -p dewar --no-default-features
for feature in $(features); do
    echo "feature $feature"
    cargo check -q -p dewar --no-default-features --features "$feature"
done

step "fewer than 30 packages with default features"
packages=$(cargo tree -p dewar -e normal --prefix none | sed 's/ (.*//' | sort -u | wc -l)
echo "$packages packages, dewar itself included"
[ "$packages" -lt 30 ]

step "the models, exhaustively"
cargo test --release --manifest-path tests/model/Cargo.toml

step "instructions, allocations, size of the expansion"
benches/guard.sh

step "the examples run to their end"
for example in examples/*.rs; do
    name=$(basename "$example" .rs)
    echo "example $name"
    cargo run -q --all-features --example "$name" >/dev/null
done

step "done"
if [ ${#skipped[@]} -eq 0 ]; then
    echo "nothing was skipped"
else
    printf 'skipped: %s\n' "${skipped[@]}"
fi
