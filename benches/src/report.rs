//! Tables in Markdown, and the file that holds them.
//!
//! Each group has its section between two marks and is replaced alone, so that one group can be
//! measured anew without the others.

use std::fmt;
use std::path::Path;

use crate::summary::Summary;
use crate::{machine, targets};

/// The column that ratios are formed with.
pub const OURS: &str = "dewar";

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// A time, given in nanoseconds.
    Time,
    /// So many times something.
    Times,
    /// Of a hundred.
    Percent,
    /// Bytes.
    Bytes,
    /// Something counted.
    Count,
    /// Instructions of a processor.
    Instructions,
}

impl Unit {
    /// A figure as one reads it.
    pub fn show(self, value: f64) -> String {
        let (number, unit) = self.parts(value);
        format!("{number}{unit}")
    }

    /// The median with its quartiles, the unit once where it is the same for all.
    fn show_all(self, it: Summary) -> String {
        let [low, median, high] = [it.low, it.median, it.high].map(|it| self.parts(it));
        match it.is_exact() {
            true => format!("{}{}", median.0, median.1),
            false if low.1 == median.1 && median.1 == high.1 => {
                format!("{} [{}–{}]{}", median.0, low.0, high.0, median.1)
            }
            false => format!(
                "{}{} [{}{}–{}{}]",
                median.0, median.1, low.0, low.1, high.0, high.1
            ),
        }
    }

    fn parts(self, value: f64) -> (String, &'static str) {
        match self {
            Unit::Time if value >= 1e9 => (format!("{:.2}", value / 1e9), " s"),
            Unit::Time if value >= 1e6 => (format!("{:.1}", value / 1e6), " ms"),
            Unit::Time if value >= 1e4 => (format!("{:.1}", value / 1e3), " µs"),
            Unit::Time if value >= 100.0 => (format!("{value:.0}"), " ns"),
            Unit::Time => (format!("{value:.1}"), " ns"),
            Unit::Times => (format!("{value:.2}"), " ×"),
            Unit::Percent => (format!("{value:.1}"), ""),
            Unit::Bytes if value >= 1e6 => (format!("{:.1}", value / 1e6), " MB"),
            Unit::Bytes if value >= 1e4 => (format!("{:.1}", value / 1e3), " kB"),
            Unit::Bytes => (format!("{value:.0}"), " B"),
            Unit::Instructions => (format!("{value:.0}"), ""),
            Unit::Count if value.fract() == 0.0 => (format!("{value}"), ""),
            Unit::Count => (format!("{value:.2}"), ""),
        }
    }

    /// Whether "so many times the peer's" says something.
    fn has_ratio(self) -> bool {
        matches!(self, Unit::Time | Unit::Bytes | Unit::Instructions)
    }
}

/// One thing measured for several contenders.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What the figures are.
    pub unit: Unit,
    /// Each contender's figure.
    pub cells: Vec<(&'static str, Summary)>,
}

impl Row {
    /// A contender's figure, if it has one.
    pub fn figure(&self, contender: &str) -> Option<f64> {
        let cell = self.cells.iter().find(|(name, _)| *name == contender);
        cell.map(|(_, summary)| summary.median)
    }

    /// Our figure.
    pub fn ours(&self) -> Option<f64> {
        self.figure(OURS)
    }

    fn cell(&self, contender: &str) -> String {
        let Some((_, it)) = self.cells.iter().find(|(name, _)| *name == contender) else {
            return "–".into();
        };
        let text = self.unit.show_all(*it);
        match self.ours() {
            Some(ours) if contender != OURS && self.unit.has_ratio() && it.median > 0.0 => {
                format!("{text}, **{:.2}**", ours / it.median)
            }
            _ => text,
        }
    }
}

/// Rows with the same contenders.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its heading; targets are found by it.
    pub title: &'static str,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: &'static str) -> Self {
        Table {
            title,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(
        &mut self,
        what: impl Into<String>,
        unit: Unit,
        cells: Vec<(&'static str, Summary)>,
    ) {
        let what = what.into();
        eprintln!("  {}: {what}", self.title);
        self.rows.push(Row { what, unit, cells });
    }

    /// Those that have a figure in any row, in the order in which they appear.
    fn contenders(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        for (name, _) in self.rows.iter().flat_map(|row| &row.cells) {
            if !all.contains(name) {
                all.push(name);
            }
        }
        all
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contenders = self.contenders();
        writeln!(f, "### {}\n", self.title)?;
        writeln!(f, "| | {} | target |", contenders.join(" | "))?;
        writeln!(f, "|{}", " --- |".repeat(contenders.len() + 2))?;
        for row in &self.rows {
            write!(f, "| {} |", row.what)?;
            for contender in &contenders {
                write!(f, " {} |", row.cell(contender))?;
            }
            writeln!(f, " {} |", targets::verdict(self.title, row))?;
        }
        let mut reasons = self.rows.iter().filter_map(|row| {
            let reason = targets::reason(self.title, row)?;
            Some(format!("- *{}* is not met: {reason}.", row.what))
        });
        if let Some(first) = reasons.next() {
            writeln!(f, "\n{first}")?;
            reasons.try_for_each(|reason| writeln!(f, "{reason}"))?;
        }
        Ok(())
    }
}

/// What a group measured.
#[derive(Clone, Debug)]
pub struct Section {
    /// What the rows mean.
    pub about: &'static str,
    /// The tables.
    pub tables: Vec<Table>,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\nMeasured {}.", self.about, machine::moment())?;
        self.tables.iter().try_for_each(|it| write!(f, "\n{it}"))
    }
}

const HEAD: &str = "# Results\n\n\
    Written by `run.sh`; [README.md](README.md) says how it measures and what a row means. A cell\n\
    is the median with the quartiles, and in bold our figure divided by the peer's: below 1 we are\n\
    faster, or smaller. A dash: the peer cannot do it, or was not asked.\n\n";

/// Puts a group's section in the place of the one that the file has, or at its end.
///
/// # Panics
/// The file cannot be written.
pub fn write(path: &Path, group: &str, section: &Section) {
    let (open, close) = (
        format!("<!-- {group} -->\n"),
        format!("<!-- /{group} -->\n"),
    );
    let text = format!("{open}## {group}\n\n{section}{close}");
    let old = std::fs::read_to_string(path).unwrap_or_default();
    let sections = old.find("<!-- ").map_or("", |at| &old[at..]);
    let sections = match (sections.find(&open), sections.find(&close)) {
        (Some(start), Some(end)) => {
            let rest = &sections[end + close.len()..];
            format!("{}{text}{rest}", &sections[..start])
        }
        _ if sections.is_empty() => text,
        _ => format!("{sections}\n{text}"),
    };
    let all = format!("{HEAD}{}\n{sections}", machine::table());
    std::fs::write(path, all).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
