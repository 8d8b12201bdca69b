//! Literals that stand for a length of time: `60`, `0.5`, `60 * 60`, `"1m 30s"`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{BinOp, Error, Expr, Lit, LitFloat, LitInt, Result, UnOp};

use super::split::bare;
use super::time::{Mistake, SECOND, parse, positive, scaled};

/// The nanoseconds that a literal of the option `option` stands for; `None` where `expr` is
/// something else than a literal.
pub(crate) fn time(expr: &Expr, option: &str) -> Option<Result<u64>> {
    let read = nanos(bare(expr))?;
    Some(read.map_err(|mistake| {
        let shown = shown(expr.to_token_stream());
        Error::new_spanned(expr, mistake.message(&shown, option))
    }))
}

fn nanos(expr: &Expr) -> Option<std::result::Result<u64, Mistake>> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(parse(&text.value())),
            Lit::Int(int) => Some(int_nanos(int)),
            Lit::Float(float) => Some(float_nanos(float)),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            nanos(bare(&unary.expr)).map(|_| Err(Mistake::Negative))
        }
        Expr::Binary(_) | Expr::Paren(_) => {
            let seconds = whole_seconds(expr)?.and_then(|seconds| seconds.checked_mul(SECOND));
            Some(seconds.ok_or(Mistake::TooLong).and_then(positive))
        }
        _ => None,
    }
}

fn int_nanos(int: &LitInt) -> std::result::Result<u64, Mistake> {
    match int.suffix() {
        "" => scaled(int.base10_digits(), SECOND).and_then(positive),
        suffix => Err(misplaced(int.base10_digits(), suffix)),
    }
}

fn float_nanos(float: &LitFloat) -> std::result::Result<u64, Mistake> {
    match float.suffix() {
        "" => scaled(float.base10_digits(), SECOND).and_then(positive),
        suffix => Err(misplaced(float.base10_digits(), suffix)),
    }
}

/// `60s` is a time without its quotes, `60u64` a number with a type.
fn misplaced(number: &str, suffix: &str) -> Mistake {
    match parse(&format!("{number}{suffix}")) {
        Ok(_) => Mistake::Unquoted,
        Err(_) => Mistake::Suffix(number.to_owned()),
    }
}

/// `60 * 60`: sums and products of whole numbers. `None`: something else; `Some(None)`: too large.
fn whole_seconds(expr: &Expr) -> Option<Option<u64>> {
    match bare(expr) {
        Expr::Paren(inner) => whole_seconds(&inner.expr),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) if int.suffix().is_empty() => Some(int.base10_parse().ok()),
            _ => None,
        },
        Expr::Binary(binary) => {
            let both = whole_seconds(&binary.left)?.zip(whole_seconds(&binary.right)?);
            match binary.op {
                BinOp::Mul(_) => Some(both.and_then(|(a, b)| a.checked_mul(b))),
                BinOp::Add(_) => Some(both.and_then(|(a, b)| a.checked_add(b))),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A literal as it was written; a minus sign stands close to its number.
fn shown(tokens: TokenStream) -> String {
    tokens.to_string().replace("- ", "-")
}
