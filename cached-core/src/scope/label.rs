//! Text with values in it: prefixes and tags.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// An empty value: a level of its own, where nothing at all would be the level above.
const EMPTY: &str = "%-";

/// A prefix or tag in the making.
///
/// Text given by the programmer is taken as it is; values are escaped, so that none of them can
/// reach into another level: `:` becomes `%3A`, `%` becomes `%25`, and control characters, spaces
/// and the glob characters `*`, `?`, `[` are written the same way; an empty value is `%-`.
///
/// ```
/// use dewar::Label;
///
/// let label = Label::new().text("user:").value("42:posts");
/// assert_eq!(label.as_str(), "user:42%3Aposts");
/// ```
#[derive(Default, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(Cow<'static, str>);

impl Label {
    /// An empty label.
    pub fn new() -> Self {
        Self::default()
    }

    /// For generated code: text without values.
    #[doc(hidden)]
    pub const fn fixed(text: &'static str) -> Self {
        Label(Cow::Borrowed(text))
    }

    /// Appends text as it is; `:` separates levels.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.to_mut().push_str(text);
        self
    }

    /// Appends a value, escaped.
    #[must_use]
    pub fn value(mut self, value: impl Display) -> Self {
        let before = self.0.len();
        // A `Display` that fails has written what it could; there is nothing better to add.
        let text = self.0.to_mut();
        let _ = write!(Escaped(text), "{value}");
        if text.len() == before {
            text.push_str(EMPTY);
        }
        self
    }

    /// The text so far.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Label::new().text(text)
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Label(Cow::Owned(text))
    }
}

impl Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                ':' | '%' | '*' | '?' | '[' | ']' | '{' | '}' | ' ' => self.escape(c)?,
                c if c.is_control() => self.escape(c)?,
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

impl Escaped<'_> {
    fn escape(&mut self, c: char) -> fmt::Result {
        let mut bytes = [0; 4];
        c.encode_utf8(&mut bytes)
            .bytes()
            .try_for_each(|byte| write!(self.0, "%{byte:02X}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn a_value_stays_within_its_level() {
        assert_eq!(Label::new().text("a:").value("b:c").as_str(), "a:b%3Ac");
        assert_eq!(Label::new().value("100%").as_str(), "100%25");
        assert_eq!(Label::new().value("a\nb*").as_str(), "a%0Ab%2A");
    }

    #[test]
    fn an_empty_value_is_a_level() {
        assert_eq!(Label::new().text("a:").value("").as_str(), "a:%-");
        assert_ne!(Label::new().value(""), Label::new().value("%-"));
    }

    #[test]
    fn different_values_give_different_labels() {
        assert_ne!(Label::new().value("%3A"), Label::new().value(":"));
    }
}
