//! Every mistake with what is said about it, in the text files beside this one.
//!
//! A line is an annotation, the indented lines below it are the errors, in order. An annotation
//! without an item is only read, one with an item is also checked against it.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::diag::Diag;
use crate::{args, check, context};

/// What is said about one annotation.
fn messages(line: &str) -> Vec<String> {
    let tokens: TokenStream = line
        .parse()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut tokens = tokens.into_iter();
    let mut diag = Diag::default();
    let (name, args) = match tokens.next() {
        Some(TokenTree::Punct(_)) => match tokens.next() {
            Some(TokenTree::Group(attribute)) => name_and_args(attribute.stream()),
            other => panic!("{line}: no attribute but {other:?}"),
        },
        Some(name) => name_and_args([name].into_iter().chain(tokens.by_ref()).collect()),
        None => panic!("an empty line"),
    };
    say(&name, args, tokens.collect(), &mut diag);
    diag.messages()
}

/// `cached(...)`, `cached`, `invalidate!(...)`.
fn name_and_args(tokens: TokenStream) -> (String, TokenStream) {
    let mut tokens = tokens.into_iter();
    let name = tokens
        .next()
        .map(|name| name.to_string())
        .unwrap_or_default();
    let args = tokens.find_map(|token| match token {
        TokenTree::Group(args) if args.delimiter() == Delimiter::Parenthesis => Some(args.stream()),
        _ => None,
    });
    (name, args.unwrap_or_default())
}

fn say(name: &str, args: TokenStream, item: TokenStream, diag: &mut Diag) {
    let function = |diag: &mut Diag| {
        if item.is_empty() {
            None
        } else {
            check::function(&item, name, diag)
        }
    };
    match name {
        "cached" => {
            let written = args::cached(args, diag);
            if let Some(function) = function(diag) {
                let context = context::of(&function, &written.options);
                check::cached(&written, &function, context, diag);
            }
        }
        "invalidates" => {
            let invalidates = args::invalidates(args, diag);
            if let Some(function) = function(diag) {
                check::invalidates(&invalidates, &function, diag);
            }
        }
        "invalidate" => drop(args::invalidate(args, diag)),
        "entry" => drop(args::entry(args, diag)),
        "stats" => drop(args::stats(args, diag)),
        other => panic!("`{other}` is no macro of ours"),
    }
}

/// Compares a file with what is really said.
fn holds(file: &str, text: &str) {
    let mut actual = String::new();
    for line in text.lines().filter(|line| !line.starts_with("    ")) {
        actual.push_str(line);
        actual.push('\n');
        if !line.is_empty() && !line.starts_with("//") {
            for message in messages(line) {
                actual.push_str(&format!("    {message}\n"));
            }
        }
    }
    if actual != text {
        let different = actual
            .lines()
            .zip(text.lines())
            .find(|(actual, text)| actual != text);
        panic!("{file} differs at {different:#?}; the whole file would be\n{actual}");
    }
}

macro_rules! files {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let file = concat!(stringify!($name), ".txt");
            holds(file, include_str!(concat!(stringify!($name), ".txt")));
        }
    )*};
}

files! { accepted combinations functions invalidations names options templates times views }
