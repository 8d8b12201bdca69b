//! `invalidate!` and `#[invalidates]`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Ident, Result, Token};

use super::split::{assigns, bare, comma, skip};
use super::{labels, target};
use crate::diag::Diag;
use crate::model::{Invalidates, Invalidation, Target};

/// `invalidate!(...)`.
pub(crate) fn invalidate(tokens: TokenStream, diag: &mut Diag) -> Invalidation {
    read(tokens, false, diag).invalidation
}

/// `#[invalidates(...)]`.
pub(crate) fn invalidates(tokens: TokenStream, diag: &mut Diag) -> Invalidates {
    read(tokens, true, diag)
}

/// What has been read so far.
struct Reading<'d> {
    /// Whether it is the attribute, which has more words than the macro.
    attribute: bool,
    first: bool,
    found: Invalidates,
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
        first: true,
        found,
        diag,
    };
    let finished = Parser::parse2(
        |input: ParseStream<'_>| {
            while !input.is_empty() {
                reading.part(input);
                comma(input, reading.diag);
                reading.first = false;
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
        let read = if assigns(input) {
            self.assignment(input)
        } else {
            self.expression(input)
        };
        if self.diag.take(read).is_none() {
            skip(input);
        }
    }

    /// `tag = "users"`.
    fn assignment(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name = input.call(Ident::parse_any)?;
        let _: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            let example = labels::example(&name.to_string());
            let message = format!("`{name}` needs a value; write `{example}`");
            return Err(Error::new(name.span(), message));
        }
        let expr: Expr = input.parse()?;
        if name != "cache" {
            let target = self.diag.take(labels::target(&name, &expr));
            self.found.invalidation.targets.extend(target);
        } else if self.found.invalidation.cache.is_some() {
            let message = "`cache` is written twice; write an `invalidate!` for each";
            self.diag.at(name.span(), message);
        } else {
            self.found.invalidation.cache = self.diag.take(labels::cache(&expr));
        }
        Ok(())
    }

    /// A word or a target.
    fn expression(&mut self, input: ParseStream<'_>) -> Result<()> {
        let expr: Expr = input.parse()?;
        if let Expr::Path(path) = bare(&expr)
            && path.qself.is_none()
            && let Some(word) = path.path.get_ident()
            && self.word(word)
        {
            return Ok(());
        }
        let target = self.diag.take(target::read(&expr));
        self.found.invalidation.targets.extend(target);
        Ok(())
    }

    /// `soft`, `all`, `always`, `before`: whether the identifier is one of these.
    fn word(&mut self, word: &Ident) -> bool {
        let (span, attribute) = (word.span(), self.attribute);
        match word.to_string().as_str() {
            "all" => self.found.invalidation.targets.push(Target::All(span)),
            "soft" => {
                if !self.first && !attribute {
                    self.diag
                        .at(span, "`soft` holds for everything; write it first");
                }
                self.flag(word, |found| &mut found.invalidation.soft);
            }
            "always" if attribute => self.flag(word, |found| &mut found.always),
            "before" if attribute => self.flag(word, |found| &mut found.before),
            "always" | "before" => {
                let message = format!(
                    "`{word}` belongs to the attribute; write `#[invalidates({word}, ...)]` on the \
                     function that changes the data"
                );
                self.diag.at(span, message);
            }
            _ => return false,
        }
        true
    }

    fn flag(&mut self, word: &Ident, place: fn(&mut Invalidates) -> &mut bool) {
        if std::mem::replace(place(&mut self.found), true) {
            let message = format!("`{word}` is written twice; keep one of them");
            self.diag.at(word.span(), message);
        }
    }

    /// Something must be invalidated, and everything only once.
    fn complete(&mut self) {
        let invalidation = &self.found.invalidation;
        let everything = invalidation
            .targets
            .iter()
            .filter_map(|target| match target {
                Target::All(span) => Some(*span),
                _ => None,
            });
        for span in everything.skip(1) {
            self.diag
                .at(span, "`all` is written twice; keep one of them");
        }
        if !invalidation.targets.is_empty() || !self.diag.is_clean() {
            return;
        }
        let message = match (&invalidation.cache, self.attribute) {
            (Some(_), _) => {
                "`cache` says where, and nothing says what; add `all`, `prefix = \"...\"` or `tag = \
                 \"...\"`"
            }
            (None, true) => {
                "nothing to invalidate; write `#[invalidates(get_user(id))]`, or in its \
                 parentheses `prefix = \"...\"`, `tag = \"...\"` or `all`"
            }
            (None, false) => {
                "nothing to invalidate; write `invalidate!(get_user(42))`, or in its parentheses \
                 `prefix = \"...\"`, `tag = \"...\"` or `all`"
            }
        };
        self.diag.at(Span::call_site(), message);
    }
}
