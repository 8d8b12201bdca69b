//! Options about `None` and `Err` on results that are certainly neither.

use proc_macro2::Span;
use syn::{ItemFn, ReturnType, Type};

use super::shape::{Shape, shape, written};
use crate::diag::Diag;
use crate::model::Options;

/// `cache_none`, `cache_err`, `stale_if_error(only = ...)` and `hard_timeout`.
pub(super) fn cached(options: &Options, item: &ItemFn, diag: &mut Diag) {
    let ReturnType::Type(_, ty) = &item.sig.output else {
        return;
    };
    let (may_be_none, may_fail) = outcomes(ty);
    let mut pointless = |span: Option<Span>, name: &str, what: &str| {
        if let Some(span) = span {
            let message = format!(
                "`{name}` is about `{what}`, and the result is `{}`",
                written(ty)
            );
            diag.at(span, format!("{message}; remove it"));
        }
    };
    // The values of a batch are inside its collection.
    if !may_be_none && options.batch.is_none() {
        pointless(
            options.cache_none.as_ref().map(|it| it.name),
            "cache_none",
            "None",
        );
    }
    if may_fail {
        return;
    }
    let only = options
        .stale_if_error
        .as_ref()
        .filter(|it| it.value.only.is_some());
    pointless(
        options.cache_err.as_ref().map(|it| it.name),
        "cache_err",
        "Err",
    );
    pointless(only.map(|it| it.name), "only", "Err");
    if let Some(hard) = &options.hard_timeout {
        let message = format!(
            "`hard_timeout` ends a slow load with an error, and the result is `{}`; return a \
             `Result`, or remove it",
            written(ty)
        );
        diag.at(hard.name, message);
    }
}

/// Whether a result could be `None` and whether it could be `Err`.
fn outcomes(ty: &Type) -> (bool, bool) {
    match shape(ty) {
        Shape::Unknown | Shape::Result(None) => (true, true),
        Shape::Plain => (false, false),
        Shape::Option(_) => (true, false),
        Shape::Result(Some(inside)) => (
            !matches!(shape(inside), Shape::Plain | Shape::Result(_)),
            true,
        ),
    }
}
