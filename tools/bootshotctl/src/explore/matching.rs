//! Finding a text in another one without regard to case.

use std::ops::Range;

/// What is looked for.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Needle {
    lower: Vec<char>,
    is_ascii: bool,
}

impl Needle {
    pub fn new(text: &str) -> Self {
        Self {
            lower: text.chars().flat_map(char::to_lowercase).collect(),
            is_ascii: text.is_ascii(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lower.is_empty()
    }

    /// The first place of it in `text`, in bytes.
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        if self.is_empty() {
            return None;
        }
        if self.is_ascii && text.is_ascii() {
            let length = self.lower.len();
            let is_here = |window: &[u8]| {
                let folded = window
                    .iter()
                    .map(|byte| char::from(byte.to_ascii_lowercase()));
                folded.eq(self.lower.iter().copied())
            };
            let start = text.as_bytes().windows(length).position(is_here)?;
            return Some(start..start + length);
        }
        text.char_indices().find_map(|(start, _)| {
            let length = self.length_at(&text[start..])?;
            Some(start..start + length)
        })
    }

    /// Bytes that it takes at the beginning of `text`.
    fn length_at(&self, text: &str) -> Option<usize> {
        let mut wanted = self.lower.iter().copied().peekable();
        for (place, character) in text.char_indices() {
            if wanted.peek().is_none() {
                return Some(place);
            }
            for lower in character.to_lowercase() {
                if wanted.next() != Some(lower) {
                    return None;
                }
            }
        }
        wanted.peek().is_none().then_some(text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_in_any_script() {
        let found = |text: &str, needle: &str| Needle::new(needle).find(text);
        assert_eq!(found("\\KernelObjects", "kernelo"), Some(1..8));
        assert_eq!(found("\\Ünamed Größe", "größe"), Some(9..16));
        assert_eq!(found("ÄÖÜ", "öü"), Some(2..6));
        assert_eq!(found("abc", "bcd"), None);
        assert_eq!(
            found("İx", "x"),
            Some(2..3),
            "a character that grows in lower case"
        );
        assert_eq!(found("abc", ""), None);
    }
}
