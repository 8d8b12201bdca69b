//! `entry!`: one call, all arguments given.

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Result, Token};

use super::split::{bare, describe};
use super::target;
use crate::diag::Diag;
use crate::model::{Argument, Target};

const ONE_CALL: &str = "`entry!` names one call; write `entry!(get_user(42))`";

/// Reads the call.
pub(crate) fn entry(tokens: TokenStream, diag: &mut Diag) -> Option<Target> {
    let expr = diag.take(one.parse2(tokens))?;
    let target = diag.take(call(&expr))?;
    if let Target::Call { args, .. } | Target::MethodCall { args, .. } = &target {
        for arg in args {
            if let Argument::Skipped(span) = arg {
                diag.at(
                    *span,
                    "`_` leaves out an argument that the body may need; write the argument itself",
                );
            }
        }
    }
    Some(target)
}

fn one(input: ParseStream<'_>) -> Result<Expr> {
    if input.is_empty() {
        return Err(Error::new(Span::call_site(), ONE_CALL));
    }
    let expr = input.parse()?;
    let _: Option<Token![,]> = input.parse()?;
    if input.is_empty() {
        Ok(expr)
    } else {
        Err(input.error("`entry!` names one call; write an `entry!` for each"))
    }
}

fn call(expr: &Expr) -> Result<Target> {
    match bare(expr) {
        Expr::Path(_) => {}
        Expr::Lit(_) | Expr::Assign(_) => return Err(Error::new_spanned(expr, ONE_CALL)),
        _ => return target::read(expr),
    }
    target::read(expr)?;
    let shown = describe(expr);
    let shown = shown.trim_matches('`');
    let message = format!(
        "`entry!` needs the arguments of the call; write `entry!({shown}(...))`, or \
         `invalidate!({shown})` for all entries of the function"
    );
    Err(Error::new_spanned(expr, message))
}
