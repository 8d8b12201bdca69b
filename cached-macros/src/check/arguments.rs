//! The names that options use must be arguments.

use syn::visit::{self, Visit};
use syn::{Expr, FnArg, ItemFn, Pat, PatIdent};

use crate::diag::Diag;
use crate::model::{Options, Piece, Skipped, Template};
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
    let arguments = Arguments::of(item);
    let templates = options.key_prefix.iter().chain(&options.tags);
    templates.for_each(|template| arguments.check(&template.value, diag));
    skipped(options, &arguments, diag);
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
