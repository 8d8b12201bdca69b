//! The time of day, for people.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, as `10:41:07.123 UTC`.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{millis:03} UTC",
        seconds % 60
    )
}
