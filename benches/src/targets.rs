//! What is aimed at, in one place, so that a table can say whether it is met.

use crate::report::{OURS, Row};

/// What a figure of ours has to be.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// At most so many times the best of these peers.
    AtMostTimes(f64, &'static [&'static str]),
    /// The same for another column of ours.
    ColumnAtMostTimes(&'static str, f64, &'static str),
    /// This column: at most so many nanoseconds, or so many times, above another one.
    Near(&'static str, f64, f64, &'static str),
    /// At most so many points below this peer.
    WithinPoints(f64, &'static str),
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

use Rule::{AtLeast, AtMost, AtMostTimes, ColumnAtMostTimes, Near, WithinPoints};

/// Table, start and end of the row's name, rule. A row may have several.
#[rustfmt::skip]
const TARGETS: &[(&str, &str, &str, Rule)] = &[
    ("hit", "u64,", "1 thread", AtMostTimes(0.5, &["cached"])),
    ("hit", "u64,", "1 thread", AtMostTimes(0.15, &["moka"])),
    ("hit", "u64,", "2 threads", AtMostTimes(0.2, &["cached"])),
    ("throughput", "u64,", "", AtLeast(1.8)),
    ("hit", "(&str, u32)", "1 thread", AtMostTimes(0.5, &["cached"])),
    ("async hit", "u64,", "1 thread", AtMostTimes(0.4, &["cached", "concurrent_cached", "quick_cache", "moka"])),
    ("observed", "", "", Near(OURS, 2.0, 1.1, "not counted")),
    ("observed", "", "", Near("tracing, metrics", 1.0, 1.0, OURS)),
    ("miss", "", "", AtMostTimes(1.5, &["moka"])),
    ("miss", "", "", ColumnAtMostTimes("dewar, prefix and tag", 1.5, "moka")),
    ("invalidation", "prefix of 10,000", "", AtMost(5_000.0)),
    ("invalidation", "tag", "", AtMost(5_000.0)),
    ("by the number of entries hit", "", "", AtMost(5_000.0)),
    ("reads around an invalidation, to those before", "after", "", AtMost(1.1)),
    ("runs", "one key", "", AtMost(1.0)),
    // One after the other they would take 640 ms.
    ("stampede", "64 keys", "", AtMost(30e6)),
    ("hit ratio", "", "", WithinPoints(1.0, "moka")),
    ("stores", "hit in memory", "", AtMostTimes(1.1, &["dewar, no store"])),
    ("stores", "hit on the store", "", AtMostTimes(1.15, &["plain redis"])),
    ("stores", "batch of 100", "", AtMostTimes(1.3, &["plain redis"])),
    ("view", "1 KiB", "", AtMostTimes(1.15, &["plain handler"])),
    ("conformance", "required", "", AtLeast(148.0)),
    ("conformance", "optimal", "", AtLeast(75.0)),
    ("memory", "1,000,000 entries", "", AtMostTimes(1.5, &["moka"])),
    ("allocations", "hit", "", AtMost(0.0)),
    ("build", "check after a change", "", AtMostTimes(1.0, &["cached"])),
    ("packages", "default features", "", AtMost(29.0)),
];

/// Why a goal is not met: table, start and end of the row's name, reason, and the column that says
/// how low the figure can go here.
type Reason = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const REASONS: &[Reason] = &[
    (
        "async hit",
        "u64,",
        "1 thread",
        "the best is quick_cache's `get` in a function that is asynchronous only in name: no count of \
         hits, no invalidation, no current cache, no shared load; 0.4 times its time is less than a \
         bare papaya `get` takes, which is the floor (its column in the table above). What the \
         attributes take is in their columns",
        None,
    ),
    (
        "hit",
        "u64, 10,000 keys, uniform",
        "",
        "each hit is a table, a node and an entry of two lines, together more than the processor's \
         nearest caches hold; `#[cached]` has its values in the table itself, as papaya has in its \
         nodes here",
        Some("papaya"),
    ),
    (
        "hit",
        "u64, 10,000 keys, Zipf",
        "",
        "as with uniform keys, for the rarer ones",
        Some("papaya"),
    ),
    (
        "hit",
        "(&str, u32) → Arc<str>, 10,000 keys, Zipf",
        "1 thread",
        "two further lines of memory: the text of the key, which is compared, and the count of the \
         `Arc`; a bare papaya has the same two",
        Some("papaya"),
    ),
    (
        "miss",
        "",
        "",
        "an evicting miss takes 14,800 instructions, `get_with` 10,800. moka with an eviction \
         listener, which the index needs, takes a lock for each key (a fifth of all instructions); \
         beside moka stand the index, the flight, and the order and the scopes of the entry: 5,000",
        Some("moka, listener"),
    ),
    (
        "hit ratio",
        "loop",
        "",
        "which keys of a loop stay depends on random hashes, in moka by more than a point from run to \
         run (its quartiles)",
        None,
    ),
    (
        "stores",
        "hit on the store",
        "",
        "beside the round trip a call hashes its key, enters a flight, reads the versions of its \
         scopes and checks the entry's checksum: 3 µs of the processor, and 1 to 2 of the server's, \
         which is asked for five keys in the place of one. Between two machines it is lost in the \
         round trip",
        None,
    ),
    (
        "stores",
        "batch of 100",
        "",
        "the server is asked for two keys for each value, the entry and the version of its own \
         scope. By instructions, `MGET` of two hundred and decoding a hundred takes 1.31 times as many \
         as the batch by hand (1,138k and 867k), with nothing else done; and each key is hashed, has a \
         flight, a checksum and names of its own (1,644k together). With the version in the entry's \
         key, which was built and taken back (the guide says why), it was 1,533k in the place of \
         1,757k, so about 1.6 times with what has been saved since. The round trip is one",
        None,
    ),
    (
        "reads around an invalidation, to those before",
        "after",
        "",
        "the entries are as they were; what is measured is the sweep that gives back the memory of \
         those invalidated, and it shares the processor's caches",
        None,
    ),
];

/// The reason why a row does not meet its goal; empty where it does, or has none.
pub fn reason(table: &str, row: &Row) -> Option<String> {
    if !verdict(table, row).contains("not met") {
        return None;
    }
    let about = |(of, start, end, ..): &&Reason| {
        *of == table && row.what.starts_with(start) && row.what.ends_with(end)
    };
    let Some((.., reason, floor)) = REASONS.iter().find(about) else {
        return Some("not known yet".into());
    };
    let figure = floor.and_then(|column| Some((column, row.figure(column)?)));
    Some(match figure {
        Some((column, figure)) => {
            let figure = row.unit.show(figure);
            format!("{reason}. The floor here is {column}: {figure}")
        }
        None => (*reason).into(),
    })
}

/// What is aimed at in a row, and whether it is met; empty where nothing is.
pub fn verdict(table: &str, row: &Row) -> String {
    let ours = row.ours();
    let about = |(of, start, end, _): &&(&str, &str, &str, Rule)| {
        *of == table && row.what.starts_with(start) && row.what.ends_with(end)
    };
    let said = |(_, _, _, rule): &(_, _, _, Rule)| {
        let (met, goal) = rule.judge(ours?, row)?;
        Some(format!(
            "{goal}: {}",
            if met { "met" } else { "**not met**" }
        ))
    };
    let verdicts: Vec<_> = TARGETS.iter().filter(about).filter_map(said).collect();
    verdicts.join("; ")
}

impl Rule {
    /// Whether it holds, and how it reads; nothing if the peer has no figure.
    fn judge(self, ours: f64, row: &Row) -> Option<(bool, String)> {
        Some(match self {
            AtMostTimes(times, peers) => {
                let best = peers.iter().filter_map(|peer| row.figure(peer));
                let best = best.reduce(f64::min)?;
                let of = match peers {
                    [peer] => (*peer).to_owned(),
                    _ => "the best".to_owned(),
                };
                (
                    ours <= times * best,
                    format!("≤ {times} × {of} ({:.2})", ours / best),
                )
            }
            ColumnAtMostTimes(column, times, peer) => {
                let ratio = row.figure(column)? / row.figure(peer)?;
                (
                    ratio <= times,
                    format!("{column}: ≤ {times} × {peer} ({ratio:.2})"),
                )
            }
            Near(column, nanos, times, peer) => {
                let (figure, peers) = (row.figure(column)?, row.figure(peer)?);
                let most = match times > 1.0 {
                    true => format!("{nanos} ns or {:.0} %", (times - 1.0) * 100.0),
                    false => format!("{nanos} ns"),
                };
                let (above, ratio) = (figure - peers, figure / peers);
                (
                    above <= nanos || ratio <= times,
                    format!("{column}: ≤ {peer} + {most} ({above:+.1} ns, {ratio:.2})"),
                )
            }
            WithinPoints(points, peer) => {
                let below = row.figure(peer)? - ours;
                (
                    below <= points,
                    format!("≥ {peer} − {points} ({:+.1})", -below),
                )
            }
            AtMost(most) => (ours <= most, format!("≤ {}", row.unit.show(most))),
            AtLeast(least) => (ours >= least, format!("≥ {}", row.unit.show(least))),
        })
    }
}
