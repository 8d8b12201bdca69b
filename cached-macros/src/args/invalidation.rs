//! `invalidate!`, `#[invalidates]` and `entry!`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Token};

use super::given::text;
use super::split::{bare, comma, describe, skip};
use super::{several, target, template, value};
use crate::diag::Diag;
use crate::model::{Invalidates, Invalidation, Named, Target};
use crate::words;

/// `invalidate!(...)`.
pub(crate) fn invalidate(tokens: TokenStream, diag: &mut Diag) -> Invalidation {
    read(tokens, false, diag).invalidation
}

/// `#[invalidates(...)]`.
pub(crate) fn invalidates(tokens: TokenStream, diag: &mut Diag) -> Invalidates {
    read(tokens, true, diag)
}

/// `entry!(...)`: one call.
pub(crate) fn entry(tokens: TokenStream, diag: &mut Diag) -> Option<Target> {
    let call = Parser::parse2(
        |input: ParseStream<'_>| {
            let expr: Expr = input.parse().map_err(|error| {
                let none = "`entry!` names one call; write `entry!(get_user(42))`";
                if input.is_empty() {
                    syn::Error::new(error.span(), none)
                } else {
                    error
                }
            })?;
            let _: Option<Token![,]> = input.parse()?;
            if input.is_empty() {
                Ok(expr)
            } else {
                Err(input.error("`entry!` names one call; write one `entry!` for each"))
            }
        },
        tokens,
    );
    let expr = diag.take(call)?;
    let target = diag.take(target::read(&expr))?;
    let args = match &target {
        Target::Call { args, .. } | Target::MethodCall { args, .. } => args,
        _ => {
            let shown = describe(&expr);
            let shown = shown.trim_matches('`');
            diag.on(
                &expr,
                format!(
                    "`entry!` needs the arguments of the call; write `entry!({shown}(...))`, or \
                     `invalidate!({shown})` for all entries of the function"
                ),
            );
            return None;
        }
    };
    for arg in args {
        if let crate::model::Argument::Skipped(span) = arg {
            diag.at(
                *span,
                "`_` leaves out an argument that the body may need; write the argument itself",
            );
        }
    }
    Some(target)
}

/// What has been read so far.
struct Reading<'d> {
    attribute: bool,
    found: Invalidates,
    places: usize,
    diag: &'d mut Diag,
}

fn read(tokens: TokenStream, attribute: bool, diag: &mut Diag) -> Invalidates {
    let invalidation = Invalidation {
        soft: false,
        cache: None,
        targets: Vec::new(),
    };
    let found = Invalidates {
        invalidation,
        always: false,
        before: false,
    };
    let mut reading = Reading {
        attribute,
        found,
        places: 0,
        diag,
    };
    let finished = Parser::parse2(
        |input: ParseStream<'_>| {
            while !input.is_empty() {
                reading.part(input);
                comma(input, reading.diag);
            }
            Ok(())
        },
        tokens,
    );
    reading.diag.take(finished);
    reading.complete();
    reading.found
}

impl Reading<'_> {
    fn part(&mut self, input: ParseStream<'_>) {
        let assignment = input.peek(Ident::peek_any)
            && input.peek2(Token![=])
            && !input.peek2(Token![==])
            && !input.peek2(Token![=>]);
        self.places += 1;
        let read = if assignment {
            self.assignment(input)
        } else {
            self.expression(input)
        };
        if self.diag.take(read).is_none() {
            skip(input);
        }
    }

    /// `tag = "users"`.
    fn assignment(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let name = input.call(Ident::parse_any)?;
        let _: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            let message = format!("`{name}` needs a value; write `{name} = \"users\"`");
            return Err(syn::Error::new(name.span(), message));
        }
        let expr: Expr = input.parse()?;
        let span = name.span();
        match name.to_string().as_str() {
            "prefix" => self.template(&name, &expr, Target::Prefix),
            "tag" => self.template(&name, &expr, Target::Tag),
            "pattern" => self.template(&name, &expr, Target::Pattern),
            "cache" => self.cache(span, &expr),
            other => self.diag.at(span, unknown(other)),
        }
        Ok(())
    }

    fn template(
        &mut self,
        name: &Ident,
        expr: &Expr,
        target: fn(Named<crate::model::Template>) -> Target,
    ) {
        let Some(literal) = text(expr) else {
            let message = format!(
                "`{name}` takes a string literal, not {}; values go into braces, which escapes \
                 them, as in `{name} = \"user:{{id}}\"`, and what is computed whole into \
                 `Cache::invalidate`",
                describe(expr)
            );
            return self.diag.on(expr, message);
        };
        let template = match (name.to_string().as_str(), literal.value().is_empty()) {
            ("tag", _) => several::tag(literal),
            (_, true) => Err(syn::Error::new(
                literal.span(),
                format!("an empty {name} would mean everything; write `all` if that is meant"),
            )),
            _ => template::parse(literal),
        };
        if let Some(value) = self.diag.take(template) {
            self.found.invalidation.targets.push(target(Named {
                name: name.span(),
                value,
            }));
        }
    }

    fn cache(&mut self, span: Span, expr: &Expr) {
        if self.found.invalidation.cache.is_some() {
            return self.diag.at(
                span,
                "`cache` is written twice; write one `invalidate!` for each",
            );
        }
        let cache = value::cache_ref(expr).unwrap_or_else(|| {
            let message = format!(
                "`cache` takes a path to a cache or its name, not {}; write `cache = SESSIONS`",
                describe(expr)
            );
            Err(syn::Error::new_spanned(expr, message))
        });
        self.found.invalidation.cache = self.diag.take(cache);
    }

    /// A word or a target.
    fn expression(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let expr: Expr = input.parse()?;
        if let Expr::Path(path) = bare(&expr)
            && path.qself.is_none()
            && let Some(word) = path.path.get_ident()
            && self.word(word)
        {
            return Ok(());
        }
        if let Some(target) = self.diag.take(target::read(&expr)) {
            self.found.invalidation.targets.push(target);
        }
        Ok(())
    }

    /// `soft`, `all`, `always`, `before`: whether the identifier is one of these.
    fn word(&mut self, word: &Ident) -> bool {
        let (span, attribute) = (word.span(), self.attribute);
        match word.to_string().as_str() {
            "all" => self.found.invalidation.targets.push(Target::All(span)),
            "soft" => {
                if self.places > 1 && !attribute {
                    self.diag
                        .at(span, "`soft` holds for everything; write it first");
                }
                self.flag(span, "soft", |found| &mut found.invalidation.soft);
            }
            "always" if attribute => self.flag(span, "always", |found| &mut found.always),
            "before" if attribute => self.flag(span, "before", |found| &mut found.before),
            name @ ("always" | "before") => {
                let message = format!(
                    "`{name}` belongs to the attribute; write `#[invalidates({name}, ...)]` on the \
                     function that changes the data"
                );
                self.diag.at(span, message);
            }
            _ => return false,
        }
        true
    }

    fn flag(&mut self, span: Span, name: &str, place: fn(&mut Invalidates) -> &mut bool) {
        if std::mem::replace(place(&mut self.found), true) {
            self.diag
                .at(span, format!("`{name}` is written twice; keep one of them"));
        }
    }

    /// Something must be invalidated.
    fn complete(&mut self) {
        if self.found.invalidation.targets.is_empty() && self.diag.is_clean() {
            let example = if self.attribute {
                "`#[invalidates(get_user(id))]`"
            } else {
                "`invalidate!(get_user(42))`"
            };
            let message = if self.found.invalidation.cache.is_some() {
                "`cache` says where, and nothing says what; add `all`, `prefix = \"...\"` or `tag = \
                 \"...\"`"
                    .to_owned()
            } else {
                format!(
                    "nothing to invalidate; write {example}, `prefix = \"...\"`, `tag = \"...\"` or `all`"
                )
            };
            self.diag.at(Span::call_site(), message);
        }
    }
}

fn unknown(name: &str) -> String {
    if let "soft" | "all" | "always" | "before" = name {
        return format!("`{name}` takes no value; write `{name}`");
    }
    const NAMES: [&str; 4] = ["prefix", "tag", "pattern", "cache"];
    let renamed = match name {
        "key_prefix" | "namespace" => Some("prefix"),
        "tags" | "group" | "label" => Some("tag"),
        "glob" | "regex" | "matching" => Some("pattern"),
        _ => words::nearest(name, NAMES),
    };
    match renamed {
        Some(near) => format!("unknown word `{name}`; did you mean `{near}`?"),
        None => format!(
            "unknown word `{name}`; the words are {}",
            words::list(NAMES)
        ),
    }
}
