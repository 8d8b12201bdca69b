//! Lengths of time as a template writes them: `60`, `0.5`, `"1m 30s"`, `"never"`, `none`.

use std::time::Duration;

use ::minijinja::value::{Value, ValueKind};

use crate::cache::api::Expiry;

/// In nanoseconds, with every spelling.
const UNITS: &[(&[&str], f64)] = &[
    (&["ns"], 1.0),
    (&["us", "µs", "μs"], 1e3),
    (&["ms"], 1e6),
    (&["s"], 1e9),
    (&["m", "min"], 60e9),
    (&["h"], 3_600e9),
    (&["d"], 86_400e9),
    (&["w"], 604_800e9),
];

const ACCEPTED: &str = "give seconds such as `60`, text such as `\"1m 30s\"`, `\"never\"`, or \
                        `none` for the cache's default timeout";

/// The time to live, or what is wrong with it.
pub(super) fn expiry(value: &Value) -> Result<Expiry, String> {
    let refuse = |why: &str| format!("the timeout is `{value}`{why}: {ACCEPTED}");
    let after = match value.kind() {
        ValueKind::None => return Ok(Expiry::Default),
        ValueKind::String if value.as_str() == Some("never") => return Ok(Expiry::Never),
        ValueKind::String => value.as_str().and_then(parse),
        ValueKind::Number => f64::try_from(value.clone()).ok().and_then(seconds),
        _ => return Err(refuse("")),
    };
    match after {
        None => Err(refuse("")),
        Some(Duration::ZERO) => Err(refuse(
            ", which means \"for ever\" to some and \"not stored\" to others",
        )),
        Some(after) => Ok(Expiry::After(after)),
    }
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// `1m 30s`: numbers, each with a unit.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = None;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        let (_, nanos) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        let part = seconds(number.parse::<f64>().ok()? * nanos / 1e9)?;
        total = Some(total.unwrap_or(Duration::ZERO).checked_add(part)?);
        rest = after.trim_start();
    }
    total
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: impl Into<Value>) -> Result<Expiry, String> {
        expiry(&value.into())
    }

    #[test]
    fn seconds_and_units_are_read() {
        let after = |millis| Ok(Expiry::After(Duration::from_millis(millis)));
        assert_eq!(read(60), after(60_000));
        assert_eq!(read(0.5), after(500));
        assert_eq!(read("1m 30s"), after(90_000));
        assert_eq!(read("250ms"), after(250));
        assert_eq!(read(" 1.5 h "), after(5_400_000));
        assert_eq!(read("never"), Ok(Expiry::Never));
        assert_eq!(read(()), Ok(Expiry::Default));
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_is_accepted() {
        for zero in [Value::from(0), Value::from(0.0), Value::from("0s")] {
            let refused = read(zero).unwrap_err();
            assert!(refused.contains("for ever"), "{refused}");
        }
        for text in ["", "60", "1 minute", "-5s", "s", "1.2.3s", "1e400d", "1µ"] {
            let refused = read(text).unwrap_err();
            assert!(
                refused.contains(text) && refused.contains("1m 30s"),
                "{refused}"
            );
        }
        for value in [
            Value::from(-1),
            Value::from(f64::NAN),
            Value::from(f64::INFINITY),
        ] {
            assert!(read(value).is_err());
        }
        assert!(read(true).is_err() && read(Value::UNDEFINED).is_err());
    }
}
