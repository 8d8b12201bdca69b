//! Options that contradict each other.

use crate::args::Written;
use crate::diag::Diag;
use crate::model::{Context, Jitter, Options, SingleFlight, Time};

/// Looks at all pairs.
pub(super) fn cached(written: &Written, context: Context, diag: &mut Diag) {
    pairs(written, diag);
    without_end(&written.options, diag);
    longer_than_timeout(&written.options, diag);
    slow_loads(written, diag);
    if let (Some(companion), Context::Trait) = (&written.options.companion, context) {
        diag.at(
            companion.name,
            "a method of a trait has no companion to rename; leave `companion` out and invalidate \
             by `key_prefix` or `tags`",
        );
    }
}

/// Two options of which only one can hold.
fn pairs(written: &Written, diag: &mut Diag) {
    const PAIRS: &[(&str, &str, &str)] = &[
        ("local", "shared", "keep one of them"),
        ("in_trait", "in_impl", "keep the one that is true"),
        (
            "skip",
            "key",
            "`key` already says what counts: remove `skip`",
        ),
    ];
    for (word, other, advice) in PAIRS {
        if let (Some(span), true) = (written.seen.span(word), written.seen.has(other)) {
            diag.at(
                span,
                format!("`{word}` cannot be combined with `{other}`; {advice}"),
            );
        }
    }
    let options = &written.options;
    let alone = options
        .single_flight
        .as_ref()
        .is_some_and(|it| it.value == SingleFlight::Off);
    let distributed =
        (options.single_flight.as_ref()).filter(|it| it.value == SingleFlight::Distributed);
    if let (Some(flight), true) = (distributed, options.local.is_some()) {
        diag.at(
            flight.name,
            "`single_flight = \"distributed\"` asks other processes, and `local` keeps them out; \
             remove one of them",
        );
    }
    if let Some(detach) = options.detach.as_ref().filter(|it| it.value && alone) {
        diag.at(
            detach.name,
            "`detach = true` keeps a load for the callers that wait for it, and `single_flight = \
             false` lets nobody wait; remove one of them",
        );
    }
}

/// What happens after or before an expiry that never comes.
fn without_end(options: &Options, diag: &mut Diag) {
    if !options
        .timeout
        .as_ref()
        .is_some_and(|it| matches!(it.value, Time::Never))
    {
        return;
    }
    let pointless = [
        (
            "refresh_ahead",
            options.refresh_ahead.as_ref().map(|it| it.name),
        ),
        (
            "stale_while_revalidate",
            options.stale_while_revalidate.as_ref().map(|it| it.name),
        ),
        (
            "stale_if_error",
            options.stale_if_error.as_ref().map(|it| it.name),
        ),
        ("jitter", options.jitter.as_ref().map(|it| it.name)),
    ];
    for (name, span) in pointless {
        if let Some(span) = span {
            let message = format!(
                "`{name}` has no effect with `timeout = never`, since nothing expires; remove it, \
                 or write a timeout such as `timeout = \"1h\"`"
            );
            diag.at(span, message);
        }
    }
}

fn longer_than_timeout(options: &Options, diag: &mut Diag) {
    let Some(Time::Fixed(timeout)) = options.timeout.as_ref().map(|it| &it.value) else {
        return;
    };
    if let Some(idle) = options
        .idle_timeout
        .as_ref()
        .filter(|it| it.value > *timeout)
    {
        diag.at(
            idle.name,
            "`idle_timeout` is longer than `timeout` and never takes effect; make it shorter, or \
             write `timeout = never`",
        );
    }
    if let Some(jitter) = &options.jitter
        && matches!(jitter.value, Jitter::Fixed(nanos) if nanos >= *timeout)
    {
        diag.at(
            jitter.name,
            "`jitter` is as long as `timeout` or longer; write a share of it, as in `jitter = \
             \"10%\"`",
        );
    }
}

fn slow_loads(written: &Written, diag: &mut Diag) {
    let options = &written.options;
    let Some(soft) = &options.soft_timeout else {
        return;
    };
    if !written.seen.has("stale_while_revalidate") && !written.seen.has("stale_if_error") {
        diag.at(
            soft.name,
            "`soft_timeout` returns a stale value, and none is ever kept; add \
             `stale_while_revalidate = \"1m\"` or `stale_if_error = \"1h\"`",
        );
    }
    if options
        .hard_timeout
        .as_ref()
        .is_some_and(|hard| soft.value >= hard.value)
    {
        diag.at(
            soft.name,
            "`soft_timeout` is not shorter than `hard_timeout` and never takes effect; make it \
             shorter",
        );
    }
}
