//! The guide: one page for each thing that the cache does. Every snippet is compiled and run.
//!
//! | to begin with | |
//! | --- | --- |
//! | [`start`] | a function, its cache, and the function that changes the data |
//! | [`arguments_and_keys`] | what makes two calls the same |
//! | [`invalidation`] | taking results out where the data changes |
//! | [`options`] | all options on one page |
//!
//! | how long | |
//! | --- | --- |
//! | [`expiry`] | timeouts, sliding timeouts, jitter |
//! | [`stale`] | serving an expired value while it is refreshed, or when it cannot be |
//! | [`refresh_ahead`] | loading before a value expires |
//! | [`timeouts`] | loads that are slow |
//! | [`negative`] | remembering `None` and `Err` |
//!
//! | what and who | |
//! | --- | --- |
//! | [`single_flight`] | many callers, one load |
//! | [`conditions`] | past the cache, afresh, not stored |
//! | [`batch`] | many keys in one call |
//! | [`methods`] | `self`, associated functions, traits |
//! | [`generics`] | type parameters, lifetimes, `impl Trait` |
//!
//! | pages | |
//! | --- | --- |
//! | [`views`] | whole responses of axum handlers |
//! | [`per_user_pages`] | what keeps a page from the wrong eyes |
//! | [`fragments`] | pieces of a page, in any template engine |
//! | [`mod@http`] | whole responses, behind a layer |
//!
//! | around it | |
//! | --- | --- |
//! | [`entry`] | the entry of one call |
//! | [`cache`] | the cache as a value; several of them |
//! | [`configuration`] | in code, from the environment, from a file |
//! | [`statistics`] | what it has done so far |
//! | [`mod@dashboard`] | the same on a page, and how to find a bad cache |
//! | [`mod@metrics`] | the same for Prometheus and OpenTelemetry |
//! | [`traces`] | spans and events with `tracing` |
//! | [`testing`] | a cache for each test, a clock moved by hand |
//! | [`executors`] | where background loads run |
//! | [`errors`] | what can go wrong, and what the messages mean |
//!
//! | several processes | |
//! | --- | --- |
//! | [`stores`] | choosing a store, and writing one |
//! | [`several_instances`] | two tiers, keys, how much room it takes |
//! | [`guarantees`] | what holds when something fails |
//!
//! | beneath | |
//! | --- | --- |
//! | [`architecture`] | how it is built, and why |
//! | [`performance`] | what it costs, and what was tried |
//! | [`comparison`] | what other libraries do |

macro_rules! pages {
    ($($name:ident $file:literal;)*) => {$(
        pub mod $name {
            #![doc = include_str!($file)]
        }
    )*};
}

pages! {
    start "start.md";
    arguments_and_keys "arguments_and_keys.md";
    invalidation "invalidation.md";
    options "options.md";
    expiry "expiry.md";
    stale "stale.md";
    refresh_ahead "refresh_ahead.md";
    timeouts "timeouts.md";
    negative "negative.md";
    single_flight "single_flight.md";
    conditions "conditions.md";
    batch "batch.md";
    methods "methods.md";
    generics "generics.md";
    views "views.md";
    per_user_pages "per_user_pages.md";
    fragments "fragments.md";
    http "http.md";
    entry "entry.md";
    cache "cache.md";
    configuration "configuration.md";
    statistics "statistics.md";
    dashboard "dashboard.md";
    metrics "metrics.md";
    traces "traces.md";
    testing "testing.md";
    executors "executors.md";
    errors "errors.md";
    stores "stores.md";
    several_instances "several_instances.md";
    guarantees "guarantees.md";
    architecture "architecture.md";
    performance "performance.md";
    comparison "comparison.md";
}
