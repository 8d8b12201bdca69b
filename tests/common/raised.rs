//! What one step of a test is counted as.

/// What is counted from one moment to the next, by name, but for times and sizes.
pub(crate) fn raised(cache: &dewar::Cache, what: impl FnOnce()) -> Vec<(String, u64)> {
    let before = cache.stats();
    what();
    let mut since = cache.stats();
    since -= before;
    let json = serde_json::to_value(since).unwrap();
    let figures = json.as_object().unwrap().iter();
    let derived = ["misses", "lookups", "entries", "bytes"];
    figures
        .filter(|(name, _)| !derived.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.clone(), value.as_u64().filter(|n| *n > 0)?)))
        .collect()
}
