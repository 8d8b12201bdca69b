//! Where an annotated function stands: an attribute sees the function only, not what is around it.
//!
//! A companion beside a free function is an item, beside a method it is another method, and in a
//! trait's `impl` there can be none. The option `in_impl` or `in_trait` decides; else the source
//! text around the function, which the compiler knows the place of; else the function itself.

mod lexer;
mod scan;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use quote::ToTokens;
use syn::{ItemFn, Signature};

use crate::model::{Context, Options};
use crate::words;
use scan::{Site, scan};

/// Where `item` stands.
pub(crate) fn of(item: &ItemFn, options: &Options) -> Context {
    if let Some(said) = &options.context {
        return said.value;
    }
    match from_source(&item.sig) {
        // Text inside a macro call can be anything; a receiver cannot.
        Some(Context::Free) if item.sig.receiver().is_some() => from_item(item),
        Some(found) => found,
        None => from_item(item),
    }
}

/// The best guess from the function alone.
fn from_item(item: &ItemFn) -> Context {
    let of_type = words::mentions(item.to_token_stream(), &|word| word == "Self");
    if item.sig.receiver().is_some() || of_type {
        Context::Impl { generic: false }
    } else {
        Context::Free
    }
}

/// What the source file shows, if it can be read and really has that function there.
fn from_source(signature: &Signature) -> Option<Context> {
    if !proc_macro::is_available() {
        return None;
    }
    // In a macro's definition the name may come from its caller, the keyword stands in its place.
    let span = signature.fn_token.span.unwrap();
    let (line, column) = (span.line(), span.column());
    let sites = sites(&span.local_file()?)?;
    let site = sites
        .iter()
        .find(|site| (site.line, site.column) == (line, column))?;
    let same = site
        .name
        .as_deref()
        .is_none_or(|name| signature.ident == name);
    if same { site.context } else { None }
}

/// A file as it was when it was read.
struct Seen {
    changed: Option<SystemTime>,
    length: u64,
    sites: Rc<[Site]>,
}

thread_local! {
    /// The files read before: one file often has many annotated functions.
    static FILES: RefCell<HashMap<PathBuf, Seen>> = RefCell::default();
}

fn sites(path: &Path) -> Option<Rc<[Site]>> {
    let metadata = std::fs::metadata(path).ok()?;
    let (changed, length) = (metadata.modified().ok(), metadata.len());
    let known = FILES.with_borrow(|files| {
        let seen = files.get(path)?;
        (seen.changed == changed && seen.length == length).then(|| Rc::clone(&seen.sites))
    });
    if known.is_some() {
        return known;
    }
    let sites: Rc<[Site]> = scan(&std::fs::read_to_string(path).ok()?).into();
    let seen = Seen {
        changed,
        length,
        sites: Rc::clone(&sites),
    };
    FILES.with_borrow_mut(|files| files.insert(path.to_owned(), seen));
    Some(sites)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(item: &str) -> Context {
        of(&syn::parse_str(item).unwrap(), &Options::default())
    }

    #[test]
    fn without_source_the_function_speaks_for_itself() {
        assert_eq!(guess("fn f(id: u64) -> u64 { id }"), Context::Free);
        assert_eq!(
            guess("fn f(&self) -> u64 { 1 }"),
            Context::Impl { generic: false }
        );
        assert_eq!(
            guess("fn f() -> u64 { Self::ONE }"),
            Context::Impl { generic: false }
        );
    }
}
