//! The files in `examples/observability/` speak of what there is.
#![cfg(feature = "dashboard")]

use std::collections::BTreeSet;
use std::process::Command;

use axum::body::{Body, to_bytes};
use dewar::dashboard::Dashboard;
use dewar::testing::TestCache;
use futures::executor::block_on;
use tower::ServiceExt;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/observability/");

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}{name}")).unwrap()
}

/// What is written in a text of ours: the names of metrics.
fn names(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !word(c));
    let names = words.filter(|word| word.starts_with("dewar_"));
    names.map(str::to_owned).collect()
}

/// What the dashboard tells Prometheus.
fn text() -> String {
    let cache = TestCache::new();
    let router = Dashboard::new().cache(&cache).router();
    let request = axum::http::Request::get("/metrics").body(Body::empty());
    let bytes = block_on(async {
        let response = router.oneshot(request.unwrap()).await.unwrap();
        to_bytes(response.into_body(), usize::MAX).await.unwrap()
    });
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The same, by the names of its lines.
fn told() -> BTreeSet<String> {
    let text = text();
    let mut told = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        match kind {
            "histogram" => {
                told.extend(["_bucket", "_sum", "_count"].map(|it| format!("{name}{it}")))
            }
            _ => drop(told.insert(name.to_owned())),
        }
    }
    told
}

#[test]
fn rules_and_charts_ask_for_figures_that_there_are() {
    let told = told();
    for name in ["alerts.yml", "grafana-dashboard.json"] {
        let asked = names(&file(name));
        assert!(asked.len() > 5, "{name} asks for {asked:?}");
        #[cfg(not(feature = "stores"))]
        let asked: BTreeSet<_> = asked
            .into_iter()
            .filter(|it| !it.contains("store_") && !it.contains("undelivered"))
            .collect();
        let unknown: Vec<_> = asked.difference(&told).collect();
        assert!(
            unknown.is_empty(),
            "{name} asks for {unknown:?} of {told:?}"
        );
    }
    serde_json::from_str::<serde_json::Value>(&file("grafana-dashboard.json")).unwrap();
}

#[test]
fn every_figure_is_explained_in_the_guide() {
    let guide = include_str!("../src/guide/metrics.md");
    let explained = names(guide);
    for name in told() {
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|it| name.strip_suffix(it));
        let name = base
            .filter(|base| base.ends_with("_seconds"))
            .unwrap_or(&name);
        assert!(explained.contains(name), "{name}");
    }
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    let text = text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut count = 0;
    for line in types {
        let (name, kind) = line.split_once(' ').unwrap();
        count += 1;
        for unit in ["_ms", "_millis", "_nanos", "_kb", "_mb", "_percent"] {
            assert!(!name.contains(unit), "{name}");
        }
        assert!(name.is_ascii() && name == name.to_lowercase(), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        assert_eq!(kind == "histogram", name.ends_with("_seconds"), "{line}");
        let help = format!("# HELP {name} ");
        assert!(text.contains(&help), "{name} says what it is");
    }
    assert!(count >= 20, "{count}");
}

/// promtool, where it is installed, reads the rules as Prometheus does.
#[test]
fn the_rules_are_what_prometheus_reads() {
    let check = |name: &str, kind: &[&str]| {
        let said = Command::new("promtool")
            .args(kind)
            .arg(format!("{FOLDER}{name}"))
            .output();
        let Ok(said) = said else {
            return eprintln!("promtool is not installed: not asked");
        };
        let words = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{words}");
    };
    check("alerts.yml", &["check", "rules"]);
    check("prometheus.yml", &["check", "config"]);
}
