//! Several measurements of one thing, as a median with its quartiles.

/// The median, and the quartiles around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// A quarter of the measurements is below this.
    pub low: f64,
    /// Half of them is.
    pub median: f64,
    /// Three quarters are.
    pub high: f64,
}

impl Summary {
    /// Of these measurements; there is at least one.
    ///
    /// # Panics
    /// There is none.
    pub fn of(mut measured: Vec<f64>) -> Self {
        measured.sort_by(f64::total_cmp);
        let at = |share: f64| measured[((measured.len() - 1) as f64 * share).round() as usize];
        Summary {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        }
    }

    /// Something that is counted, not measured: the same every time.
    pub fn exact(value: f64) -> Self {
        Summary {
            low: value,
            median: value,
            high: value,
        }
    }

    /// Of a part, where so many parts were measured at once.
    pub fn divided(self, parts: f64) -> Self {
        Summary {
            low: self.low / parts,
            median: self.median / parts,
            high: self.high / parts,
        }
    }

    /// Whether there is no spread to tell of.
    pub fn is_exact(&self) -> bool {
        self.low == self.high
    }
}
