//! An argument as part of the key, by what its written type shows.
//!
//! Most types go whole: `arg` asks the compiler what they are. What the compiler is not told there
//! is how long a type lives. So a type that shows a reference or a lifetime is taken apart down to
//! what can be owned, as far as it consists of references, tuples and the standard library's
//! containers; the rest goes by `borrowed`, which owns nothing. Sets and maps are taken apart too,
//! since they have no `Hash`, and `Rc`, which is not `Send`, whatever is in them.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::visit::{self, Visit};
use syn::{GenericArgument, PathArguments, PathSegment, Type};

use crate::check::borrow;

/// An argument.
pub(super) fn argument(name: &Ident, ty: &Type) -> TokenStream {
    expression(&quote_spanned!(name.span()=> #name), name.span(), ty)
}

/// An expression of that type.
pub(super) fn expression(value: &TokenStream, span: Span, ty: &Type) -> TokenStream {
    let place = Place {
        tokens: value.clone(),
        is_reference: false,
        span,
    };
    place.part(ty)
}

/// One of the keys of a batch, which `name` points to; `all` is the type of the collection.
pub(super) fn one(name: &Ident, all: &Type) -> TokenStream {
    let place = Place {
        tokens: quote_spanned!(name.span()=> #name),
        is_reference: true,
        span: name.span(),
    };
    let mut all = peel(all);
    while let Type::Reference(reference) = all {
        all = peel(&reference.elem);
    }
    match (all, inside(all)) {
        (Type::Slice(slice), _) => place.part(&slice.elem),
        (Type::Array(array), _) => place.part(&array.elem),
        (_, Some((None, key))) => place.part(key),
        _ => place.leaf(all),
    }
}

/// Where a value is.
struct Place {
    tokens: TokenStream,
    /// Whether the tokens are a reference to it.
    is_reference: bool,
    /// What is wrong with it is reported here.
    span: Span,
}

impl Place {
    fn part(&self, ty: &Type) -> TokenStream {
        let ty = peel(ty);
        match ty {
            Type::Reference(reference) => self.target().part(&reference.elem),
            _ if is_plain(ty) || !is_to_be_taken_apart(ty) => self.leaf(ty),
            Type::Tuple(tuple) => {
                let fields = tuple.elems.iter().enumerate();
                fields.rfold(quote_spanned!(self.span=> ()), |rest, (index, ty)| {
                    let field = self.field(index).part(ty);
                    quote_spanned!(self.span=> (#field, #rest))
                })
            }
            Type::Slice(slice) => self.each(&slice.elem),
            Type::Array(array) => self.each(&array.elem),
            _ => match inside(ty) {
                Some((None, value)) => self.each(value),
                Some((Some(key), value)) => self.pairs(key, value),
                None => self.leaf(ty),
            },
        }
    }

    /// The value, whatever it is.
    fn leaf(&self, ty: &Type) -> TokenStream {
        let (value, span) = (self.borrowed(), self.span);
        match borrow(ty).is_some() {
            true => quote_spanned!(span=> ::dewar::__private::borrowed(#value).part()),
            false => quote_spanned!(span=> ::dewar::__private::arg(#value).part()),
        }
    }

    /// A reference to the value.
    fn borrowed(&self) -> TokenStream {
        let tokens = &self.tokens;
        match self.is_reference {
            true => tokens.clone(),
            false => quote_spanned!(self.span=> &#tokens),
        }
    }

    /// What the value, a reference, points to.
    fn target(&self) -> Place {
        let tokens = &self.tokens;
        Place {
            tokens: match self.is_reference {
                true => quote_spanned!(self.span=> *#tokens),
                false => tokens.clone(),
            },
            is_reference: true,
            span: self.span,
        }
    }

    fn field(&self, index: usize) -> Place {
        let (tokens, index) = (&self.tokens, syn::Index::from(index));
        let starts = tokens.clone().into_iter().next();
        let follows = starts.is_some_and(|first| matches!(first, TokenTree::Punct(_)));
        Place {
            tokens: match follows {
                true => quote_spanned!(self.span=> (#tokens).#index),
                false => quote_spanned!(self.span=> #tokens.#index),
            },
            is_reference: false,
            span: self.span,
        }
    }

    fn each(&self, ty: &Type) -> TokenStream {
        let (value, one) = (self.borrowed(), self.closure("one", ty));
        quote_spanned!(self.span=> ::dewar::__private::inside(#value).each(#one))
    }

    fn pairs(&self, key: &Type, value: &Type) -> TokenStream {
        let (map, key, value) = (
            self.borrowed(),
            self.closure("key", key),
            self.closure("value", value),
        );
        quote_spanned!(self.span=> ::dewar::__private::inside(#map).pairs(#key, #value))
    }

    /// Makes the part of what is inside.
    fn closure(&self, name: &str, ty: &Type) -> TokenStream {
        let name = Ident::new(name, self.span.resolved_at(Span::mixed_site()));
        let place = Place {
            tokens: quote_spanned!(self.span=> #name),
            is_reference: true,
            span: self.span,
        };
        let part = place.part(ty);
        quote_spanned!(self.span=> |#name| #part)
    }
}

/// A type without parentheses and invisible brackets.
fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inside) => peel(&inside.elem),
        Type::Group(inside) => peel(&inside.elem),
        other => other,
    }
}

fn last(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// The types inside a container of the standard library: of the keys, if it has any, and of the
/// values.
fn inside(ty: &Type) -> Option<(Option<&Type>, &Type)> {
    const ONE: &[&str] = &[
        "Vec", "VecDeque", "Option", "Box", "Rc", "Arc", "Cow", "HashSet", "BTreeSet",
    ];
    let last = last(ty)?;
    let types = type_arguments(last);
    if ONE.iter().any(|name| last.ident == name) {
        return Some((None, types.first()?));
    }
    let is_map = last.ident == "HashMap" || last.ident == "BTreeMap";
    is_map.then(|| Some((Some(*types.first()?), *types.get(1)?)))?
}

/// Whether the type is certainly one that counts by its value whatever it borrows.
fn is_plain(ty: &Type) -> bool {
    const PLAIN: &[&str] = &[
        "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
        "i64", "i128", "isize", "f32", "f64", "String", "Path", "PathBuf", "Duration",
    ];
    match peel(ty) {
        Type::Reference(reference) => is_plain(&reference.elem),
        Type::Slice(slice) => is_plain(&slice.elem),
        Type::Array(array) => is_plain(&array.elem),
        Type::Tuple(tuple) => tuple.elems.len() <= 8 && tuple.elems.iter().all(is_plain),
        ty => match inside(ty) {
            Some((key, value)) => key.is_none_or(is_plain) && is_plain(value),
            None => last(ty).is_some_and(|last| {
                last.arguments.is_none() && PLAIN.iter().any(|name| last.ident == name)
            }),
        },
    }
}

/// Whether the type borrows, or is or holds a set or a map without order, or an `Rc`, which no
/// stored key can own.
fn is_to_be_taken_apart(ty: &Type) -> bool {
    struct Find(bool);
    impl<'ast> Visit<'ast> for Find {
        fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
            const APART: &[&str] = &["HashSet", "HashMap", "Rc"];
            self.0 |= APART.iter().any(|name| segment.ident == name);
            visit::visit_path_segment(self, segment);
        }
    }
    let mut find = Find(false);
    find.visit_type(ty);
    find.0 || borrow(ty).is_some()
}
