//! The names that options use must be arguments.

use syn::visit::{self, Visit};
use syn::{Expr, FnArg, Ident, ItemFn, Pat, PatIdent, Type};

use super::borrow::borrow;
use crate::diag::Diag;
use crate::expand::uses;
use crate::model::{Options, Piece, Skipped, Template, Time};
use crate::words;

/// The arguments of a function, by name.
pub(super) struct Arguments {
    function: String,
    names: Vec<String>,
    /// Names that a pattern in an argument's place binds: the body has them, options have not.
    parts: Vec<String>,
    receiver: bool,
}

impl Arguments {
    pub(super) fn of(item: &ItemFn) -> Self {
        let (mut names, mut parts) = (Vec::new(), Bound(Vec::new()));
        for input in &item.sig.inputs {
            match input {
                FnArg::Typed(typed) => match &*typed.pat {
                    Pat::Ident(it) if it.subpat.is_none() => {
                        names.push(words::plain(&it.ident.to_string()));
                    }
                    pat => parts.visit_pat(pat),
                },
                FnArg::Receiver(_) => {}
            }
        }
        let function = item.sig.ident.to_string();
        Arguments {
            function,
            names,
            parts: parts.0,
            receiver: item.sig.receiver().is_some(),
        }
    }

    /// Those of an axum handler: what a pattern binds there is as good as an argument.
    pub(super) fn of_view(item: &ItemFn) -> Self {
        let mut arguments = Self::of(item);
        arguments.names.append(&mut arguments.parts);
        arguments
    }

    pub(super) fn has(&self, name: &str) -> bool {
        (name == "self" && self.receiver) || self.names.iter().any(|known| known == name)
    }

    /// `name` is no argument, `what` took it for one: what to write instead.
    pub(super) fn unknown(&self, what: &str, name: &str) -> String {
        let function = &self.function;
        if name == "self" {
            return format!("{what} needs a `self`, and `{function}` has none; remove it");
        }
        if self.parts.iter().any(|part| part == name) {
            return format!(
                "{what} names a part of an argument; give the whole argument a name and take it \
                 apart in the body"
            );
        }
        let known = || {
            let receiver = self.receiver.then_some("self");
            receiver
                .into_iter()
                .chain(self.names.iter().map(String::as_str))
        };
        let advice = match (words::nearest(name, known()), known().count()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, 0) => "it takes no arguments".to_owned(),
            (None, 1) => format!("its only argument is {}", words::list(known())),
            (None, _) => format!("its arguments are {}", words::list(known())),
        };
        format!("{what} names no argument of `{function}`; {advice}")
    }

    /// Whether the names in the braces of a template are arguments.
    pub(super) fn check(&self, template: &Template, diag: &mut Diag) {
        for piece in &template.pieces {
            if let Piece::Value { root, .. } = piece
                && !self.has(root)
            {
                diag.at(template.span, self.unknown(&format!("`{{{root}}}`"), root));
            }
        }
    }

    fn mentioned(&self, expr: &Expr) -> bool {
        words::mentions(quote::ToTokens::to_token_stream(expr), &|word| {
            self.has(word)
        })
    }
}

/// The names that a pattern binds.
struct Bound(Vec<String>);

impl<'p> Visit<'p> for Bound {
    fn visit_pat_ident(&mut self, ident: &'p PatIdent) {
        self.0.push(words::plain(&ident.ident.to_string()));
        visit::visit_pat_ident(self, ident);
    }
}

/// `key`, `skip`, `version` and all templates.
pub(super) fn cached(options: &Options, item: &ItemFn, diag: &mut Diag) {
    let arguments = match options.view {
        Some(_) => Arguments::of_view(item),
        None => Arguments::of(item),
    };
    let templates = options.key_prefix.iter().chain(&options.tags);
    templates.for_each(|template| arguments.check(&template.value, diag));
    skipped(options, &arguments, diag);
    let batch = options.batch.as_ref().map(|batch| &batch.value);
    taken_along(options, item, batch, diag);
    if let Some(key) = &options.key {
        let known = key.value.iter().any(|expr| arguments.mentioned(expr));
        if !known {
            let message = format!(
                "`key` mentions no argument of `{}`, so that all calls would share one entry; name \
                 what tells them apart, as in `key = (id, org)`",
                arguments.function
            );
            diag.at(key.name, message);
        }
    }
    if let Some(version) = &options.version
        && arguments.mentioned(&version.value)
    {
        diag.on(
            &version.value,
            "`version` is a constant of the code; what differs from call to call goes into `key`",
        );
    }
}

/// Closures that are kept past the call take the arguments that they use along.
fn taken_along(options: &Options, item: &ItemFn, batch: Option<&Ident>, diag: &mut Diag) {
    let timeout = options
        .timeout
        .as_ref()
        .and_then(|timeout| match &timeout.value {
            Time::ByValue(closure) => Some(("timeout", closure)),
            _ => None,
        });
    let stale = options.stale_if_error.as_ref();
    let only = stale.and_then(|stale| stale.value.only.as_ref());
    let others = [
        options.cache_if.as_ref().map(|it| ("cache_if", &it.value)),
        options.tags_by_value.as_ref().map(|it| ("tags", &it.value)),
        only.map(|closure| ("only", closure)),
    ];
    for (option, closure) in timeout.into_iter().chain(others.into_iter().flatten()) {
        for input in &item.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(name) = &*typed.pat else {
                continue;
            };
            let owned = match &*typed.ty {
                Type::Reference(reference) => &*reference.elem,
                other => other,
            };
            let one = batch == Some(&name.ident);
            if !one && uses(closure, &name.ident) && borrow(owned).is_some() {
                let name = &name.ident;
                let message = format!(
                    "the closure of `{option}` is kept longer than the call, and `{name}` borrows \
                     inside its type, so that no copy of it lasts; take it owned, or as a plain \
                     reference"
                );
                diag.on(&closure.body, message);
            }
        }
    }
}

fn skipped(options: &Options, arguments: &Arguments, diag: &mut Diag) {
    let mut before: Vec<String> = Vec::new();
    for skipped in &options.skip {
        let (name, span) = match &skipped.value {
            Skipped::Receiver(span) => ("self".to_owned(), *span),
            Skipped::Argument(ident) => (words::plain(&ident.to_string()), ident.span()),
        };
        if !arguments.has(&name) {
            diag.at(span, arguments.unknown(&format!("`skip({name})`"), &name));
        } else if before.contains(&name) {
            diag.at(span, format!("`{name}` is skipped twice; remove one"));
        }
        before.push(name);
    }
}
