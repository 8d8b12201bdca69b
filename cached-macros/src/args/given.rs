//! From an option as written to its meaning: what the readers of single values stand on.

use proc_macro2::TokenStream;
use syn::{Error, Expr, ExprClosure, Lit, LitStr, Result};

use super::split::{Given, Value, bare, describe};
use crate::diag::Diag;
use crate::model::Named;

impl Given {
    /// The value that `read` finds, kept together with the place of the option's name.
    pub(super) fn named<T>(
        &self,
        diag: &mut Diag,
        read: impl FnOnce(&Given) -> Result<T>,
    ) -> Option<Named<T>> {
        if matches!(self.value, Value::Broken) {
            return None;
        }
        let value = diag.take(read(self))?;
        Some(Named::new(self.name.span(), value))
    }

    /// A mistake in the option as a whole.
    pub(super) fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::new(self.name.span(), message)
    }

    /// What stands behind `=`.
    pub(super) fn assigned(&self) -> Result<&Expr> {
        let (name, example) = (&self.name, self.example);
        match &self.value {
            Value::Assigned(expr) => Ok(bare(expr)),
            Value::List(_) => Err(self.error(format!(
                "`{name}` takes its value behind `=`; write `{example}`"
            ))),
            _ => Err(self.error(format!("`{name}` needs a value; write `{example}`"))),
        }
    }

    /// What stands in parentheses.
    pub(super) fn list(&self) -> Result<TokenStream> {
        let (name, example) = (&self.name, self.example);
        match &self.value {
            Value::List(tokens) if !tokens.is_empty() => Ok(tokens.clone()),
            Value::List(_) => Err(self.error(format!("`{name}()` is empty; write `{example}`"))),
            Value::Assigned(_) => Err(self.error(format!(
                "`{name}` takes its values in parentheses; write `{example}`"
            ))),
            _ => Err(self.error(format!("`{name}` needs values; write `{example}`"))),
        }
    }

    /// The value is of a wrong kind.
    pub(super) fn expected(&self, expr: &Expr, what: &str) -> Error {
        let (name, example, found) = (&self.name, self.example, describe(expr));
        Error::new_spanned(
            expr,
            format!("`{name}` takes {what}, not {found}; write `{example}`"),
        )
    }

    /// `name`, `name = true` or `name = false`.
    pub(super) fn flag(&self) -> Result<bool> {
        if let Value::Bare = self.value {
            return Ok(true);
        }
        let expr = self.assigned()?;
        boolean(expr).ok_or_else(|| self.expected(expr, "`true` or `false`"))
    }

    /// A closure with one parameter.
    pub(super) fn closure(&self, expr: &Expr, what: &str) -> Result<ExprClosure> {
        let Expr::Closure(closure) = bare(expr) else {
            return Err(self.expected(expr, what));
        };
        let name = &self.name;
        if closure.asyncness.is_some() {
            let message = format!("`{name}` cannot wait; write a closure without `async`");
            return Err(Error::new_spanned(closure.asyncness, message));
        }
        if closure.inputs.len() != 1 {
            let message = format!(
                "`{name}` calls its closure with one value, and this one takes {}; write it as \
                 `|value| ...`",
                closure.inputs.len()
            );
            return Err(Error::new_spanned(closure, message));
        }
        Ok(closure.clone())
    }
}

/// A string literal.
pub(super) fn text(expr: &Expr) -> Option<&LitStr> {
    match bare(expr) {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// `true` or `false`.
pub(super) fn boolean(expr: &Expr) -> Option<bool> {
    match bare(expr) {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Bool(boolean) => Some(boolean.value()),
            _ => None,
        },
        _ => None,
    }
}
