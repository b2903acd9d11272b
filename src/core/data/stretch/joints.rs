//! Between which characters a tokenizer surely begins anew, by its normaliser, its pattern and its added tokens.
//!
//! A place is a joint if no match of the pattern goes on from the character before it to the one after it, if nothing
//! before it looks at what is after it, if no added token is across it, and if the normaliser leaves both sides for
//! themselves. Each rule of [`Joint::is_joint`] says why that is so.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tokenizers::normalizer::NormalizedString;
use tokenizers::{AddedToken, Normalizer, Tokenizer};

use super::{GPT_4O, LLAMA3, QWEN2, TEKKEN};

/// Around what stands for a control token where its name is text; nothing is cut close to it.
const ALIAS: char = '\u{FDD3}';
/// No added token is longer, in bytes, where more is cut at than white space.
const LONGEST_TOKEN: usize = 64;
/// Marks of Chinese and Japanese texts: neither letters nor numbers nor white space, whatever a normaliser makes of them.
const CJK_MARKS: &str = "，。、！？；：「」『』（）《》“”…";

/// The signs that are ASCII's own ones in every normal form.
const BECOME_ASCII: [char; 3] = ['\u{212A}', '\u{37E}', '\u{1FEF}'];

/// How words are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SplitPattern {
    Gpt2,
    /// Numbers one by one.
    Qwen2,
    /// Numbers by threes.
    Llama3,
    /// Numbers one by one; marks take slashes and line breaks after them.
    Tekken,
    /// Numbers by threes; marks take slashes and line breaks after them.
    Gpt4o,
}

/// How a run of digits is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    Whole,
    OneByOne,
    ByThrees,
}

/// Added tokens by two bytes in them, with the second one's place.
type BytePairs = HashMap<(u8, u8), Vec<(Arc<[u8]>, usize)>>;

/// Where a tokenizer begins anew.
#[derive(Debug, Clone)]
pub(crate) struct Joint {
    /// None if that isn't known.
    rules: Option<Arc<Rules>>,
}

#[derive(Debug)]
struct Rules {
    pattern: SplitPattern,
    digits: Digits,
    /// A space is put before each text that begins with none.
    prefixed: bool,
    /// Whether other signs than those of a token may become the token.
    changes: bool,
    /// What added tokens end with that take the white space after them.
    takers: Vec<char>,
    /// Whether a line may be cut from the next one: no added token takes the break before it, or has one in it.
    between_lines: bool,
    /// Whether words may be cut: no added token depends on what is beside it, and none is too long.
    in_words: bool,
    /// Whether runs of digits are what they seem: no added token begins or ends with one.
    plain_digits: bool,
    /// Added tokens by two bytes that follow one another in them, in small letters, with the second one's place.
    pairs: BytePairs,
}

impl Joint {
    pub(crate) fn of(tokenizer: &Tokenizer) -> Self {
        Self { rules: rules(tokenizer).map(Arc::new) }
    }

    /// Where a first stretch of at least so many bytes ends.
    pub(super) fn cut(&self, text: &str, least: usize) -> Option<usize> {
        let rules = self.rules.as_deref()?;
        let from = (least..text.len()).find(|&at| text.is_char_boundary(at))?;
        let mut before = text.get(..from)?.chars().next_back()?;
        let mut digits = text.bytes().take(from).rev().take_while(u8::is_ascii_digit).count();
        for (at, after) in text.get(from..)?.char_indices() {
            let at = from + at;
            if rules.is_joint(text, (at, digits), before, after) {
                return Some(at);
            }
            digits = if after.is_ascii_digit() { digits + 1 } else { 0 };
            before = after;
        }
        None
    }
}

impl Rules {
    /// `digits`: so many stand right before the place.
    fn is_joint(&self, text: &str, (at, digits): (usize, usize), before: char, after: char) -> bool {
        if before == ALIAS || after == ALIAS {
            return false;
        }
        let is_taken = || self.takers.contains(&before.to_ascii_lowercase());
        let is_words = match after {
            // Spaces begin a match or go on with other white space.
            ' ' => return is_ink(before) && !is_taken(),
            _ if self.prefixed => return false,
            '\t' => return is_ink(before) && !is_taken(),
            // Line breaks too, but that marks may take those after them.
            '\n' | '\r' => {
                let is_word = before.is_ascii_alphanumeric() || is_ideograph(before);
                let ends = if self.pattern == SplitPattern::Gpt2 { is_ink(before) } else { is_word };
                return ends && !is_taken();
            }
            _ if before == '\n' => return self.is_line(after),
            // Letters, numbers and marks are matched apart, each after a space or a mark at most.
            _ if before.is_ascii_digit() && after.is_ascii_digit() => {
                self.is_between_digits(text, at, digits)
            }
            _ => {
                before.is_ascii_alphabetic() && after.is_ascii_digit()
                    || before.is_ascii_digit() && after.is_ascii_alphabetic()
                    || is_ideograph(before) && CJK_MARKS.contains(after)
            }
        };
        is_words && self.in_words && !self.is_within_token(text, at)
    }

    /// Whether what begins with this sign, after a line break, is matched by itself. White space up to a line break is one
    /// match, whatever follows; GPT-2's pattern leaves the last of it out.
    fn is_line(&self, first: char) -> bool {
        let slash = matches!(self.pattern, SplitPattern::Tekken | SplitPattern::Gpt4o) && first == '/';
        let known = self.pattern != SplitPattern::Gpt2 && self.between_lines;
        known && !slash && (first.is_ascii_graphic() || is_ideograph(first))
    }

    fn is_between_digits(&self, text: &str, at: usize, digits: usize) -> bool {
        match self.digits {
            Digits::Whole => false,
            Digits::OneByOne => true,
            Digits::ByThrees => {
                // Another script's number may be one with the run.
                let first = at.checked_sub(digits + 1).and_then(|before| text.as_bytes().get(before));
                self.plain_digits && digits.is_multiple_of(3) && first.is_none_or(u8::is_ascii)
            }
        }
    }

    /// Whether an added token may stand across a place.
    fn is_within_token(&self, text: &str, at: usize) -> bool {
        let bytes = text.as_bytes();
        let around = bytes.get(at.saturating_sub(LONGEST_TOKEN)..(at + LONGEST_TOKEN).min(bytes.len()));
        let around = around.unwrap_or_default();
        // Other signs could become a token's.
        if self.changes && !around.is_ascii() {
            return true;
        }
        let has =
            |sign: char| memchr::memmem::find(around, sign.encode_utf8(&mut [0; 4]).as_bytes()).is_some();
        if has(ALIAS) || BECOME_ASCII.into_iter().any(has) {
            return true;
        }
        let pair = at.checked_sub(1).and_then(|before| Some((*bytes.get(before)?, *bytes.get(at)?)));
        let Some((before, after)) = pair else { return true };
        let tokens = self.pairs.get(&(before.to_ascii_lowercase(), after.to_ascii_lowercase()));
        tokens.into_iter().flatten().any(|(token, place)| {
            let own = at.checked_sub(*place).and_then(|start| bytes.get(start..start + token.len()));
            own.is_some_and(|own| own.eq_ignore_ascii_case(token))
        })
    }
}

/// Whether a sign is surely no white space, and becomes none.
fn is_ink(sign: char) -> bool {
    sign.is_ascii_graphic() || sign.is_alphanumeric() || CJK_MARKS.contains(sign)
}

/// The common Chinese characters: letters that no normaliser changes.
fn is_ideograph(sign: char) -> bool {
    ('\u{4E00}'..='\u{9FFF}').contains(&sign)
}

/// None if nothing is known of the tokenizer.
fn rules(tokenizer: &Tokenizer) -> Option<Rules> {
    let normalizer = tokenizer.get_normalizer().map(serde_json::to_value).transpose().ok()?;
    let pre_tokenizer = serde_json::to_value(tokenizer.get_pre_tokenizer()?).ok()?;
    if tokenizer.get_truncation().is_some()
        || tokenizer.get_padding().is_some()
        || !normalizer.as_ref().is_none_or(keeps_words)
    {
        return None;
    }
    let (pattern, digits, prefixed) = words(&pre_tokenizer)?;
    let added: Vec<AddedToken> = tokenizer.get_added_tokens_decoder().into_values().collect();
    let mut contents: Vec<String> = added.iter().map(|token| token.content.clone()).collect();
    for token in added.iter().filter(|token| token.normalized) {
        let mut content = NormalizedString::from(token.content.as_str());
        if let Some(normalizer) = tokenizer.get_normalizer() {
            normalizer.normalize(&mut content).ok()?;
        }
        contents.push(content.get().to_owned());
    }
    // One that has white space in it may stand across any joint.
    let is_apart = |content: &String| !content.trim_start().contains(char::is_whitespace);
    let is_alone = |token: &AddedToken| !token.single_word || !token.content.starts_with(char::is_whitespace);
    if !contents.iter().all(is_apart) || !added.iter().all(is_alone) {
        return None;
    }
    let breaks = |content: &String| !content.trim().is_empty() && content.contains(['\n', '\r']);
    let digit_at_end = |content: &String| {
        let is_digit = |sign: Option<char>| sign.is_some_and(char::is_numeric);
        is_digit(content.chars().next()) || is_digit(content.chars().next_back())
    };
    let takers = added.iter().filter(|token| token.rstrip);
    let mut pairs = BytePairs::new();
    for content in &contents {
        let bytes: Arc<[u8]> = content.to_ascii_lowercase().into_bytes().into();
        for (place, pair) in bytes.windows(2).enumerate() {
            if let [before, after] = pair {
                pairs.entry((*before, *after)).or_default().push((Arc::clone(&bytes), place + 1));
            }
        }
    }
    Some(Rules {
        pattern,
        digits,
        prefixed,
        changes: normalizer
            .as_ref()
            .is_some_and(|part| kind(part) != "NFC" || !contents.iter().all(|content| content.is_ascii())),
        takers: takers
            .filter_map(|token| Some(token.content.chars().next_back()?.to_ascii_lowercase()))
            .collect(),
        between_lines: !added.iter().any(|token| token.lstrip) && !contents.iter().any(breaks),
        in_words: added.iter().all(|token| !token.single_word)
            && contents.iter().all(|content| content.len() <= LONGEST_TOKEN),
        plain_digits: !contents.iter().any(digit_at_end),
        pairs,
    })
}

/// Whether a normaliser leaves what is on both sides of a joint for itself.
fn keeps_words(part: &Value) -> bool {
    match kind(part) {
        "NFC" | "NFD" | "NFKC" | "NFKD" | "Lowercase" => true,
        "Sequence" => list(part, "normalizers").iter().all(keeps_words),
        _ => false,
    }
}

/// How a pre-tokeniser finds words, cuts digits, and whether it puts a space before a text. None if that isn't known.
fn words(part: &Value) -> Option<(SplitPattern, Digits, bool)> {
    let parts =
        if kind(part) == "Sequence" { list(part, "pretokenizers") } else { std::slice::from_ref(part) };
    let is = |part: &Value, name: &str| part.get(name) == Some(&Value::Bool(true));
    let (mut pattern, mut digits, mut prefixed) = (None, None, false);
    for part in parts {
        let own = match kind(part) {
            "ByteLevel" => {
                prefixed |= is(part, "add_prefix_space");
                is(part, "use_regex").then_some(SplitPattern::Gpt2)
            }
            "Split" => Some(known(part)?),
            "Digits" => {
                // Before the words are found, or in the words.
                digits = if is(part, "individual_digits") { Some(Digits::OneByOne) } else { digits };
                None
            }
            _ => return None,
        };
        pattern = pattern.or(own);
        // Bytes become letters.
        if pattern.is_none() && kind(part) == "ByteLevel" {
            return None;
        }
    }
    let pattern = pattern?;
    let digits = digits.unwrap_or(match pattern {
        SplitPattern::Gpt2 => Digits::Whole,
        SplitPattern::Qwen2 | SplitPattern::Tekken => Digits::OneByOne,
        SplitPattern::Llama3 | SplitPattern::Gpt4o => Digits::ByThrees,
    });
    Some((pattern, digits, prefixed))
}

fn known(split: &Value) -> Option<SplitPattern> {
    let pattern = split.pointer("/pattern/Regex").and_then(Value::as_str)?;
    let kept =
        split.get("behavior").and_then(Value::as_str).zip(split.get("invert").and_then(Value::as_bool));
    let patterns = [
        (QWEN2, SplitPattern::Qwen2),
        (LLAMA3, SplitPattern::Llama3),
        (TEKKEN, SplitPattern::Tekken),
        (GPT_4O, SplitPattern::Gpt4o),
    ];
    let (_, known) = patterns.into_iter().find(|(own, _)| *own == pattern)?;
    matches!(kept, Some(("Isolated", false) | ("Removed", true))).then_some(known)
}

fn kind(part: &Value) -> &str {
    part.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(part: &'v Value, name: &str) -> &'v [Value] {
    part.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
