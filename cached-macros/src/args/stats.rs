//! `stats!`: one function, without arguments.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, ExprPath, Result, Token};

use super::split::bare;
use super::target;
use crate::diag::Diag;
use crate::model::Target;

const ONE_FUNCTION: &str = "`stats!` names one function; write `stats!(get_user)`";
const OF_A_TRAIT: &str = "a trait's method is known by its name alone; write \
     `Cache::current().function(\"crate::module::method\")`, with the name that `function_stats` lists";

/// Reads the function.
pub(crate) fn stats(tokens: TokenStream, diag: &mut Diag) -> Option<ExprPath> {
    let expr = diag.take(one.parse2(tokens))?;
    diag.take(function(&expr))
}

fn one(input: ParseStream<'_>) -> Result<Expr> {
    if input.is_empty() {
        return Err(Error::new(Span::call_site(), ONE_FUNCTION));
    }
    let expr = input.parse()?;
    let _: Option<Token![,]> = input.parse()?;
    if input.is_empty() {
        Ok(expr)
    } else {
        Err(input.error("`stats!` names one function; write a `stats!` for each"))
    }
}

fn function(expr: &Expr) -> Result<ExprPath> {
    match bare(expr) {
        Expr::Path(path) if path.qself.as_ref().is_some_and(|it| it.as_token.is_some()) => {
            return Err(Error::new_spanned(expr, OF_A_TRAIT));
        }
        Expr::Path(_) | Expr::Call(_) | Expr::MethodCall(_) => {}
        _ => return Err(Error::new_spanned(expr, ONE_FUNCTION)),
    }
    let called = |shown: String| {
        let message = format!(
            "calls are not counted one by one, functions are; write `stats!({})`",
            shown.replace(' ', "")
        );
        Err(Error::new_spanned(expr, message))
    };
    match target::read(expr)? {
        Target::Function { path } => Ok(path),
        Target::Call { path, .. } => called(path.to_token_stream().to_string()),
        Target::MethodCall { method, .. } => called(format!("Type::{method}")),
        _ => Err(Error::new_spanned(expr, ONE_FUNCTION)),
    }
}
