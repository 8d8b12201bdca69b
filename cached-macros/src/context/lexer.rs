//! Rust's tokens, as far as it takes to find the braces that are really braces.

use std::iter::Peekable;
use std::str::Chars;

/// A token and where it begins, in lines and characters counted from one.
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ident(String),
    Lifetime(String),
    /// A number, text or character.
    Literal,
    /// Any other single character, brackets of all kinds included.
    Punct(char),
}

/// The tokens of a source text; comments and white space are passed over.
pub(super) struct Lexer<'s> {
    rest: Peekable<Chars<'s>>,
    line: usize,
    column: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        // The compiler counts no byte order mark.
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let mut lexer = Lexer {
            rest: source.chars().peekable(),
            line: 1,
            column: 1,
        };
        if source.starts_with("#!") && !source.starts_with("#![") {
            lexer.until_line_end();
        }
        lexer
    }

    fn next_char(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        if letter == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(letter)
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    /// The character after the next one.
    fn peek_second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next_char();
        }
        found
    }

    fn eat_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut eaten = String::new();
        while let Some(letter) = self.peek().filter(|letter| wanted(*letter)) {
            eaten.push(letter);
            self.next_char();
        }
        eaten
    }

    fn until_line_end(&mut self) {
        self.eat_while(|letter| letter != '\n');
    }

    /// The rest of `/* ... */`, comments inside it included.
    fn block_comment(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.next_char() {
                Some('/') if self.eat('*') => depth += 1,
                Some('*') if self.eat('/') => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// The rest of a literal that ends at `quote`.
    fn quoted(&mut self, quote: char) -> Kind {
        while let Some(letter) = self.next_char() {
            if letter == '\\' {
                self.next_char();
            } else if letter == quote {
                break;
            }
        }
        Kind::Literal
    }

    /// What follows the `r` of `r"..."`, `r#"..."#` or `r#name`.
    fn raw(&mut self) -> Kind {
        let hashes = self.eat_while(|letter| letter == '#').len();
        if !self.eat('"') {
            let name = self.eat_while(continues);
            return Kind::Ident(format!("r#{name}"));
        }
        while let Some(letter) = self.next_char() {
            if letter == '"' && (0..hashes).all(|_| self.eat('#')) {
                break;
            }
        }
        Kind::Literal
    }

    /// What follows `'`.
    fn lifetime_or_char(&mut self) -> Kind {
        match (self.peek(), self.peek_second()) {
            (Some('\\'), _) => self.quoted('\''),
            (Some(_), Some('\'')) => {
                self.next_char();
                self.next_char();
                Kind::Literal
            }
            _ => Kind::Lifetime(self.eat_while(continues)),
        }
    }

    fn word(&mut self) -> Kind {
        let word = self.eat_while(continues);
        match (word.as_str(), self.peek()) {
            ("r" | "br" | "cr", Some('"' | '#')) => self.raw(),
            ("b" | "c", Some('"')) => {
                self.next_char();
                self.quoted('"')
            }
            ("b", Some('\'')) => {
                self.next_char();
                self.quoted('\'')
            }
            _ => Kind::Ident(word),
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            self.eat_while(char::is_whitespace);
            let (line, column) = (self.line, self.column);
            let kind = match self.peek()? {
                letter if letter == '_' || letter.is_alphabetic() => self.word(),
                letter if letter.is_ascii_digit() => {
                    self.eat_while(continues);
                    Kind::Literal
                }
                letter => {
                    self.next_char();
                    match letter {
                        '/' if self.eat('/') => {
                            self.until_line_end();
                            continue;
                        }
                        '/' if self.eat('*') => {
                            self.block_comment();
                            continue;
                        }
                        '"' => self.quoted('"'),
                        '\'' => self.lifetime_or_char(),
                        _ => Kind::Punct(letter),
                    }
                }
            };
            return Some(Token { kind, line, column });
        }
    }
}

fn continues(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}
