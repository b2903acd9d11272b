//! From tokens to text, as it comes: characters are never cut, stop texts never leak in part.

use std::sync::Arc;

use tokenizers::Tokenizer;

use dojo_core::data::calls::overlap;

/// Turns one sequence's tokens into text.
pub(crate) struct TextStream {
    tokenizer: Arc<Tokenizer>,
    /// Tokens whose text may still depend on what follows, and the context before them.
    window: Vec<u32>,
    /// Bytes of the window's text that were handed out.
    given: usize,
    /// Text that may be the beginning of a stop text.
    held: String,
    stops: Vec<String>,
    stopped: bool,
    /// Control tokens that are written.
    shown: Vec<u32>,
}

/// Tokens of the window after which its older half is dropped.
const WINDOW: usize = 48;

impl TextStream {
    pub(crate) fn new(tokenizer: Arc<Tokenizer>, stops: Vec<String>, shown: Vec<u32>) -> Self {
        let stops = stops.into_iter().filter(|stop| !stop.is_empty()).collect();
        Self { tokenizer, window: Vec::new(), given: 0, held: String::new(), stops, stopped: false, shown }
    }

    /// Whether a stop text came.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    /// Takes a token; returns the text that is certain now.
    pub(crate) fn push(&mut self, token: u32) -> String {
        if self.stopped {
            return String::new();
        }
        self.window.push(token);
        let text = self.decode();
        // A replacement character at the end may be a character that is not yet whole.
        if text.ends_with('\u{fffd}') && self.unfinished() < 4 {
            return String::new();
        }
        let new = text.get(self.given..).unwrap_or_default().to_owned();
        self.given = text.len();
        self.shorten();
        self.release(&new)
    }

    /// What was held back, when nothing more comes.
    pub(crate) fn finish(&mut self) -> String {
        if self.stopped {
            return String::new();
        }
        let text = self.decode();
        let rest = text.get(self.given..).unwrap_or_default().trim_end_matches('\u{fffd}').to_owned();
        self.given = text.len();
        let mut out = self.release(&rest);
        if !self.stopped {
            out.push_str(&std::mem::take(&mut self.held));
        }
        out
    }

    fn decode(&self) -> String {
        text_of(&self.tokenizer, &self.window, &self.shown)
    }

    /// Tokens at the end whose text wasn't handed out yet.
    fn unfinished(&self) -> usize {
        let mut count = 0;
        for take in (0..self.window.len()).rev() {
            let head = self.window.get(..take).unwrap_or_default();
            count += 1;
            if text_of(&self.tokenizer, head, &self.shown).len() <= self.given || count >= 5 {
                break;
            }
        }
        count
    }

    /// Drops old tokens where that doesn't change what the rest decodes to.
    fn shorten(&mut self) {
        if self.window.len() < WINDOW {
            return;
        }
        let text = self.decode();
        let tail = self.window.split_off(WINDOW / 2);
        let short = text_of(&self.tokenizer, &tail, &self.shown);
        if text.ends_with(&short) && !short.is_empty() {
            self.given = short.len();
            self.window = tail;
        } else {
            self.window.extend(tail);
        }
    }

    /// Adds text behind what is held, looks for stop texts, and lets go of what can't be part of one.
    fn release(&mut self, new: &str) -> String {
        self.held.push_str(new);
        let found = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min();
        if let Some(at) = found {
            self.stopped = true;
            let mut text = std::mem::take(&mut self.held);
            text.truncate(at);
            return text;
        }
        let keep = self.stops.iter().map(|stop| overlap(&self.held, stop)).max().unwrap_or(0);
        let kept = self.held.split_off(self.held.len() - keep);
        std::mem::replace(&mut self.held, kept)
    }
}

/// The text of some tokens, without control tokens but those that are `shown`.
fn text_of(tokenizer: &Tokenizer, ids: &[u32], shown: &[u32]) -> String {
    let is_control = |token: &str| tokenizer.get_added_vocabulary().is_special_token(token);
    let is_written =
        |id: &u32| shown.contains(id) || tokenizer.id_to_token(*id).is_some_and(|token| !is_control(&token));
    let ids: Vec<u32> = ids.iter().copied().filter(is_written).collect();
    // Some of the library's decoders fail over nothing at all.
    if ids.is_empty() { String::new() } else { tokenizer.decode(&ids, false).unwrap_or_default() }
}
