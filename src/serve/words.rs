//! Tokens as clients see them: their bytes, their names, and what was likely in each place.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokenizers::Tokenizer;

use crate::engine::generate::{ChosenToken, TokenBytes};

/// A model's tokens.
pub(crate) struct ModelTokens {
    tokenizer: Arc<Tokenizer>,
    /// None where the tokenizer's form is unknown: then a token is its decoded text.
    bytes: Option<TokenBytes>,
}

impl ModelTokens {
    pub(crate) fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let bytes = TokenBytes::new(&tokenizer)
            .inspect_err(|error| tracing::warn!("tokens are told by their decoded text: {error:#}"))
            .ok();
        Self { tokenizer, bytes }
    }

    pub(crate) const fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// The text of some tokens, the names of control tokens among it.
    pub(crate) fn text(&self, ids: &[u32]) -> String {
        // Some of the library's decoders fail over a number without a token.
        let known: Vec<u32> = ids.iter().copied().filter(|id| self.name(*id).is_some()).collect();
        self.tokenizer.decode(&known, false).unwrap_or_default()
    }

    fn name(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    /// What a token writes.
    pub(crate) fn written(&self, id: u32) -> Vec<u8> {
        if self.is_control(id) { Vec::new() } else { self.bytes(id) }
    }

    fn bytes(&self, id: u32) -> Vec<u8> {
        match self.bytes.as_ref().and_then(|bytes| bytes.of(id)) {
            Some(bytes) => bytes.to_vec(),
            None => self.text(&[id]).into_bytes(),
        }
    }

    /// Whether a token writes nothing: it ends an answer, say.
    fn is_control(&self, id: u32) -> bool {
        let is_special = |name: &String| self.tokenizer.get_added_vocabulary().is_special_token(name);
        self.name(id).as_ref().is_some_and(is_special)
    }

    /// As chat completions tell them; joined, their bytes are the answer's. A stop text may have cut the last one.
    pub(crate) fn of_chat(&self, tokens: &[ChosenToken], cut: Option<usize>) -> Value {
        let entry = |id: u32, value: f32, length: Option<usize>| {
            let mut bytes = self.bytes(id);
            bytes.truncate(length.unwrap_or(usize::MAX));
            let name = std::str::from_utf8(&bytes).map_or_else(|_| escaped(&bytes), str::to_owned);
            json!({ "token": name, "logprob": value, "bytes": bytes })
        };
        let written = tokens.iter().enumerate().filter(|(_, token)| !self.is_control(token.id));
        let content = written.filter_map(|(place, token)| {
            let cut = cut.filter(|_| place + 1 == tokens.len());
            let mut own = entry(token.id, token.log_probability?, cut);
            let top = token.likeliest.iter().map(|&(id, value)| entry(id, value, None));
            own["top_logprobs"] = top.collect();
            Some(own)
        });
        json!({ "content": content.collect::<Vec<Value>>(), "refusal": null })
    }

    /// As plain completions tell them: `offsets` are where they begin, in characters.
    pub(crate) fn of_plain(&self, tokens: &[ChosenToken], offsets: &[usize]) -> Value {
        let names: Vec<String> = tokens.iter().map(|token| self.plain_name(token.id)).collect();
        let values: Vec<Option<f32>> = tokens.iter().map(|token| token.log_probability).collect();
        let top: Vec<Value> = tokens.iter().map(|token| self.likeliest(token)).collect();
        json!({ "tokens": names, "token_logprobs": values, "top_logprobs": top, "text_offset": offsets })
    }

    /// The likeliest tokens and the chosen one, each under a name of its own.
    fn likeliest(&self, token: &ChosenToken) -> Value {
        let Some(own) = token.log_probability else { return Value::Null };
        let mut named: HashMap<String, u32> = HashMap::new();
        let mut entries = Map::new();
        let chosen = std::iter::once((token.id, own));
        let others = token.likeliest.iter().copied().filter(|(id, _)| *id != token.id);
        for (id, value) in chosen.chain(others) {
            let name = self.plain_name(id);
            // Two tokens may be written alike: a byte and the character that it is, say.
            let name = if named.contains_key(&name) { format!("token_id:{id}") } else { name };
            named.insert(name.clone(), id);
            entries.insert(name, json!(value));
        }
        Value::Object(entries)
    }

    fn plain_name(&self, id: u32) -> String {
        let bytes = self.bytes(id);
        std::str::from_utf8(&bytes).map_or_else(|_| format!("bytes:{}", escaped(&bytes)), str::to_owned)
    }

    /// Where each token of a prompt begins in its text, in characters. A token that isn't in the text (one that begins
    /// it for the model) has no width.
    pub(crate) fn offsets_in(&self, tokens: &[ChosenToken], text: &str) -> Vec<usize> {
        let written: Vec<Vec<u8>> = tokens.iter().map(|token| self.bytes(token.id)).collect();
        let all = written.concat();
        if String::from_utf8_lossy(&all) == text {
            // Bytes that are no character stand in the text as others that are one.
            let starts = starts(&all);
            let mut at = 0;
            let begin = |bytes: &Vec<u8>| {
                let begun = characters_before(&starts, all.len(), at);
                at += bytes.len();
                begun
            };
            return written.iter().map(begin).collect();
        }
        let starts = starts(text.as_bytes());
        let mut at = 0;
        let mut offsets = Vec::with_capacity(tokens.len());
        for (token, bytes) in tokens.iter().zip(&written) {
            let left = text.as_bytes().get(at..).unwrap_or_default();
            offsets.push(characters_before(&starts, text.len(), at));
            let without_space = bytes.strip_prefix(b" ").filter(|_| at == 0);
            let width = match without_space {
                _ if left.starts_with(bytes) => bytes.len(),
                Some(bytes) if left.starts_with(bytes) => bytes.len(),
                _ if self.is_control(token.id) => 0,
                _ => bytes.len().min(left.len()),
            };
            at += width;
        }
        offsets
    }

    /// Where each generated token begins, after `start` characters and what was written before.
    pub(crate) fn offsets_after(
        &self,
        tokens: &[ChosenToken],
        start: usize,
        written: &mut WrittenSoFar,
    ) -> Vec<usize> {
        tokens.iter().map(|token| start + written.add(&self.written(token.id))).collect()
    }
}

/// How much of an answer's text is written.
#[derive(Clone, Default)]
pub(crate) struct WrittenSoFar {
    /// Characters that are whole.
    characters: usize,
    /// Bytes after them, of which more may make one.
    open: Vec<u8>,
}

impl WrittenSoFar {
    /// Writes a token; how many characters are before it.
    fn add(&mut self, bytes: &[u8]) -> usize {
        let before = self.open.len();
        self.open.extend(bytes);
        let starts = starts(&self.open);
        let begun = self.characters + characters_before(&starts, self.open.len(), before);
        let last = self.open.utf8_chunks().last().map_or(0, |part| part.invalid().len());
        self.characters += starts.len() - usize::from(last > 0);
        self.open.drain(..self.open.len() - last);
        begun
    }
}

/// Where characters begin. Bytes that are none are one as a text shows them, U+FFFD.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut starts) = (0, Vec::new());
    for part in bytes.utf8_chunks() {
        starts.extend(part.valid().char_indices().map(|(place, _)| at + place));
        at += part.valid().len();
        starts.extend((!part.invalid().is_empty()).then_some(at));
        at += part.invalid().len();
    }
    starts
}

/// Characters before a place, among those that begin at `starts` and end at `end`; where one is cut there, those before
/// that one.
fn characters_before(starts: &[usize], end: usize, at: usize) -> usize {
    if at >= end { starts.len() } else { starts.partition_point(|start| *start <= at).saturating_sub(1) }
}

fn escaped(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\x{byte:02x}").ok();
        text
    })
}
