//! `"1m 30s"`: lengths of time in words of our own.

/// Nanoseconds in a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// In nanoseconds, with every spelling.
const UNITS: &[(u64, &[&str])] = &[
    (1, &["ns"]),
    (1_000, &["us", "µs", "μs"]),
    (1_000_000, &["ms"]),
    (SECOND, &["s"]),
    (60 * SECOND, &["m", "min"]),
    (3_600 * SECOND, &["h"]),
    (86_400 * SECOND, &["d"]),
    (604_800 * SECOND, &["w"]),
];

/// The units, with spellings that are not taken.
const MEANT: &[(&str, &[&str])] = &[
    (
        "ns",
        &["nano", "nanos", "nsec", "nanosecond", "nanoseconds"],
    ),
    (
        "us",
        &["micro", "micros", "usec", "microsecond", "microseconds"],
    ),
    (
        "ms",
        &["milli", "millis", "msec", "millisecond", "milliseconds"],
    ),
    ("s", &["sec", "secs", "second", "seconds"]),
    ("m", &["mins", "minute", "minutes"]),
    ("h", &["hr", "hrs", "hour", "hours"]),
    ("d", &["day", "days"]),
    ("w", &["wk", "wks", "week", "weeks"]),
];

const ACCEPTED: &str = "write seconds as in `60`, or units as in `\"1m 30s\"` \
                        (`ns`, `us`, `ms`, `s`, `m`, `h`, `d`, `w`)";

/// Why something is no length of time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    Empty,
    Zero,
    Negative,
    /// `"never"`, which is a word and no text.
    Never,
    NoUnit,
    Unit(String),
    /// `60s` without quotes.
    Unquoted,
    /// `60u64`; what it is without the suffix.
    Suffix(String),
    TooLong,
    Malformed,
}

/// The nanoseconds of `"1m 30s"`.
pub(crate) fn parse(text: &str) -> Result<u64, Mistake> {
    let mut rest = text.trim();
    match rest {
        "" => return Err(Mistake::Empty),
        "never" => return Err(Mistake::Never),
        _ if rest.starts_with('-') => return Err(Mistake::Negative),
        _ => {}
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        let nanos = match (number, unit) {
            ("", _) => return Err(Mistake::Malformed),
            (_, "") if after.is_empty() || after.starts_with(char::is_numeric) => {
                return Err(Mistake::NoUnit);
            }
            (_, "") => return Err(Mistake::Malformed),
            _ => scaled(number, unit_nanos(unit)?)?,
        };
        total = total.checked_add(nanos).ok_or(Mistake::TooLong)?;
        rest = after.trim_start();
    }
    positive(total)
}

/// `0` is a mistake everywhere.
pub(super) fn positive(nanos: u64) -> Result<u64, Mistake> {
    if nanos == 0 {
        Err(Mistake::Zero)
    } else {
        Ok(nanos)
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn unit_nanos(unit: &str) -> Result<u64, Mistake> {
    let known = UNITS
        .iter()
        .find(|(_, spellings)| spellings.contains(&unit));
    known
        .map(|(nanos, _)| *nanos)
        .ok_or_else(|| Mistake::Unit(unit.to_owned()))
}

/// A decimal number of units, in nanoseconds.
pub(super) fn scaled(number: &str, unit: u64) -> Result<u64, Mistake> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(Mistake::Malformed);
    }
    let whole: u64 = whole.parse().map_err(|_| Mistake::TooLong)?;
    let fraction = &fraction[..fraction.len().min(18)];
    let parts = 10_u128.pow(fraction.len() as u32);
    let fraction: u128 = fraction.parse().unwrap_or(0);
    let total = u128::from(whole) * u128::from(unit) + fraction * u128::from(unit) / parts;
    u64::try_from(total).map_err(|_| Mistake::TooLong)
}

impl Mistake {
    /// What is wrong with `shown`, given to the option `option`, and what to write instead.
    pub(crate) fn message(&self, shown: &str, option: &str) -> String {
        match self {
            Mistake::Zero if option == "timeout" => format!(
                "`{shown}` means \"for ever\" in Flask-Caching and \"not stored\" in Django; write \
                 `timeout = never` for the one, and `unless = true` or no `#[cached]` for the other"
            ),
            Mistake::Zero => format!(
                "`{option}` is given no time at all by `{shown}`; leave it out, or write a time \
                 such as `\"5s\"`"
            ),
            Mistake::Empty => format!("`{shown}` is empty; {ACCEPTED}"),
            Mistake::Negative => format!("`{shown}` is negative, and a time cannot be; {ACCEPTED}"),
            Mistake::Never if option == "timeout" => {
                "`\"never\"` is a word of its own; write `timeout = never` without quotes"
                    .to_owned()
            }
            Mistake::Never => format!("`{option}` needs an end; {ACCEPTED}"),
            Mistake::NoUnit => format!("`{shown}` has a number without a unit; {ACCEPTED}"),
            Mistake::Unit(unit) => unknown_unit(shown, unit),
            Mistake::Unquoted => format!("`{shown}` needs quotes; write `\"{shown}\"`"),
            Mistake::Suffix(number) => {
                format!(
                    "`{shown}` has a suffix that is no unit of time; write `{number}` for seconds"
                )
            }
            Mistake::TooLong if option == "timeout" => {
                format!("`{shown}` is longer than 584 years; write `timeout = never`")
            }
            Mistake::TooLong => format!("`{shown}` is longer than 584 years; write a shorter time"),
            Mistake::Malformed => format!("`{shown}` is no length of time; {ACCEPTED}"),
        }
    }
}

fn unknown_unit(shown: &str, unit: &str) -> String {
    let lower = unit.to_lowercase();
    let meant = MEANT
        .iter()
        .find(|(unit, other)| *unit == lower || other.contains(&&*lower));
    match meant {
        Some((meant, _)) => {
            format!("`{shown}` has the unknown unit `{unit}`; did you mean `{meant}`?")
        }
        None => format!("`{shown}` has the unknown unit `{unit}`; {ACCEPTED}"),
    }
}
