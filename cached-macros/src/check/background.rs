//! Options that send a load to the background need arguments that it can own.

use proc_macro2::Span;
use syn::ItemFn;

use super::batch::owned_keys;
use super::owned::{Borrowed, detachable};
use crate::diag::Diag;
use crate::model::{Context, Options};

/// `soft_timeout`, `hard_timeout` and `detach = true`.
pub(super) fn cached(options: &Options, item: &ItemFn, context: Context, diag: &mut Diag) {
    let sync = item.sig.asyncness.is_none();
    let mut needs: Vec<(&str, &str)> = Vec::new();
    if options.soft_timeout.is_some() {
        needs.push(("soft_timeout", "lets a slow load go on in the background"));
    }
    if options.hard_timeout.is_some() && sync {
        needs.push((
            "hard_timeout",
            "leaves a slow load behind on a thread of its own",
        ));
    }
    if let Some(detach) = options.detach.as_ref().filter(|it| it.value) {
        if sync {
            detached_sync(detach.name, item, diag);
        } else {
            needs.push((
                "detach",
                "hands a load that its caller gave up to the background",
            ));
        }
    }
    if needs.is_empty() {
        return;
    }
    let item = owned_keys(options, item);
    if let Err(Borrowed { span, reason }) = detachable(&item, context) {
        for (name, what) in needs {
            diag.at(span, format!("`{name}` {what}, but {reason}"));
        }
    }
}

fn detached_sync(span: Span, item: &ItemFn, diag: &mut Diag) {
    let message = format!(
        "`detach` is about callers that give up waiting, which those of a function without `async` \
         cannot do; remove it, or write `async fn {}`",
        item.sig.ident
    );
    diag.at(span, message);
}
