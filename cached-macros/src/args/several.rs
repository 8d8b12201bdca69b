//! Options that hold several values: `skip` and `tags`.

use syn::{Error, LitStr, Result};

use super::given::text;
use super::split::{Given, Part, Value, parts};
use super::template;
use crate::diag::Diag;
use crate::model::{Named, Options, Skipped, Template};

/// `skip(db, self)`.
pub(super) fn skip(given: &Given, options: &mut Options, diag: &mut Diag) {
    let Some(list) = given.named(diag, Given::list) else {
        return;
    };
    for part in parts(list.value, diag) {
        let skipped = match part {
            Part::Named(Given { name, value, .. }) => match value {
                Value::Bare if name == "self" => Skipped::Receiver(name.span()),
                Value::Bare => Skipped::Argument(name),
                _ => {
                    diag.at(name.span(), "`skip` takes names alone; write `skip(db)`");
                    continue;
                }
            },
            Part::Positional(expr) => {
                diag.on(&expr, given.expected(&expr, "names of arguments"));
                continue;
            }
        };
        options.skip.push(Named::new(list.name, skipped));
    }
}

/// `tags("users", "org:{org_id}", |value| ...)`.
pub(super) fn tags(given: &Given, options: &mut Options, diag: &mut Diag) {
    let Some(list) = given.named(diag, Given::list) else {
        return;
    };
    for part in parts(list.value, diag) {
        let expr = match part {
            Part::Positional(expr) => expr,
            Part::Named(Given { name, .. }) => {
                let message = format!(
                    "`{name}` is no tag; write `tags(\"{name}\")`, or `tags(\"{{{name}}}\")` for \
                     the value of an argument"
                );
                diag.at(name.span(), message);
                continue;
            }
        };
        if let Some(literal) = text(&expr) {
            let tag = diag.take(tag(literal));
            options
                .tags
                .extend(tag.map(|tag| Named::new(list.name, tag)));
            continue;
        }
        let closure = given.closure(&expr, "string literals and one closure");
        if let Some(closure) = diag.take(closure) {
            if options.tags_by_value.is_some() {
                let message = "`tags` takes one closure; return the tags of both from one `vec![]`";
                diag.on(&expr, message);
            }
            options.tags_by_value = Some(Named::new(list.name, closure));
        }
    }
}

/// One tag.
pub(super) fn tag(literal: &LitStr) -> Result<Template> {
    if literal.value().is_empty() {
        return Err(Error::new(
            literal.span(),
            "an empty tag names nothing; write `\"users\"`",
        ));
    }
    template::parse(literal)
}
