//! Shares of the timeout: `refresh_ahead` and `jitter`.

use syn::{Error, Expr, Lit, LitStr, Result};

use super::given::text;
use super::literal;
use super::split::{Given, bare, describe};
use crate::model::Jitter;

/// `refresh_ahead`, in thousandths.
pub(super) fn fraction(given: &Given) -> Result<u16> {
    let expr = given.assigned()?;
    let error = |message: String| Err(Error::new_spanned(expr, message));
    let Some(number) = number(expr) else {
        return Err(given.expected(expr, "a fraction of the timeout"));
    };
    let thousandths = (number * 1000.0).round();
    if (1.0..=999.0).contains(&thousandths) && !number.is_nan() {
        return Ok(thousandths as u16);
    }
    let found = describe(expr);
    if (2.0..100.0).contains(&number) {
        let meant = number / 100.0;
        return error(format!(
            "`refresh_ahead` is a fraction between 0 and 1, not {found}; write `refresh_ahead = \
             {meant}`"
        ));
    }
    error(format!(
        "`refresh_ahead` is a fraction between 0 and 1, not {found}; write `refresh_ahead = 0.8`"
    ))
}

/// A number; `"80%"` is one too.
fn number(expr: &Expr) -> Option<f64> {
    let Expr::Lit(literal) = bare(expr) else {
        return None;
    };
    match &literal.lit {
        Lit::Float(float) => float.base10_parse().ok(),
        Lit::Int(int) => int.base10_parse().ok(),
        Lit::Str(text) => text.value().strip_suffix('%')?.trim().parse().ok(),
        _ => None,
    }
}

/// `jitter = "10%"` or a time.
pub(super) fn jitter(given: &Given) -> Result<Jitter> {
    let expr = given.assigned()?;
    let percent = text(expr).map(LitStr::value);
    let percent = percent
        .as_deref()
        .and_then(|text| text.trim().strip_suffix('%'));
    if let Some(percent) = percent {
        let Ok(percent) = percent.trim().parse::<f64>() else {
            return Err(given.expected(expr, "a percentage or a time"));
        };
        let thousandths = (percent * 10.0).round();
        if !(1.0..1000.0).contains(&thousandths) {
            let message = format!(
                "`jitter` must stay above 0 and below 100 %, and {} does not; write `jitter = \
                 \"10%\"`",
                describe(expr)
            );
            return Err(Error::new_spanned(expr, message));
        }
        return Ok(Jitter::PerMille(thousandths as u16));
    }
    if matches!(expr, Expr::Lit(literal) if matches!(literal.lit, Lit::Float(_))) {
        let message = "a bare fraction could be seconds or a share of the timeout; write `jitter = \
                       \"10%\"` or `jitter = \"500ms\"`";
        return Err(Error::new_spanned(expr, message));
    }
    match literal::time(expr, "jitter") {
        Some(nanos) => nanos.map(Jitter::Fixed),
        None => Err(given.expected(expr, "a percentage or a time")),
    }
}
