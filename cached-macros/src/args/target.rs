//! What can be invalidated by call or by name: `get_user(42)`, `repo.get_user(42)`, `get_user`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{BinOp, Error, Expr, ExprCall, ExprMethodCall, ExprPath, Result, Token};

use super::given::text;
use super::labels::is_label;
use super::split::{bare, describe};
use crate::model::{Argument, Target};
use crate::words;

/// Reads an expression that stands for a function or one of its calls.
pub(super) fn read(expr: &Expr) -> Result<Target> {
    match bare(expr) {
        Expr::Call(call) => function_call(call),
        Expr::MethodCall(call) => method_call(call),
        Expr::Path(path) => Ok(Target::Function { path: named(path)? }),
        other => Err(Error::new_spanned(other, misused(other))),
    }
}

fn function_call(call: &ExprCall) -> Result<Target> {
    let Expr::Path(path) = bare(&call.func) else {
        return Err(Error::new_spanned(
            &call.func,
            format!(
                "a call names its function, and this is {}; write `get_user(42)`",
                describe(&call.func)
            ),
        ));
    };
    Ok(Target::Call {
        path: named(path)?,
        args: arguments(&call.args)?,
    })
}

fn method_call(call: &ExprMethodCall) -> Result<Target> {
    if waits(&call.receiver) {
        return Err(awaited(&call.receiver));
    }
    Ok(Target::MethodCall {
        receiver: call.receiver.clone(),
        method: call.method.clone(),
        turbofish: call.turbofish.clone(),
        args: arguments(&call.args)?,
    })
}

/// A path with a companion beside it.
fn named(path: &ExprPath) -> Result<ExprPath> {
    match &path.qself {
        Some(qself) if qself.as_token.is_some() => Err(Error::new_spanned(
            path,
            "a trait's method has no entry to name; give it a `key_prefix` or `tags` and write \
             `prefix = \"...\"` or `tag = \"...\"`",
        )),
        _ => Ok(path.clone()),
    }
}

fn arguments(args: &Punctuated<Expr, Token![,]>) -> Result<Vec<Argument>> {
    let argument = |arg: &Expr| match arg {
        Expr::Infer(skipped) => Ok(Argument::Skipped(skipped.span())),
        arg if waits(arg) => Err(awaited(arg)),
        arg => Ok(Argument::Given(Box::new(arg.clone()))),
    };
    args.iter().map(argument).collect()
}

/// Whether `.await` stands anywhere in it.
fn waits(expr: &Expr) -> bool {
    fn inside(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == "await",
            TokenTree::Group(group) => inside(group.stream()),
            _ => false,
        })
    }
    inside(expr.to_token_stream())
}

fn awaited(expr: &Expr) -> Error {
    let message = "nothing can be awaited in here; await it before, as in `let id = ...;`, and use \
                   `id`";
    Error::new_spanned(expr, message)
}

/// Why something is no target, and what is.
fn misused(expr: &Expr) -> String {
    match expr {
        Expr::Lit(_) if text(expr).is_some() => {
            let shown = expr.to_token_stream();
            format!(
                "{} alone could be a prefix or a tag; did you mean `prefix = {shown}`?",
                describe(expr)
            )
        }
        Expr::Await(_) => "the call is named here, not made; leave `.await` out".to_owned(),
        Expr::Try(_) => "the call is named here, not made; leave `?` out".to_owned(),
        Expr::Macro(_) => {
            "a macro names no function; write the call, as in `get_user(42)`".to_owned()
        }
        Expr::Closure(_) => {
            "a closure names no function; write the call, as in `get_user(42)`".to_owned()
        }
        Expr::Reference(_) => "a reference names no function; write it without `&`".to_owned(),
        Expr::Field(field) => {
            let member = field.member.to_token_stream();
            format!("a method is named by its type; write `Type::{member}` for every entry of it")
        }
        Expr::Binary(binary) if matches!(binary.op, BinOp::Eq(_)) && is_word(&binary.left) => {
            "a word takes its value behind a single `=`; write `prefix = \"user:{id}\"`".to_owned()
        }
        _ => format!(
            "expected a call such as `get_user(42)`, a function, or one of {}, not {}",
            words::list(["prefix = ...", "tag = ...", "pattern = ...", "all"]),
            describe(expr)
        ),
    }
}

fn is_word(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.get_ident().is_some_and(is_label))
}
