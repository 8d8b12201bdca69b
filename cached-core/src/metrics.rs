//! The figures for the [`metrics`](https://docs.rs/metrics) facade, and so for whatever recorder the
//! application has installed: an exporter for Prometheus, one for OpenTelemetry, and so on.
//!
//! Counters and gauges are published every five seconds, and whenever [`publish`] is called; the
//! cache's own counters stay what a hit adds to, so that a hit costs no more for it. How long loads
//! and operations of a shared store take is recorded as they end. All of it is of the default cache and
//! of those that are registered: others may have one name, and would be taken for each other. Names and labels are those of the
//! dashboard's `/metrics`; the guide lists them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use ::metrics::{Key, Label, Level, Metadata, Unit, with_recorder};

use crate::cache::registry;
use crate::clock::Nanos;
#[cfg(feature = "stores")]
use crate::figures::STORE_OPERATIONS;
use crate::figures::{self, Figure, Kind, LOADS, Labels, Metric, Sink};

static OURS: Metadata<'static> = Metadata::new("dewar", Level::INFO, None);

/// Publishes the figures of the default cache and of all that have a name, now.
///
/// Call it where a scrape is answered, so that it shows what is and not what was five seconds ago.
/// Without a recorder it does nothing.
///
/// ```
/// # #[dewar::cached] fn answer(question: u64) -> u64 { question * 2 }
/// // The exporter's recorder is installed at the start; here, where it is scraped:
/// # answer(21);
/// dewar::metrics::publish();
/// ```
pub fn publish() {
    figures::tell(&registry::all(), &mut Recorded);
}

struct Recorded;

impl Sink for Recorded {
    fn metric(&mut self, metric: &Metric) {
        let Metric { name, kind, help } = *metric;
        let unit = if name.ends_with("_bytes") {
            Some(Unit::Bytes)
        } else if name.ends_with("_seconds") {
            Some(Unit::Seconds)
        } else {
            None
        };
        with_recorder(|recorder| match kind {
            Kind::Counter => recorder.describe_counter(name.into(), unit, help.into()),
            Kind::Gauge => recorder.describe_gauge(name.into(), unit, help.into()),
            Kind::Histogram => recorder.describe_histogram(name.into(), unit, help.into()),
        });
    }

    fn value(&mut self, metric: &Metric, labels: Labels<'_>, figure: Figure<'_>) {
        let key = || key(metric, labels);
        with_recorder(|recorder| match (metric.kind, figure) {
            (Kind::Counter, Figure::Count(count)) => {
                recorder.register_counter(&key(), &OURS).absolute(count);
            }
            (_, Figure::Count(count)) => {
                recorder.register_gauge(&key(), &OURS).set(count as f64);
            }
            #[cfg(feature = "stores")]
            (_, Figure::Measure(measure)) => recorder.register_gauge(&key(), &OURS).set(measure),
            // Recorded one by one.
            (_, Figure::Times(_)) => {}
        });
    }
}

fn key(metric: &Metric, labels: Labels<'_>) -> Key {
    let label = |(name, value): &(&'static str, &str)| Label::new(*name, (*value).to_owned());
    Key::from_parts(metric.name, labels.iter().map(label).collect::<Vec<_>>())
}

/// The names under which the times of one function, or of one store, are recorded.
#[derive(Default)]
pub(crate) struct Times {
    loads: OnceLock<Key>,
    #[cfg(feature = "stores")]
    store: OnceLock<Key>,
}

impl Times {
    pub(crate) fn loaded(&self, cache: &str, function: &'static str, time: Nanos) {
        let labels = [("cache", cache), ("function", function)];
        record(self.loads.get_or_init(|| key(&LOADS, &labels)), time);
    }

    #[cfg(feature = "stores")]
    pub(crate) fn store(&self, cache: &str, time: Nanos) {
        let of = || key(&STORE_OPERATIONS, &[("cache", cache)]);
        record(self.store.get_or_init(of), time);
    }
}

/// A recorder is the application's code: no load ends as it panics.
fn record(key: &Key, time: Nanos) {
    let seconds = time as f64 / 1e9;
    let record = || {
        with_recorder(|recorder| recorder.register_histogram(key, &OURS).record(seconds));
    };
    if catch_unwind(AssertUnwindSafe(record)).is_err() {
        crate::trace::recorder_panicked();
    }
}
