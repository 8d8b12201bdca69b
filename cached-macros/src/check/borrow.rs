//! The borrows that a type shows in its text.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    BoundLifetimes, GenericArgument, GenericParam, Lifetime, ParenthesizedGenericArguments,
    PathArguments, PathSegment, TraitBound, Type, TypeFnPtr, TypeReference,
};

/// The first part of a type that is not `'static` by its text.
pub(crate) fn borrow(ty: &Type) -> Option<TokenStream> {
    let mut borrows = Borrows {
        bound: Vec::new(),
        inside_fn: 0,
        found: None,
    };
    borrows.visit_type(ty);
    borrows.found
}

/// Types of the standard library whose lifetime is often left out.
const LENDING: &[&str] = &[
    "Cow",
    "Ref",
    "RefMut",
    "MutexGuard",
    "MappedMutexGuard",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "MappedRwLockReadGuard",
    "MappedRwLockWriteGuard",
];

struct Borrows {
    /// Lifetimes of `for<'a>`.
    bound: Vec<Lifetime>,
    /// How deep in `fn(...)` or `Fn(...)`, where a lifetime left out is bound.
    inside_fn: usize,
    found: Option<TokenStream>,
}

impl Borrows {
    fn found(&mut self, tokens: impl ToTokens) {
        self.found.get_or_insert_with(|| tokens.into_token_stream());
    }

    fn is_free(&self, lifetime: &Lifetime) -> bool {
        match lifetime.ident.to_string().as_str() {
            "static" => false,
            "_" => self.inside_fn == 0,
            _ => !self.bound.contains(lifetime),
        }
    }

    fn binding(&mut self, params: Option<&BoundLifetimes>, visit: impl FnOnce(&mut Self)) {
        let before = self.bound.len();
        for param in params.iter().flat_map(|params| &params.lifetimes) {
            if let GenericParam::Lifetime(param) = param {
                self.bound.push(param.lifetime.clone());
            }
        }
        visit(self);
        self.bound.truncate(before);
    }
}

impl<'t> Visit<'t> for Borrows {
    fn visit_type_reference(&mut self, reference: &'t TypeReference) {
        let free = match &reference.lifetime {
            Some(lifetime) => self.is_free(lifetime),
            None => self.inside_fn == 0,
        };
        if free {
            return self.found(reference);
        }
        visit::visit_type(self, &reference.elem);
    }

    fn visit_lifetime(&mut self, lifetime: &'t Lifetime) {
        if self.is_free(lifetime) {
            self.found(lifetime);
        }
    }

    fn visit_path_segment(&mut self, segment: &'t PathSegment) {
        let lending = LENDING.iter().any(|name| segment.ident == name);
        if lending && self.inside_fn == 0 && !has_lifetime(segment) {
            return self.found(segment);
        }
        visit::visit_path_segment(self, segment);
    }

    fn visit_type_fn_ptr(&mut self, pointer: &'t TypeFnPtr) {
        self.inside_fn += 1;
        self.binding(pointer.lifetimes.as_ref(), |it| {
            visit::visit_type_fn_ptr(it, pointer)
        });
        self.inside_fn -= 1;
    }

    fn visit_parenthesized_generic_arguments(&mut self, it: &'t ParenthesizedGenericArguments) {
        self.inside_fn += 1;
        visit::visit_parenthesized_generic_arguments(self, it);
        self.inside_fn -= 1;
    }

    fn visit_trait_bound(&mut self, bound: &'t TraitBound) {
        self.binding(bound.lifetimes.as_ref(), |it| {
            visit::visit_path(it, &bound.path)
        });
    }
}

fn has_lifetime(segment: &PathSegment) -> bool {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .any(|it| matches!(it, GenericArgument::Lifetime(_))),
        _ => false,
    }
}
