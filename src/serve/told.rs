//! Which of an answer's tokens are in its text by now: what a stop text takes away has no log-probabilities. Knows no
//! endpoint.

use super::words::ModelTokens;
use crate::engine::generate::ChosenToken;

/// Tokens whose log-probabilities are told now.
#[derive(Default)]
pub(crate) struct ToldTokens {
    pub tokens: Vec<ChosenToken>,
    /// How many bytes of the last one are in the text, if a stop text cuts it.
    pub cut: Option<usize>,
}

/// Tokens that wait for their text.
#[derive(Clone, Default)]
pub(crate) struct TokensInText {
    /// Each with what it writes.
    waiting: Vec<(ChosenToken, Vec<u8>)>,
    /// What those before the first that waits wrote, from a character's beginning on.
    before: Vec<u8>,
    /// Bytes of the text, from the same place on.
    text: usize,
    begun: bool,
}

impl TokensInText {
    pub(crate) fn push(&mut self, token: ChosenToken, words: &ModelTokens) {
        let bytes = words.written(token.id);
        self.waiting.push((token, bytes));
    }

    fn add_text(&mut self, text: &str) {
        // Some tokenizers write no space before a text's first word.
        let first = self.waiting.first().filter(|_| !self.begun && !text.is_empty());
        if first.is_some_and(|(_, bytes)| bytes.starts_with(b" ") && !text.starts_with(' ')) {
            self.text += 1;
        }
        self.begun |= !text.is_empty();
        self.text += text.len();
    }

    /// The tokens that can be told after one more, which came with some text.
    pub(crate) fn next(&mut self, token: &ChosenToken, text: &str, words: &ModelTokens) -> ToldTokens {
        self.push(token.clone(), words);
        self.add_text(text);
        self.in_text()
    }

    /// The tokens that are whole in the text, and were not told before.
    fn in_text(&mut self) -> ToldTokens {
        let mut all = self.before.clone();
        let mut count = 0;
        for (_, bytes) in &self.waiting {
            all.extend(bytes);
            if shown(&all) > self.text {
                break;
            }
            count += 1;
            self.before.extend(bytes);
        }
        let tokens = self.waiting.drain(..count).map(|(token, _)| token).collect();
        if shown(&self.before) == self.text {
            self.before.clear();
            self.text = 0;
        }
        ToldTokens { tokens, cut: None }
    }

    /// Those that are left at the answer's end, after its last text; only what is in the text, if a stop text ended it.
    pub(crate) fn rest(&mut self, text: &str, stopped: bool) -> ToldTokens {
        self.add_text(text);
        let mut told = self.in_text();
        if !stopped {
            told.tokens.extend(self.waiting.drain(..).map(|(token, _)| token));
            return told;
        }
        let left = self.text.saturating_sub(shown(&self.before));
        if left > 0 && !self.waiting.is_empty() {
            told.tokens.push(self.waiting.remove(0).0);
            told.cut = Some(left);
        }
        self.waiting.clear();
        told
    }
}

/// Bytes of the text that some bytes are shown as: what is no character is U+FFFD.
fn shown(bytes: &[u8]) -> usize {
    let of_none =
        |invalid: &[u8]| if invalid.is_empty() { 0 } else { char::REPLACEMENT_CHARACTER.len_utf8() };
    bytes.utf8_chunks().map(|part| part.valid().len() + of_none(part.invalid())).sum()
}
