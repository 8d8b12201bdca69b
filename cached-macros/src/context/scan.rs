//! Which functions a source text has, and what block each stands in.

use super::lexer::{Kind, Lexer};
use crate::model::Context;

/// A function in a source text.
pub(super) struct Site {
    /// `None`: a variable of a macro, `fn $name`.
    pub(super) name: Option<String>,
    /// Of the word `fn`, counted from one.
    pub(super) line: usize,
    pub(super) column: usize,
    /// `None`: inside a macro, where it cannot be told.
    pub(super) context: Option<Context>,
}

/// All functions of a source text.
pub(super) fn scan(source: &str) -> Vec<Site> {
    let mut sites = Vec::new();
    let mut open = vec![Frame {
        block: Block::Item,
        header: Vec::new(),
    }];
    let mut keyword = None;
    for token in Lexer::new(source) {
        if let Some((line, column)) = keyword.take()
            && let Some(name) = function_name(&token.kind)
        {
            let context = surroundings(&open);
            sites.push(Site {
                name,
                line,
                column,
                context,
            });
        }
        keyword = is(&token.kind, "fn").then_some((token.line, token.column));
        next(&mut open, token.kind);
    }
    sites
}

/// What follows `fn`, where it is a name.
fn function_name(kind: &Kind) -> Option<Option<String>> {
    match kind {
        Kind::Ident(name) => Some(Some(name.clone())),
        Kind::Punct('$') => Some(None),
        _ => None,
    }
}

/// Keeps account of brackets and of what stands in front of them.
fn next(open: &mut Vec<Frame>, kind: Kind) {
    let Some(frame) = open.last_mut() else {
        return;
    };
    match kind {
        Kind::Punct('{' | '(' | '[') => {
            let block = frame.opens(kind == Kind::Punct('{'));
            open.push(Frame {
                block,
                header: Vec::new(),
            });
        }
        Kind::Punct('}' | ')' | ']') => {
            let closed = open.pop().map(|frame| frame.block);
            if let (Some(frame), Some(closed)) = (open.last_mut(), closed) {
                frame.closes(closed, kind == Kind::Punct('}'));
            }
        }
        Kind::Punct(';') => frame.header.clear(),
        kind => frame.header.push(kind),
    }
}

/// What a pair of brackets encloses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Impl {
        generic: bool,
    },
    Trait,
    /// A module, a function, or the file itself.
    Item,
    /// The arguments of a macro, or its definition.
    Macro,
    /// `{ N + 1 }` between angle brackets.
    Constant,
    /// Any other braces.
    Braces,
    /// Parentheses and square brackets.
    Other,
}

/// An open bracket, and what has been read inside since the last `;`, `{` or `}`.
struct Frame {
    block: Block,
    header: Vec<Kind>,
}

impl Frame {
    /// What the bracket opens that comes next.
    fn opens(&self, brace: bool) -> Block {
        let macro_call = match self.header.as_slice() {
            [.., Kind::Ident(_), Kind::Punct('!')] => true,
            [.., rules, Kind::Punct('!'), Kind::Ident(_)] => is(rules, "macro_rules"),
            _ => false,
        };
        match (macro_call, brace) {
            (true, _) => Block::Macro,
            (false, false) => Block::Other,
            (false, true) => classify(&self.header),
        }
    }

    fn closes(&mut self, block: Block, brace: bool) {
        if brace && block != Block::Constant {
            self.header.clear();
        } else {
            self.header.push(Kind::Literal);
        }
    }
}

/// What a brace with that text in front opens.
fn classify(header: &[Kind]) -> Block {
    let Some((keyword, rest)) = keyword(header) else {
        return Block::Braces;
    };
    if matches!(keyword, "impl" | "trait" | "fn") && angles(rest) > 0 {
        return Block::Constant;
    }
    match keyword {
        "impl" if of_trait(rest) => Block::Trait,
        "impl" => Block::Impl {
            generic: has_parameters(rest),
        },
        "trait" => Block::Trait,
        "mod" | "fn" => Block::Item,
        _ => Block::Braces,
    }
}

/// The first word behind attributes and qualifiers, and what follows it.
fn keyword(header: &[Kind]) -> Option<(&str, &[Kind])> {
    match header {
        [Kind::Punct('#'), Kind::Punct('!'), Kind::Literal, rest @ ..]
        | [Kind::Punct('#'), Kind::Literal, rest @ ..] => keyword(rest),
        // The brackets of `pub(crate)`, the name in `extern "C"`.
        [Kind::Literal, rest @ ..] => keyword(rest),
        [Kind::Ident(word), rest @ ..] => match word.as_str() {
            "pub" | "unsafe" | "default" | "auto" | "const" | "async" | "extern" | "safe" => {
                keyword(rest)
            }
            word => Some((word, rest)),
        },
        _ => None,
    }
}

/// How many angle brackets are open at the end; the one of `->` is none.
fn angles(header: &[Kind]) -> usize {
    depths(header).last().unwrap_or(0)
}

/// The number of open angle brackets behind each token.
fn depths(header: &[Kind]) -> impl Iterator<Item = usize> {
    let mut depth: usize = 0;
    let mut before = ' ';
    header.iter().map(move |kind| {
        let letter = if let Kind::Punct(letter) = kind {
            *letter
        } else {
            ' '
        };
        match letter {
            '<' => depth += 1,
            '>' if !matches!(before, '-' | '=') => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = letter;
        depth
    })
}

/// `impl Trait for Type`: a `for` outside of angle brackets and in front of `where`.
fn of_trait(header: &[Kind]) -> bool {
    header
        .iter()
        .zip(depths(header))
        .take_while(|(kind, depth)| *depth > 0 || !is(kind, "where"))
        .any(|(kind, depth)| depth == 0 && is(kind, "for"))
}

/// `impl<T> Type<T>`, and `impl Type<'_>`, whose lifetime has no name; `impl $($params)* Type` in
/// a macro may have some.
fn has_parameters(header: &[Kind]) -> bool {
    let elided = |kind: &Kind| match kind {
        Kind::Lifetime(name) => name == "_",
        Kind::Punct(letter) => *letter == '&',
        _ => false,
    };
    match header {
        [Kind::Punct('<'), ..] | [Kind::Punct('$'), Kind::Literal, ..] => true,
        _ => header.iter().any(elided),
    }
}

/// Where something inside all these brackets stands.
fn surroundings(open: &[Frame]) -> Option<Context> {
    let mut braces = false;
    for frame in open.iter().rev() {
        match frame.block {
            Block::Macro => return None,
            Block::Item => return Some(Context::Free),
            Block::Impl { .. } | Block::Trait if braces => return Some(Context::Free),
            Block::Impl { generic } => return Some(Context::Impl { generic }),
            Block::Trait => return Some(Context::Trait),
            Block::Braces => braces = true,
            Block::Constant | Block::Other => {}
        }
    }
    None
}

fn is(kind: &Kind, word: &str) -> bool {
    matches!(kind, Kind::Ident(ident) if ident == word)
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
