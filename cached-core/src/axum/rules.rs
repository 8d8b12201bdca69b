//! The options of an annotation, as a policy.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::http::{Credentials, ViewPolicy};

/// What `#[cached(view, …)]` says: generated code calls the methods of the options' names.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(super) policy: ViewPolicy,
    pub(super) cookies: Option<Credentials>,
    pub(super) authorization: Option<Credentials>,
    pub(super) head: bool,
    /// Whether `cache_control` was said.
    pub(super) told: bool,
}

impl Rules {
    /// Nothing said.
    pub(super) fn new() -> Self {
        Rules {
            policy: ViewPolicy::new(),
            cookies: None,
            authorization: None,
            head: true,
            told: false,
        }
    }
}

/// A word of `cookies` and `authorization`.
fn credentials(word: &str) -> Credentials {
    match word {
        "ignored" => Credentials::Ignored,
        "keyed" => Credentials::Keyed,
        _ => Credentials::Private,
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $t:ty),*) $change:expr;)*) => {
        impl Rules {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self $(, $arg: $t)*) -> Self {
                let change: fn(&mut Rules $(, $t)*) = $change;
                change(&mut self $(, $arg)*);
                self
            }
        )*}
    };
}

rules! {
    /// `timeout`, in nanoseconds.
    timeout(nanos: u64) |rules, nanos| rules.with(|it| it.timeout(Duration::from_nanos(nanos)));
    /// `timeout = never`.
    never() |rules| rules.with(|it| it.timeout(Duration::MAX));
    /// `stale_while_revalidate`, in nanoseconds.
    stale_while_revalidate(nanos: u64)
        |rules, nanos| rules.with(|it| it.stale_while_revalidate(Duration::from_nanos(nanos)));
    /// `stale_if_error`, in nanoseconds.
    stale_if_error(nanos: u64)
        |rules, nanos| rules.with(|it| it.stale_if_error(Duration::from_nanos(nanos)));
    /// How long after a load that failed the next one is tried, in nanoseconds.
    retry(nanos: u64)
        |rules, nanos| rules.with(|it| it.retry(Duration::from_nanos(nanos)));
    /// `single_flight = false`.
    no_single_flight() |rules| rules.with(|it| it.single_flight(false));
    /// `local`.
    local() |rules| rules.with(ViewPolicy::local);
    /// `methods("GET")`.
    no_head() |rules| rules.head = false;
    /// `statuses(…)`.
    statuses(statuses: &[u16]) |rules, statuses| {
        let known = statuses.iter().filter_map(|it| StatusCode::from_u16(*it).ok());
        rules.with(|it| it.statuses(known));
    };
    /// `query(sorted)`.
    sorted_query() |rules| rules.with(ViewPolicy::sorted_query);
    /// `query(only(…))`.
    only_query(names: &[&str]) |rules, names| rules.with(|it| it.only_query(names.iter().copied()));
    /// `query(ignore(…))`.
    ignore_query(names: &[&str])
        |rules, names| rules.with(|it| it.ignore_query(names.iter().copied()));
    /// `vary(…)`.
    vary(names: &[&str]) |rules, names| {
        let names = names.iter().filter_map(|it| HeaderName::try_from(*it).ok());
        rules.with(|it| it.vary(names));
    };
    /// `cookies`.
    cookies(word: &str) |rules, word| rules.cookies = Some(credentials(word));
    /// `authorization`.
    authorization(word: &str) |rules, word| rules.authorization = Some(credentials(word));
    /// `host = false`.
    any_host() |rules| rules.with(ViewPolicy::any_host);
    /// `cache_control`.
    cache_control(value: &str) |rules, value| {
        rules.told = true;
        if let Ok(value) = HeaderValue::from_str(value) {
            rules.with(|it| it.cache_control(value));
        }
    };
    /// `cache_control = false`.
    no_cache_control() |rules| {
        rules.told = true;
        rules.with(ViewPolicy::no_cache_control);
    };
    /// `etag = false`.
    no_etag() |rules| rules.with(|it| it.etag(false));
    /// `etag = weak`.
    weak_etag() |rules| rules.with(ViewPolicy::weak_etag);
    /// `last_modified = false`.
    no_last_modified() |rules| rules.with(|it| it.last_modified(false));
}

/// A number of bytes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number of bytes",
    label = "expected a `usize`",
    note = "`body_limit` takes a number (`65_536`), a text (`\"64 KiB\"`), or a constant of type `usize`"
)]
pub trait Bytes {
    /// As it is.
    #[doc(hidden)]
    fn bytes(self) -> usize;
}

impl Bytes for usize {
    fn bytes(self) -> usize {
        self
    }
}

impl Rules {
    /// `body_limit`.
    #[must_use]
    pub fn body_limit(mut self, limit: impl Bytes) -> Self {
        self.with(|it| it.body_limit(limit.bytes()));
        self
    }

    fn with(&mut self, change: impl FnOnce(ViewPolicy) -> ViewPolicy) {
        let policy = std::mem::take(&mut self.policy);
        self.policy = change(policy);
    }
}
