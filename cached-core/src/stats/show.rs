//! Statistics as text, and as data.

use std::fmt;

use serde_core::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::{Histogram, Stats};

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} lookups: {} hits, {} stale, {} misses ({:.1} % served from the cache)",
            self.lookups(),
            self.hits,
            self.stale,
            self.misses(),
            self.hit_ratio() * 100.0
        )?;
        writeln!(
            f,
            "misses: {} absent, {} expired, {} invalidated, {} bypassed, {} refreshed; {} entries undecodable",
            self.absent,
            self.expired,
            self.invalidated,
            self.bypassed,
            self.refreshed,
            self.undecodable
        )?;
        writeln!(
            f,
            "loads: {} ({:?} each, 95 % within {:?}), {} failed, {} answered stale instead, {} callers waited, {} from the shared store",
            self.loads,
            self.mean_load(),
            self.load_times.quantile(0.95),
            self.load_errors,
            self.fallbacks,
            self.coalesced,
            self.fetched
        )?;
        writeln!(
            f,
            "stores: {}, {} not stored, {} evicted, {} invalidations, {} store errors",
            self.stores, self.rejections, self.evictions, self.invalidations, self.store_errors
        )?;
        write!(
            f,
            "in memory: {} entries, {} bytes",
            self.entries, self.bytes
        )?;
        if self.messages + self.undecodable_messages > 0 {
            write!(
                f,
                "\nshared: {} invalidations heard of, {} messages undecodable",
                self.messages, self.undecodable_messages
            )?;
        }
        Ok(())
    }
}

/// All counters by their names, and what is worked out from them: `misses`, `lookups`,
/// `hit_ratio`, `time_saved_seconds`.
impl Serialize for Stats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, count) in self.counts() {
            map.serialize_entry(name, &count)?;
        }
        map.serialize_entry("misses", &self.misses())?;
        map.serialize_entry("lookups", &self.lookups())?;
        map.serialize_entry("hit_ratio", &self.hit_ratio())?;
        map.serialize_entry("time_saved_seconds", &self.time_saved().as_secs_f64())?;
        map.serialize_entry("load_times", &self.load_times)?;
        map.serialize_entry("store_times", &self.store_times)?;
        map.serialize_entry("entries", &self.entries)?;
        map.serialize_entry("bytes", &self.bytes)?;
        map.end()
    }
}

/// `count`, `sum_seconds`, `mean_seconds`, three quantiles, and `buckets`: pairs of a bound in
/// seconds and how many took so long or less.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let buckets: Vec<_> = self.buckets().collect();
        let buckets: Vec<_> = buckets
            .iter()
            .map(|(le, count)| (le.as_secs_f64(), *count))
            .collect();
        let mut fields = serializer.serialize_struct("Histogram", 7)?;
        fields.serialize_field("count", &self.count())?;
        fields.serialize_field("sum_seconds", &self.sum().as_secs_f64())?;
        fields.serialize_field("mean_seconds", &self.mean().as_secs_f64())?;
        fields.serialize_field("p50_seconds", &self.quantile(0.5).as_secs_f64())?;
        fields.serialize_field("p95_seconds", &self.quantile(0.95).as_secs_f64())?;
        fields.serialize_field("p99_seconds", &self.quantile(0.99).as_secs_f64())?;
        fields.serialize_field("buckets", &buckets)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::Stats;

    #[test]
    fn zero_traffic_shows_zeros() {
        let stats = Stats::default();
        assert_eq!(stats.hit_ratio(), 0.0);
        assert_eq!(stats.mean_load(), std::time::Duration::ZERO);
        assert!(stats.to_string().starts_with("0 lookups: 0 hits"));
        let json = serde_json::to_string(&stats).unwrap_or_default();
        assert!(json.contains(r#""hit_ratio":0.0"#), "{json}");
        assert!(!json.contains("null"), "{json}");
    }
}
