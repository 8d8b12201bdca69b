//! Whole responses: what a hit costs a server.

mod server;

use server::Server;

use crate::cli::Effort;
use crate::report::{OURS, Section, Table, Unit};
use crate::summary::Summary;

const ABOUT: &str = "Processor time of a server for one GET on a connection that is kept, all of it: \
    reading the request, routing, answering. The plain handler makes its response anew each time, \
    from a body that is in memory; the others answer from their caches. Ours adds `ETag`, \
    `Last-Modified`, `Age`, `Date`, `Cache-Control` and `Cache-Status`.";

/// The head of the column that the others are compared with.
pub const PLAIN: &str = "plain handler";

/// The head of a column, and what the server calls it.
const WAYS: &[(&str, &str)] = &[
    (OURS, "view"),
    ("dewar, CacheLayer", "layer"),
    (PLAIN, "plain"),
    ("axum-response-cache", "axum-response-cache"),
    ("tower-http-cache", "tower-http-cache"),
];

/// Measures the group.
pub fn run(effort: Effort) -> Section {
    let requests = effort.pick(4_000, 200);
    let rounds = effort.pick(41, 3);
    let mut table = Table::new("view");
    let mut servers: Vec<Server> = WAYS.iter().map(|(_, way)| Server::start(way)).collect();
    for (what, path) in [("1 KiB", "/1k"), ("64 KiB", "/64k")] {
        let mut times = vec![Vec::new(); servers.len()];
        for server in &mut servers {
            server.ask(path, requests / 4);
        }
        for round in 0..rounds {
            for step in 0..servers.len() {
                let which = (round + step) % servers.len();
                times[which].push(servers[which].cost(path, requests));
            }
        }
        let heads = WAYS.iter().map(|(head, _)| *head);
        let cells = heads.zip(times.into_iter().map(Summary::of)).collect();
        table.row(what, Unit::Time, cells);
    }
    Section {
        about: ABOUT,
        tables: vec![table],
    }
}
