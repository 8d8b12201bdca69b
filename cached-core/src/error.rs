//! What can go wrong on the way to or from a cache.

use std::error::Error as StdError;
use std::fmt;

/// An error of the cache itself, never of the cached function.
///
/// Opaque, so that kinds can be added: ask it what it is with the predicates, show it to a person
/// with `Display`, and find what lies beneath with [`source`](std::error::Error::source).
///
/// ```
/// let error = dewar::Cache::builder().max_entries(0).build().unwrap_err();
/// assert!(error.is_config());
/// assert_eq!(error.to_string(), "`max_entries` is 0: give at least 1, or switch caching off with the store `null`");
/// ```
pub struct Error {
    kind: Kind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A setting that cannot be meant.
    Config { setting: String, problem: String },
    /// Something that cannot be read, and that a log must not repeat.
    #[cfg(feature = "tower")]
    Unreadable {
        setting: &'static str,
        given: Option<String>,
        wanted: &'static str,
    },
    /// A second configuration of something that is already in use.
    AlreadyConfigured { what: String },
    /// No cache is registered under this name.
    UnknownCache { name: String, known: Vec<String> },
    /// A value that cannot be what the operation needs.
    Value { key: String, problem: String },
    /// A load took longer than `hard_timeout`.
    TimedOut { limit: std::time::Duration },
    /// A shared store could not be reached or refused.
    Store { problem: String, cause: Cause },
}

/// Why a shared store did not do what it was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It could not be reached.
    Lost,
    /// It answered, and said no.
    Refused,
    /// It did not answer in time.
    Late,
    /// It was not asked: it is taken to be down.
    #[cfg(feature = "stores")]
    Down,
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Self {
        Error { kind, source: None }
    }

    pub(crate) fn config(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::new(Kind::Config {
            setting: setting.into(),
            problem: problem.into(),
        })
    }

    /// What was given for a setting cannot be read, and may hold what is nobody else's.
    #[cfg(feature = "tower")]
    pub(crate) fn unreadable(setting: &'static str, given: &str, wanted: &'static str) -> Self {
        Error::new(Kind::Unreadable {
            setting,
            given: Some(given.to_owned()),
            wanted,
        })
    }

    /// The same error without what was given, for a log.
    #[cfg(feature = "tracing")]
    pub(crate) fn for_log(&self) -> Self {
        #[cfg(feature = "tower")]
        if let Kind::Unreadable {
            setting, wanted, ..
        } = self.kind
        {
            return Error::new(Kind::Unreadable {
                setting,
                given: None,
                wanted,
            });
        }
        self.again()
    }

    /// What was given for a setting, as a message may repeat it: what looks like an address with a
    /// login stays out, whichever setting it was meant for.
    pub(crate) fn shown(given: &str) -> &str {
        match given.contains('@') || given.contains("://") {
            true => "…",
            false => given,
        }
    }

    pub(crate) fn value(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::new(Kind::Value {
            key: key.into(),
            problem: problem.into(),
        })
    }

    /// A shared store could not be reached, for those who write one: what it was to do, in the
    /// infinitive, and what went wrong. Neither may hold a secret.
    ///
    /// ```
    /// let error = dewar::Error::store("read 3 keys", "the connection was closed");
    /// assert_eq!(error.to_string(), "the store failed to read 3 keys: the connection was closed");
    /// ```
    pub fn store(operation: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Error::of_store(operation, problem, Cause::Lost)
    }

    /// A shared store answered and said no, for those who write one: it counts as a failure, and
    /// the store as up.
    pub fn refused(operation: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Error::of_store(operation, problem, Cause::Refused)
    }

    fn of_store(operation: impl fmt::Display, problem: impl fmt::Display, cause: Cause) -> Self {
        let problem = format!("the store failed to {operation}: {problem}");
        Error::new(Kind::Store { problem, cause })
    }

    /// A store did not answer in time.
    #[cfg(feature = "stores")]
    pub(crate) fn store_timeout(limit: std::time::Duration) -> Self {
        let problem = format!("the store did not answer within {limit:?}");
        let cause = Cause::Late;
        Error::new(Kind::Store { problem, cause })
    }

    /// The code of a store panicked.
    #[cfg(feature = "stores")]
    pub(crate) fn store_panicked(operation: &str) -> Self {
        Error::store(operation, "its code panicked")
    }

    /// A store was not asked.
    #[cfg(feature = "stores")]
    pub(crate) fn store_down() -> Self {
        let problem = "the store does not answer, and is left alone for a moment".into();
        let cause = Cause::Down;
        Error::new(Kind::Store { problem, cause })
    }

    /// A store was not asked.
    #[cfg(feature = "stores")]
    pub(crate) fn is_down(&self) -> bool {
        let down = Cause::Down;
        matches!(&self.kind, Kind::Store { cause, .. } if *cause == down)
    }

    /// The same error once more, without what lies beneath.
    pub(crate) fn again(&self) -> Self {
        Error::new(self.kind.clone())
    }

    /// Adds what lies beneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// A setting was wrong: its name, what was given and what is accepted are in the message.
    pub fn is_config(&self) -> bool {
        #[cfg(feature = "tower")]
        if matches!(self.kind, Kind::Unreadable { .. }) {
            return true;
        }
        matches!(self.kind, Kind::Config { .. })
    }

    /// Something was configured twice.
    pub fn is_already_configured(&self) -> bool {
        matches!(self.kind, Kind::AlreadyConfigured { .. })
    }

    /// A cache was asked for by a name that is not registered.
    pub fn is_unknown_cache(&self) -> bool {
        matches!(self.kind, Kind::UnknownCache { .. })
    }

    /// A value does not fit the operation, as text does not fit `increment`.
    pub fn is_value(&self) -> bool {
        matches!(self.kind, Kind::Value { .. })
    }

    /// A load was slower than its `hard_timeout`, or a store than its time limit.
    pub fn is_timeout(&self) -> bool {
        let late = Cause::Late;
        matches!(&self.kind, Kind::TimedOut { .. })
            || matches!(&self.kind, Kind::Store { cause, .. } if *cause == late)
    }

    /// A shared store could not be reached, or refused.
    pub fn is_store(&self) -> bool {
        matches!(self.kind, Kind::Store { .. })
    }

    /// A shared store answered, and said no.
    pub fn is_refused(&self) -> bool {
        let refused = Cause::Refused;
        matches!(&self.kind, Kind::Store { cause, .. } if *cause == refused)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Config { setting, problem } => write!(f, "`{setting}` {problem}"),
            #[cfg(feature = "tower")]
            Kind::Unreadable {
                setting,
                given,
                wanted,
            } => match given {
                Some(given) => write!(f, "`{setting}` is `{given}`: {wanted}"),
                None => write!(f, "`{setting}` cannot be read: {wanted}"),
            },
            Kind::AlreadyConfigured { what } => write!(
                f,
                "{what} is configured already: configure it once, at the start of the program"
            ),
            Kind::UnknownCache { name, known } if known.is_empty() => write!(
                f,
                "no cache is named `{name}`: register it with `Cache::builder().name(\"{name}\")` and `register()`; none is registered so far"
            ),
            Kind::UnknownCache { name, known } => write!(
                f,
                "no cache is named `{name}`: registered are `{}`",
                known.join("`, `")
            ),
            Kind::Value { key, problem } => write!(f, "the value at `{key}` {problem}"),
            Kind::TimedOut { limit } => {
                write!(f, "the load took longer than its hard timeout of {limit:?}")
            }
            Kind::Store { problem, .. } => f.write_str(problem),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.kind);
        if let Some(source) = &self.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

/// What a function with `hard_timeout` returns, turned into its own error by `From<TimedOut>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedOut {
    limit: std::time::Duration,
}

impl TimedOut {
    pub(crate) fn after(limit: std::time::Duration) -> Self {
        TimedOut { limit }
    }

    /// The `hard_timeout` that was exceeded.
    pub fn limit(&self) -> std::time::Duration {
        self.limit
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the load took longer than its hard timeout of {:?}",
            self.limit
        )
    }
}

impl StdError for TimedOut {}

impl From<TimedOut> for Error {
    fn from(error: TimedOut) -> Self {
        Error::new(Kind::TimedOut { limit: error.limit })
    }
}
