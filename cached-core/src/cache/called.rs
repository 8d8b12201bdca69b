//! The hidden part of a function that `invalidate!` and `entry!` call with its arguments.
//!
//! Of a view there is none: its entries go by their URLs. Generated code says
//! `Called::new(part).by_arguments()(arguments)`: for a function method look-up finds the one of
//! [`Plain`], which gives the part back; for a view the one that asks for what nothing has, so that
//! the compiler says why, whatever the arguments are.

use std::ops::Deref;

/// A part that is about to be called.
#[derive(Debug)]
pub struct Called<F>(Plain<F>);

/// That of a function.
#[derive(Debug)]
pub struct Plain<F>(F);

impl<F> Called<F> {
    /// It is called next.
    #[inline]
    pub const fn new(part: F) -> Self {
        Called(Plain(part))
    }
}

impl<F> Deref for Called<F> {
    type Target = Plain<F>;

    #[inline]
    fn deref(&self) -> &Plain<F> {
        &self.0
    }
}

impl<F: Copy> Plain<F> {
    /// The part itself.
    #[inline]
    pub fn by_arguments(&self) -> F {
        self.0
    }
}

/// Stands where a function has its calls.
#[derive(Debug)]
pub struct ViewsGoByUrl;

/// The same type: that a method asks something of it is looked at after the method is found.
pub trait Is<T> {}

impl<T> Is<T> for T {}

/// What has entries that arguments tell apart; nothing that asks has.
#[diagnostic::on_unimplemented(
    message = "the entries of a view go by their URLs, and not by its arguments",
    label = "a handler with `#[cached(view)]`",
    note = "the page of one URL, its query in any order: `invalidate!(url = \"/products/{{id}}\")`; of one path, whatever the query: `path = \"/products/{{id}}\"`",
    note = "all its pages: `invalidate!(handler)`; some of them: give it a `key_prefix` or `tags`, and write `prefix = \"…\"` or `tag = \"…\"`"
)]
pub trait GoesByArguments {
    /// What is called.
    type Part;

    /// There is none.
    #[doc(hidden)]
    fn part() -> Self::Part;
}

impl Called<ViewsGoByUrl> {
    /// Explains what to say instead; it is never called.
    pub fn by_arguments<V>(&self) -> V::Part
    where
        ViewsGoByUrl: Is<V>,
        V: GoesByArguments,
    {
        V::part()
    }
}
