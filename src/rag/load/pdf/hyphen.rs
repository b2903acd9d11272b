//! Words that are broken at a line's end, put together by how the rest of the document writes them.

use std::collections::HashSet;

use super::line::PdfPage;

/// Most words that are remembered.
const MOST_WORDS: usize = 1_000_000;

/// The words of a document that stand within a line.
#[derive(Debug, Default)]
pub(super) struct DocumentWords {
    words: HashSet<String>,
}

impl DocumentWords {
    pub(super) fn of(pages: &[PdfPage]) -> Self {
        let mut words = HashSet::new();
        for line in pages.iter().flat_map(|page| &page.lines) {
            for word in line.text().split_whitespace() {
                let word = bare(word);
                if word.len() > 3 && !word.ends_with('-') && words.len() < MOST_WORDS {
                    words.insert(word);
                }
            }
        }
        Self { words }
    }

    /// Puts a line after what was read before it.
    pub(super) fn join(&self, text: &mut String, next: &str) {
        let next = next.trim_start();
        if text.ends_with('\u{ad}') {
            text.pop();
            text.push_str(next);
            return;
        }
        let stem = text.strip_suffix(['-', '\u{2010}']).filter(|stem| stem.ends_with(char::is_alphabetic));
        if stem.is_none() || !next.starts_with(char::is_alphabetic) {
            if !text.is_empty() {
                text.push(' ');
            }
        } else if !self.keeps_hyphen(stem.unwrap_or_default(), next) {
            text.pop();
        }
        text.push_str(next);
    }

    /// Whether a hyphen is the word's own. It is if it is written with one elsewhere, or followed by a capital.
    fn keeps_hyphen(&self, stem: &str, next: &str) -> bool {
        let first = bare(stem.rsplit(char::is_whitespace).next().unwrap_or_default());
        let second = bare(next.split(char::is_whitespace).next().unwrap_or_default());
        if self.words.contains(&format!("{first}{second}")) {
            return false;
        }
        next.starts_with(char::is_uppercase) || self.words.contains(&format!("{first}-{second}"))
    }
}

/// In lower case and without the signs around it.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-').to_lowercase()
}
