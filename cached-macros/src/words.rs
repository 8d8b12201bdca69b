//! Finding and suggesting names.

use proc_macro2::{TokenStream, TokenTree};

/// The candidate that `word` is most likely a slip for, if any comes close.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, dropped, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Whether an identifier that `wanted` accepts stands anywhere in `tokens`, names behind a single
/// dot (fields and methods) aside.
pub(crate) fn mentions(tokens: TokenStream, wanted: &dyn Fn(&str) -> bool) -> bool {
    let mut dots = 0;
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if dots != 1 && wanted(&plain(&ident.to_string())) => {
                return true;
            }
            TokenTree::Group(group) if mentions(group.stream(), wanted) => return true,
            _ => {}
        }
        dots = match token {
            TokenTree::Punct(punct) if punct.as_char() == '.' => dots + 1,
            _ => 0,
        };
    }
    false
}

/// A name without `r#`.
pub(crate) fn plain(name: &str) -> String {
    name.strip_prefix("r#").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn a_slip_finds_its_word() {
        let words = ["timeout", "idle_timeout", "tags", "key"];
        assert_eq!(nearest("timeuot", words), Some("timeout"));
        assert_eq!(nearest("tag", words), Some("tags"));
        assert_eq!(nearest("kye", words), Some("key"));
        assert_eq!(nearest("whatever", words), None);
        assert_eq!(nearest("x", ["a"]), None);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        assert_eq!(list([]), "");
        assert_eq!(list(["a"]), "`a`");
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn members_are_no_mentions_but_ranges_are() {
        let fib = |name: &str| name == "fib";
        assert!(mentions(quote!({ 0..fib(n) }), &fib));
        assert!(mentions(quote!(format!("{}", fib(1))), &fib));
        assert!(!mentions(quote!(self.fib(1) + it.fib), &fib));
    }
}
