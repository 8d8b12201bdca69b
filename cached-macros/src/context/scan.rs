//! Which functions a source text has, and what block each stands in.

use super::lexer::{Kind, Lexer};
use crate::model::Context;

/// A function in a source text.
pub(super) struct Site {
    pub(super) name: String,
    /// Of the name, counted from one.
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
    for token in Lexer::new(source) {
        let Some(frame) = open.last_mut() else {
            break;
        };
        match token.kind {
            Kind::Punct('{' | '(' | '[') => {
                let block = frame.opens(token.kind == Kind::Punct('{'));
                open.push(Frame {
                    block,
                    header: Vec::new(),
                });
            }
            Kind::Punct('}' | ')' | ']') => {
                let closed = open.pop().map(|frame| frame.block);
                if let (Some(frame), Some(closed)) = (open.last_mut(), closed) {
                    frame.closes(closed, token.kind == Kind::Punct('}'));
                }
            }
            Kind::Punct(';') => frame.header.clear(),
            Kind::Ident(name) if frame.header.last().is_some_and(|last| is(last, "fn")) => {
                frame.header.push(Kind::Ident(name.clone()));
                let context = surroundings(&open);
                sites.push(Site {
                    name,
                    line: token.line,
                    column: token.column,
                    context,
                });
            }
            kind => frame.header.push(kind),
        }
    }
    sites
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

/// `impl<T> Type<T>`, and `impl Type<'_>`, whose lifetime has no name.
fn has_parameters(header: &[Kind]) -> bool {
    let elided = |kind: &Kind| match kind {
        Kind::Lifetime(name) => name == "_",
        Kind::Punct(letter) => *letter == '&',
        _ => false,
    };
    header.first() == Some(&Kind::Punct('<')) || header.iter().any(elided)
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
