//! Words that other libraries use for what is an option here.

/// Options of ours, each with what others call it.
const RENAMED: &[(&str, &[&str])] = &[
    (
        "timeout",
        &[
            "ttl",
            "time",
            "expire",
            "expires",
            "expiry",
            "expiration",
            "expires_in",
            "expire_after",
            "max_age",
            "time_to_live",
            "lifetime",
            "duration",
            "seconds",
            "secs",
            "time_secs",
            "ttl_secs",
            "ttl_millis",
            "cache_timeout",
            "stale_after",
        ],
    ),
    (
        "idle_timeout",
        &["time_to_idle", "tti", "idle", "sliding", "refresh", "touch"],
    ),
    ("key_prefix", &["prefix", "namespace", "make_name"]),
    (
        "key",
        &[
            "convert",
            "key_expr",
            "make_key",
            "make_cache_key",
            "key_builder",
        ],
    ),
    ("skip", &["ignore", "exclude", "args_to_ignore", "without"]),
    ("tags", &["group", "groups", "labels"]),
    (
        "cache",
        &["cache_name", "cache_names", "store", "backend", "alias"],
    ),
    (
        "refresh_if",
        &["forced_update", "force", "force_refresh", "bypass"],
    ),
    (
        "stale_if",
        &["is_stale", "invalidate_on", "expire_if", "check_fresh"],
    ),
    ("cache_if", &["response_filter", "store_if", "only_if"]),
    ("cache_none", &["cache_null", "allow_none"]),
    (
        "cache_err",
        &["cache_error", "cache_errors", "cache_exceptions"],
    ),
    ("stale_while_revalidate", &["swr", "grace", "grace_period"]),
    (
        "stale_if_error",
        &[
            "result_fallback",
            "fallback",
            "fail_safe",
            "failsafe",
            "sie",
        ],
    ),
    (
        "refresh_ahead",
        &[
            "eager_refresh",
            "beta",
            "early_expiration",
            "refresh_ahead_factor",
        ],
    ),
    (
        "single_flight",
        &[
            "sync_writes",
            "sync_lock",
            "sync",
            "by_key",
            "lock",
            "coalesce",
            "dedupe",
        ],
    ),
    ("batch", &["bulk", "many"]),
    ("version", &["source_check", "schema", "revision"]),
];

/// Words that need more than another name.
const EXPLAINED: &[(&[&str], &str)] = &[
    (
        &["result", "option"],
        "`Err` and `None` are never stored unless `cache_err` and `cache_none` say so; leave it out",
    ),
    (
        &["condition"],
        "write `unless = ...` for a condition on the arguments, or `cache_if = |value| ...` for one \
         on the result",
    ),
    (
        &[
            "size",
            "max_size",
            "capacity",
            "max_entries",
            "max_capacity",
            "threshold",
            "unbound",
            "weight",
            "weigher",
        ],
        "limits belong to the cache: set them where it is built and name it with `cache = ...`",
    ),
    (
        &[
            "create",
            "ty",
            "disk",
            "disk_dir",
            "redis",
            "map_error",
            "async_cache",
            "connection",
        ],
        "stores belong to the cache: set them where it is built and name it with `cache = ...`",
    ),
    (
        &["name"],
        "write `key_prefix = \"...\"` to name the entries, or `cache = ...` to choose a cache",
    ),
    (
        &["memoize", "memoise"],
        "`#[cached]` counts the arguments by itself; leave it out",
    ),
    (
        &["query_string"],
        "the query is part of the key of a view, which has `query(…)` to say what of it counts",
    ),
    (
        &["hash_method", "hasher"],
        "keys are compared whole, so that no hash needs choosing; leave it out",
    ),
    (
        &["with_cached_flag"],
        "whether a call was a hit is seen in the statistics; leave it out",
    ),
    (
        &["args"],
        "write `key = (id, org)` for what counts, or `skip(db)` for what does not",
    ),
];

/// What `word` is called here, or what to do instead.
pub(super) fn advice(word: &str) -> Option<String> {
    let renamed = RENAMED.iter().find(|(_, words)| words.contains(&word));
    if let Some((ours, _)) = renamed {
        return Some(format!("did you mean `{ours}`?"));
    }
    let explained = EXPLAINED.iter().find(|(words, _)| words.contains(&word));
    explained.map(|(_, advice)| (*advice).to_owned())
}
