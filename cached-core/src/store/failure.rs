//! What went wrong last, for people.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::Nanos;
use crate::error::Error;
use crate::sync::lock;

/// Longer texts are cut: a server may say anything.
const LONGEST: usize = 300;

/// The last operation of a store that failed, in a [`StoreStatus`](super::StoreStatus).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreFailure {
    /// How long ago that was.
    pub ago: Duration,
    /// What the store, or the way to it, said; no credentials, and no more than 300 bytes.
    pub error: String,
}

/// Where it is kept.
#[derive(Default)]
pub(super) struct LastFailure(Mutex<Option<(Nanos, String)>>);

impl LastFailure {
    pub(super) fn note(&self, now: Nanos, error: &Error) {
        let mut text = error.to_string();
        while text.len() > LONGEST {
            text.pop();
        }
        *lock(&self.0) = Some((now, text));
    }

    pub(super) fn get(&self, now: Nanos) -> Option<StoreFailure> {
        let (at, error) = lock(&self.0).clone()?;
        Some(StoreFailure {
            ago: Duration::from_nanos(now.saturating_sub(at)),
            error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, LastFailure};
    use crate::error::Error;

    #[test]
    fn the_last_failure_is_told_within_bounds() {
        let last = LastFailure::default();
        assert_eq!(last.get(7), None);
        last.note(2, &Error::store_timeout(std::time::Duration::from_secs(1)));
        last.note(3, &Error::config("\u{e9}".repeat(400), "x"));
        let failure = last.get(7).unwrap();
        assert_eq!(failure.ago.as_nanos(), 4);
        assert!((LONGEST - 2..=LONGEST).contains(&failure.error.len()));
    }
}
