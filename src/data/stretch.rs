//! Long texts become tokens stretch by stretch, where a tokenizer surely begins anew: all at once, tokens with their texts
//! and places take a hundred times the text's memory. The tokens are the same ones. Where it isn't known that a tokenizer
//! begins anew between a letter and a space, a text is cut into tokens as a whole.

use anyhow::{Error, Result};
use serde_json::Value;
use tokenizers::Tokenizer;

use super::control::Pieces;

/// How models split a text before merging, as their `tokenizer.json` files have it. No match goes on from a letter to a
/// space, and all that is said is matched.
pub(crate) const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(crate) const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(crate) const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub(crate) const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SPLITS: [&str; 4] = [QWEN2, LLAMA3, TEKKEN, GPT_4O];

/// A stretch has at least so many bytes.
const STRETCH: usize = 64 << 10;

/// Whether a tokenizer begins anew between a letter and a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    BeforeSpaces,
    Nowhere,
}

impl Joint {
    pub(crate) fn of(tokenizer: &Tokenizer) -> Self {
        let known = |part: Option<Value>, is_known: fn(&Value) -> bool| part.as_ref().is_none_or(is_known);
        let json = |part: Result<Value, serde_json::Error>| part.unwrap_or(Value::Bool(false));
        let normalizer = tokenizer.get_normalizer().map(|part| json(serde_json::to_value(part)));
        let pre_tokenizer = tokenizer.get_pre_tokenizer().map(|part| json(serde_json::to_value(part)));
        let splits = pre_tokenizer.is_some_and(|part| splits_words(&part));
        let whole = tokenizer.get_truncation().is_none() && tokenizer.get_padding().is_none();
        let keeps = tokenizer.get_added_tokens_decoder().values().all(|token| {
            // One that has a space in it, or takes the one after it, may stand across the joint.
            let takes_space = token.rstrip && token.content.ends_with(char::is_alphabetic);
            !takes_space && !token.content.trim_start_matches(' ').contains(' ')
        });
        if splits && whole && keeps && known(normalizer, keeps_words) {
            Self::BeforeSpaces
        } else {
            Self::Nowhere
        }
    }

    /// A text in stretches: each but the first begins with a space after a letter.
    fn stretches(self, text: &str) -> impl Iterator<Item = &str> {
        let mut rest = Some(text);
        std::iter::from_fn(move || {
            let text = rest.take()?;
            let cut = (self == Self::BeforeSpaces).then(|| cut(text)).flatten();
            let (stretch, after) = match cut.and_then(|at| text.split_at_checked(at)) {
                Some((stretch, after)) => (stretch, Some(after)),
                None => (text, None),
            };
            rest = after;
            Some(stretch)
        })
    }

    /// A text in tokens, with their places.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub(crate) fn pieces(self, tokenizer: &Tokenizer, text: &str) -> Result<Pieces> {
        let mut pieces = Pieces::default();
        // A token begins at the end of the one before it, since some tokenizers leave white space out of a token's own
        // range; the pieces of one character all begin where it does.
        let (mut at, mut reached) = (0, 0);
        for stretch in self.stretches(text) {
            let encoding = tokenizer.encode(stretch, false).map_err(Error::msg)?;
            pieces.tokens.extend_from_slice(encoding.get_ids());
            for (start, end) in encoding.get_offsets() {
                pieces.begins.push((at + start).min(reached));
                reached = reached.max(at + end);
            }
            at += stretch.len();
        }
        Ok(pieces)
    }

    /// A text in tokens; `special` adds those that the tokenizer puts around a text.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub(crate) fn tokens(self, tokenizer: &Tokenizer, text: &str, special: bool) -> Result<Vec<u32>> {
        let ids = |text: &str, special: bool| -> Result<Vec<u32>> {
            Ok(tokenizer.encode_fast(text, special).map_err(Error::msg)?.get_ids().to_vec())
        };
        let mut stretches = self.stretches(text);
        let first = stretches.next().unwrap_or_default();
        let mut tokens = ids(first, special)?;
        if first.len() == text.len() {
            return Ok(tokens);
        }
        let bare = ids(first, false)?;
        let found = tokens.windows(bare.len().max(1)).position(|own| own == bare);
        let Some(before_it) = found else { return ids(text, special) };
        let end = tokens.split_off(before_it + bare.len());
        for stretch in stretches {
            tokens.extend(ids(stretch, false)?);
        }
        tokens.extend(end);
        Ok(tokens)
    }
}

/// Where a first stretch ends.
fn cut(text: &str) -> Option<usize> {
    let rest = text.as_bytes().get(STRETCH..)?;
    let joint =
        rest.windows(2).position(|pair| matches!(pair, [letter, b' '] if letter.is_ascii_alphabetic()));
    joint.map(|at| STRETCH + at + 1)
}

/// Whether a normaliser leaves what is on both sides of a joint for itself.
fn keeps_words(part: &Value) -> bool {
    match kind(part) {
        "NFC" | "NFD" | "NFKC" | "NFKD" | "Lowercase" => true,
        "Sequence" => list(part, "normalizers").iter().all(keeps_words),
        _ => false,
    }
}

/// Whether a pre-tokeniser begins a new word at each joint.
fn splits_words(part: &Value) -> bool {
    let parts =
        if kind(part) == "Sequence" { list(part, "pretokenizers") } else { std::slice::from_ref(part) };
    let mut splits = false;
    for part in parts {
        match kind(part) {
            "ByteLevel" if part.get("use_regex") == Some(&Value::Bool(true)) => splits = true,
            "Split" if is_known(part) => splits = true,
            // A space is another letter after it.
            "ByteLevel" if splits => {}
            "Digits" => {}
            _ => return false,
        }
    }
    splits
}

fn is_known(split: &Value) -> bool {
    let pattern = split.pointer("/pattern/Regex").and_then(Value::as_str);
    let kept =
        split.get("behavior").and_then(Value::as_str).zip(split.get("invert").and_then(Value::as_bool));
    pattern.is_some_and(|pattern| SPLITS.contains(&pattern))
        && matches!(kept, Some(("Isolated", false) | ("Removed", true)))
}

fn kind(part: &Value) -> &str {
    part.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(part: &'v Value, name: &str) -> &'v [Value] {
    part.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
