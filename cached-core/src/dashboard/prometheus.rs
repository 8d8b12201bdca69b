//! The figures in Prometheus' text format.

use std::fmt::Write;

use crate::cache::Cache;
use crate::figures::{self, Figure, Kind, Labels, Metric, Sink};
use crate::stats::Histogram;

pub(super) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn text(caches: &[Cache]) -> String {
    let mut text = Text(String::new());
    figures::tell(caches, &mut text);
    text.0
}

struct Text(String);

impl Sink for Text {
    fn metric(&mut self, metric: &Metric) {
        let Metric { name, kind, help } = metric;
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, metric: &Metric, labels: Labels<'_>, figure: Figure<'_>) {
        let (name, labels) = (metric.name, quoted(labels));
        let _ = match figure {
            Figure::Count(count) => writeln!(self.0, "{name}{{{labels}}} {count}"),
            #[cfg(feature = "stores")]
            Figure::Measure(measure) => writeln!(self.0, "{name}{{{labels}}} {measure}"),
            Figure::Times(times) => self.histogram(name, &labels, times),
        };
    }
}

impl Text {
    fn histogram(&mut self, name: &str, labels: &str, times: &Histogram) -> std::fmt::Result {
        let out = &mut self.0;
        for (le, count) in times.buckets() {
            let le = le.as_secs_f64();
            writeln!(out, "{name}_bucket{{{labels},le=\"{le}\"}} {count}")?;
        }
        let (count, sum) = (times.count(), times.sum().as_secs_f64());
        writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?;
        writeln!(out, "{name}_sum{{{labels}}} {sum}")?;
        writeln!(out, "{name}_count{{{labels}}} {count}")
    }
}

/// Labels, as the format wants them.
fn quoted(labels: Labels<'_>) -> String {
    let one = |(name, value): &(&str, &str)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{name}=\"{}\"", value.replace('\n', "\\n"))
    };
    labels.iter().map(one).collect::<Vec<_>>().join(",")
}
