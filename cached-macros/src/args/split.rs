//! An attribute's text, cut into its options: syntax only, nothing is interpreted yet.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Token, token};

use crate::diag::Diag;

/// One option as it was written.
pub(crate) struct Given {
    pub(crate) name: Ident,
    pub(crate) value: Value,
    /// How the option is used, for messages.
    pub(crate) example: &'static str,
}

/// What stands behind an option's name.
pub(crate) enum Value {
    /// Nothing.
    Bare,
    /// `=` and nothing.
    Missing,
    /// `=` and something that is no expression, reported already.
    Broken,
    /// `= value`.
    Assigned(Expr),
    /// `(...)`.
    List(TokenStream),
}

/// What stands between two commas.
pub(crate) enum Part {
    Named(Given),
    Positional(Expr),
}

/// Cuts `tokens` at its commas. After something that cannot be read, reading goes on at the next
/// option, so that the later ones are looked at too.
pub(crate) fn parts(tokens: TokenStream, diag: &mut Diag) -> Vec<Part> {
    let mut parts = Vec::new();
    let read = |input: ParseStream<'_>| -> syn::Result<()> {
        while !input.is_empty() {
            if let Some(part) = part(input, diag) {
                parts.push(part);
            }
            comma(input, diag);
        }
        Ok(())
    };
    let finished = read.parse2(tokens);
    diag.take(finished);
    parts
}

fn part(input: ParseStream<'_>, diag: &mut Diag) -> Option<Part> {
    if input.peek(Token![,]) {
        diag.at(input.span(), "expected an option before this `,`");
        return None;
    }
    if starts_option(input) {
        return named(input, diag).map(Part::Named);
    }
    match input.parse() {
        Ok(expr) => Some(Part::Positional(expr)),
        Err(error) => {
            diag.take::<()>(Err(error));
            skip(input);
            None
        }
    }
}

fn named(input: ParseStream<'_>, diag: &mut Diag) -> Option<Given> {
    let name = diag.take(input.call(Ident::parse_any))?;
    let value = if input.peek(Token![=]) {
        diag.take(input.parse::<Token![=]>())?;
        assigned(input, diag)
    } else if input.peek(token::Paren) {
        let list = input.call(|input| {
            let content;
            syn::parenthesized!(content in input);
            content.parse()
        });
        Value::List(diag.take(list)?)
    } else {
        Value::Bare
    };
    Some(Given {
        name,
        value,
        example: "",
    })
}

fn assigned(input: ParseStream<'_>, diag: &mut Diag) -> Value {
    if input.is_empty() || input.peek(Token![,]) {
        return Value::Missing;
    }
    match input.parse() {
        Ok(expr) => Value::Assigned(expr),
        Err(error) => {
            diag.take::<()>(Err(error));
            skip(input);
            Value::Broken
        }
    }
}

/// Takes the comma that must follow.
pub(super) fn comma(input: ParseStream<'_>, diag: &mut Diag) {
    if input.is_empty() || input.parse::<Token![,]>().is_ok() {
        return;
    }
    let found = input
        .fork()
        .parse::<TokenTree>()
        .map(|token| token.to_string());
    let found = found.unwrap_or_default();
    diag.at(input.span(), format!("expected `,` before `{found}`"));
    if !starts_option(input) {
        skip(input);
        let _ = input.parse::<Token![,]>();
    }
}

/// Passes over what cannot be read, up to the comma in front of the next option: commas inside
/// generics and closures do not count.
pub(super) fn skip(input: ParseStream<'_>) {
    while !input.is_empty() {
        let ahead = input.fork();
        if ahead.parse::<Token![,]>().is_ok() && (ahead.is_empty() || starts_option(&ahead)) {
            return;
        }
        let _ = input.parse::<TokenTree>();
    }
}

/// Whether a name with `=`, `(`, `,` or nothing behind it comes next.
pub(super) fn starts_option(input: ParseStream<'_>) -> bool {
    if !input.peek(Ident::peek_any) || input.peek(Token![_]) {
        return false;
    }
    let ahead = input.fork();
    let alone = ahead.call(Ident::parse_any).is_ok() && (ahead.is_empty() || ahead.peek(Token![,]));
    assigns(input) || input.peek2(token::Paren) || alone
}

/// Whether `name = ...` comes next.
pub(super) fn assigns(input: ParseStream<'_>) -> bool {
    let equals = input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
    equals && input.peek(Ident::peek_any)
}

/// An expression without the invisible brackets that `macro_rules!` puts around `$value`.
pub(crate) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => bare(&group.expr),
        other => other,
    }
}

/// An expression in the words of a message.
pub(crate) fn describe(expr: &Expr) -> String {
    match bare(expr) {
        Expr::Lit(literal) => format!("`{}`", literal.lit.to_token_stream()),
        Expr::Unary(minus) if matches!(*minus.expr, Expr::Lit(_)) => {
            format!("`{}`", minus.to_token_stream().to_string().replace(' ', ""))
        }
        Expr::Path(path) => format!("`{}`", path.to_token_stream().to_string().replace(' ', "")),
        Expr::Closure(_) => "a closure".to_owned(),
        Expr::Tuple(_) => "a tuple".to_owned(),
        Expr::Array(_) => "an array".to_owned(),
        Expr::Macro(_) => "a macro".to_owned(),
        Expr::Call(_) | Expr::MethodCall(_) => "a call".to_owned(),
        _ => "an expression".to_owned(),
    }
}
