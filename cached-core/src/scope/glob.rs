//! `product_*`: the patterns of `invalidate!(pattern = …)`.

/// `*` stands for any text, `?` for one character; everything else for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Vec<char>);

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        let mut chars: Vec<char> = pattern.chars().collect();
        chars.dedup_by(|a, b| *a == '*' && *b == '*');
        Glob(chars)
    }

    /// Whether the whole text fits, in time linear in the text for each `*` of the pattern.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut seen, mut retry) = (0, 0, None);
        while seen < text.len() {
            match self.0.get(at) {
                Some('*') => {
                    retry = Some((at, seen));
                    at += 1;
                }
                Some(&c) if c == '?' || c == text[seen] => {
                    at += 1;
                    seen += 1;
                }
                _ => {
                    // Let the last `*` take one character more.
                    let Some((star, taken)) = retry else {
                        return false;
                    };
                    retry = Some((star, taken + 1));
                    at = star + 1;
                    seen = taken + 1;
                }
            }
        }
        self.0[at..].iter().all(|c| *c == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn matches_as_shells_do() {
        for (pattern, text, expected) in [
            ("product_*", "product_list", true),
            ("product_*", "product_", true),
            ("product_*", "my_product_list", false),
            ("*", "", true),
            ("*:posts", "user:42:posts", true),
            ("user:?", "user:4", true),
            ("user:?", "user:42", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("", "a", false),
            ("**x", "aax", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(text),
                expected,
                "{pattern} on {text}"
            );
        }
    }
}
