//! Whether what was written fits the annotated function. Only what is certain from the text is
//! reported; whatever an alias could hide is left to the types.

mod arguments;
mod background;
mod batch;
mod borrow;
mod combine;
mod item;
mod outcome;
mod owned;
mod result;
mod shape;
mod signature;
mod view;

pub(crate) use batch::owned_keys;
pub(crate) use borrow::borrow;
pub(crate) use item::function;
#[expect(unused_imports, reason = "`detachable` returns it")]
pub(crate) use owned::Borrowed;
pub(crate) use owned::detachable;

use syn::ItemFn;

use crate::args::Written;
use crate::diag::Diag;
use crate::model::{Context, Invalidates, Target};
use arguments::Arguments;

/// Everything about `#[cached]` on `item`.
pub(crate) fn cached(written: &Written, item: &ItemFn, context: Context, diag: &mut Diag) {
    item::once(item, diag);
    signature::cached(item, diag);
    let view = written.options.view.is_some();
    if !view {
        result::cached(item, diag);
    }
    arguments::cached(&written.options, item, diag);
    combine::cached(written, context, diag);
    if view {
        return view::cached(written, item, context, diag);
    }
    view::none(written, diag);
    outcome::cached(&written.options, item, diag);
    background::cached(&written.options, item, context, diag);
    batch::cached(&written.options, item, diag);
}

/// Everything about `#[invalidates]` on `item`.
pub(crate) fn invalidates(invalidates: &Invalidates, item: &ItemFn, diag: &mut Diag) {
    signature::invalidates(item, diag);
    let arguments = Arguments::of(item);
    for target in &invalidates.invalidation.targets {
        if let Target::Prefix(it)
        | Target::Tag(it)
        | Target::Pattern(it)
        | Target::Url(it)
        | Target::Path(it) = target
        {
            arguments.check(&it.value, diag);
        }
    }
}
