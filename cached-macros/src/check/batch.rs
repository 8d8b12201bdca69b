//! `batch`: an argument that holds many keys, a result that holds a value for each.

use std::borrow::Cow;

use proc_macro2::Span;
use syn::{FnArg, Ident, ItemFn, Pat, ReturnType, Type};

use super::arguments::Arguments;
use super::borrow::borrow;
use super::shape::{Shape, argument, inner, last, peel, shape, written};
use crate::diag::Diag;
use crate::model::{Options, Skipped};
use crate::words;

/// The function as the load sees it: what it is given is its own collection of the keys that are
/// missing, also where the body borrows it.
pub(crate) fn owned_keys<'a>(options: &Options, item: &'a ItemFn) -> Cow<'a, ItemFn> {
    let Some(batch) = &options.batch else {
        return Cow::Borrowed(item);
    };
    let name = words::plain(&batch.value.to_string());
    let Some(Type::Reference(keys)) = typed(item, &name).map(peel) else {
        return Cow::Borrowed(item);
    };
    let mut owned = item.clone();
    for input in &mut owned.sig.inputs {
        if let FnArg::Typed(typed) = input
            && matches!(&*typed.pat, Pat::Ident(it) if words::plain(&it.ident.to_string()) == name)
        {
            typed.ty = keys.elem.clone();
        }
    }
    Cow::Owned(owned)
}

/// Looks at the options beside `batch`, at its argument and at the result.
pub(super) fn cached(options: &Options, item: &ItemFn, diag: &mut Diag) {
    let Some(batch) = &options.batch else {
        return;
    };
    others(options, &batch.value, diag);
    let name = words::plain(&batch.value.to_string());
    match typed(item, &name) {
        Some(ty) => {
            keys(&name, ty, diag);
            if borrowed_keys(&name, ty, diag) {
                return;
            }
            if let ReturnType::Type(_, result) = &item.sig.output {
                same_keys(&name, ty, result, diag);
            }
        }
        None => {
            let arguments = Arguments::of(item);
            let message = if arguments.has(&name) {
                format!(
                    "`batch = {name}` needs an argument of its own; take the keys as `{name}: &[K]`"
                )
            } else {
                arguments.unknown(&format!("`batch = {name}`"), &name)
            };
            diag.at(batch.value.span(), message);
        }
    }
    if let ReturnType::Type(_, ty) = &item.sig.output {
        values(ty, diag);
    }
}

fn others(options: &Options, batch: &Ident, diag: &mut Diag) {
    if let Some(key) = &options.key {
        let message = "`key` cannot be combined with `batch`, whose keys are those in the argument; \
                       remove `key`";
        diag.at(key.name, message);
    }
    for skipped in &options.skip {
        if let Skipped::Argument(name) = &skipped.value
            && name == batch
        {
            diag.at(
                name.span(),
                format!("`{name}` holds the keys of the batch; remove it from `skip`"),
            );
        }
    }
    single(options, diag);
}

/// Options that act on one entry.
fn single(options: &Options, diag: &mut Diag) {
    let names: [(&str, Option<Span>); 4] = [
        (
            "soft_timeout",
            options.soft_timeout.as_ref().map(|it| it.name),
        ),
        (
            "hard_timeout",
            options.hard_timeout.as_ref().map(|it| it.name),
        ),
        (
            "refresh_ahead",
            options.refresh_ahead.as_ref().map(|it| it.name),
        ),
        (
            "stale_while_revalidate",
            options.stale_while_revalidate.as_ref().map(|it| it.name),
        ),
    ];
    for (name, span) in names {
        if let Some(span) = span {
            let message = format!(
                "`{name}` acts on one entry and cannot be combined with `batch` yet; use a \
                 function of a single key, or `stale_if_error`"
            );
            diag.at(span, message);
        }
    }
}

/// The type of the argument with that name.
fn typed<'i>(item: &'i ItemFn, name: &str) -> Option<&'i Type> {
    item.sig.inputs.iter().find_map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(it) if words::plain(&it.ident.to_string()) == name => Some(&*typed.ty),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
}

fn keys(name: &str, ty: &Type, diag: &mut Diag) {
    let collection = match peel(ty) {
        Type::Reference(reference) => matches!(peel(&reference.elem), Type::Slice(_)),
        Type::ImplTrait(_) => false,
        other => match last(other) {
            Some(last) if last.ident == "Vec" || last.ident == "HashSet" => true,
            _ => matches!(shape(other), Shape::Unknown),
        },
    };
    if !collection {
        let message = format!(
            "a batch takes its keys as `&[K]`, `Vec<K>` or `HashSet<K>`, not `{}`; write `{name}: \
             &[K]`",
            written(ty)
        );
        diag.on(ty, message);
    }
}

/// Keys are returned with the values, and what is returned cannot borrow.
fn borrowed_keys(name: &str, ty: &Type, diag: &mut Diag) -> bool {
    let Some(given) = given_key(ty).filter(|key| borrow(key).is_some()) else {
        return false;
    };
    let message = format!(
        "the keys of a batch are stored and returned, so they cannot borrow, as `{}` does; take \
         owned ones, such as `{name}: &[String]`, and return them by the same type",
        written(given)
    );
    diag.on(given, message);
    true
}

/// Keys in and keys out, as far as their names tell for certain.
fn same_keys(name: &str, ty: &Type, result: &Type, diag: &mut Diag) {
    let (Some(given), Some(returned)) = (given_key(ty), returned_key(result)) else {
        return;
    };
    let certain = |ty: &Type| matches!(shape(ty), Shape::Plain);
    let (keys, others) = (written(given), written(returned));
    if certain(given) && certain(returned) && keys != others {
        let message = format!(
            "`{name}` holds keys of type `{keys}`, and the values are returned by `{others}`; return them by \
             `{keys}`"
        );
        diag.on(returned, message);
    }
}

fn given_key(ty: &Type) -> Option<&Type> {
    match peel(ty) {
        Type::Reference(reference) => match peel(&reference.elem) {
            Type::Slice(slice) => Some(&slice.elem),
            _ => None,
        },
        other => last(other).and_then(argument),
    }
}

fn returned_key(ty: &Type) -> Option<&Type> {
    let last = last(inner(ty)?)?;
    let first = argument(last)?;
    match peel(first) {
        Type::Tuple(pair) if last.ident == "Vec" => pair.elems.first(),
        _ if last.ident == "Vec" => None,
        _ => Some(first),
    }
}

fn values(ty: &Type, diag: &mut Diag) {
    let Some(inside) = inner(ty) else {
        return;
    };
    let collection = match last(inside) {
        Some(last) if last.ident == "HashMap" || last.ident == "BTreeMap" => true,
        Some(last) if last.ident == "Vec" => match argument(last).map(peel) {
            Some(Type::Tuple(pair)) => pair.elems.len() == 2,
            Some(other) => matches!(shape(other), Shape::Unknown),
            None => true,
        },
        _ => matches!(shape(inside), Shape::Unknown),
    };
    if !collection {
        let message = format!(
            "a batch returns a value for each key, as `HashMap<K, V>`, `BTreeMap<K, V>` or \
             `Vec<(K, V)>`, and `{}` is none of these; return one of them",
            written(inside)
        );
        diag.on(inside, message);
    }
}
