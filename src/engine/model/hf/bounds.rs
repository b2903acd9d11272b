//! Bounds on a `tokenizer.json` before it is used: a stranger's file must not take all memory or time when it is opened
//! or when it splits a text. The numbers are far above what known tokenizers have.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::charsmap;

/// Gemma 3's, the largest that is known, has 33 MB.
pub(super) const MOST_BYTES: u64 = 48 << 20;
const MOST_TOKENS: usize = 1 << 18;
const MOST_TOKEN_BYTES: usize = 8 << 20;
const DEEPEST: usize = 12;
const MOST_PARTS: usize = 1 << 13;
const LONGEST_TEXT: usize = 1 << 14;
const MOST_PATTERNS: usize = 32;
/// The table of a precompiled normaliser, which is one text, has half a megabyte.
const LONGEST_OF_ALL: usize = 4 << 20;
/// The counts of a pattern's repetitions, multiplied: nested ones unfold.
const MOST_REPETITIONS: usize = 1 << 16;
/// How many times longer a text may become, by the sizes of what is replaced and by what.
const MOST_GROWTH: usize = 1 << 10;
/// How often a post-processor may repeat a text.
const MOST_COPIES: usize = 16;

/// The parts that are programs rather than tables.
#[derive(Deserialize)]
struct Parts {
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    decoder: Option<Value>,
    added_tokens: Option<Vec<AddedToken>>,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
}

/// # Errors
/// Where a part is larger than any known tokenizer's, or would make texts grow without measure; the message names it.
pub(super) fn check(text: &[u8]) -> Result<()> {
    let longest = longest_text(text);
    ensure!(longest <= LONGEST_OF_ALL, "it holds a text of {longest} bytes, more than any tokenizer's");
    let parts: Parts = serde_json::from_slice(text)?;
    let tokens = parts.added_tokens.unwrap_or_default();
    let bytes: usize = tokens.iter().map(|token| token.content.len()).sum();
    ensure!(
        tokens.len() <= MOST_TOKENS && bytes <= MOST_TOKEN_BYTES,
        "its added_tokens are {} tokens of {bytes} bytes, more than any model's",
        tokens.len()
    );
    let named = [
        ("normalizer", &parts.normalizer),
        ("pre_tokenizer", &parts.pre_tokenizer),
        ("post_processor", &parts.post_processor),
        ("decoder", &parts.decoder),
    ];
    for (name, part) in named {
        let Some(part) = part else { continue };
        let mut measure = Measure { parts: 0, patterns: 0, growth: 1, copies: 1 };
        measure.add(part, 0).with_context(|| format!("its {name} is refused"))?;
    }
    Ok(())
}

/// Bytes between the quotes of the longest text in a JSON file.
fn longest_text(json: &[u8]) -> usize {
    let (mut longest, mut start, mut reached) = (0, None, 0);
    for at in memchr::memchr2_iter(b'"', b'\\', json) {
        match (json.get(at), start) {
            // What a backslash escapes is neither.
            _ if at < reached => {}
            (Some(b'"'), None) => start = Some(at + 1),
            (Some(b'"'), Some(begin)) => {
                longest = longest.max(at - begin);
                start = None;
            }
            _ => reached = at + 2,
        }
    }
    longest
}

struct Measure {
    parts: usize,
    patterns: usize,
    growth: usize,
    copies: usize,
}

impl Measure {
    fn add(&mut self, value: &Value, depth: usize) -> Result<()> {
        self.parts += 1;
        ensure!(depth <= DEEPEST, "it is nested more than {DEEPEST} deep");
        ensure!(self.parts <= MOST_PARTS, "it has more than {MOST_PARTS} parts");
        match value {
            Value::String(text) => {
                ensure!(text.len() <= LONGEST_TEXT, "it holds a text of {} bytes", text.len());
            }
            Value::Array(items) => {
                for item in items {
                    self.add(item, depth + 1)?;
                }
            }
            Value::Object(keys) => {
                self.measure(value)?;
                for (key, item) in keys {
                    ensure!(key.len() <= LONGEST_TEXT, "it holds a key of {} bytes", key.len());
                    match item {
                        // Checked by `measure`, and larger than other texts.
                        Value::String(_) if key == "precompiled_charsmap" => {}
                        _ => self.add(item, depth + 1)?,
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    /// What one component does to a text. It is told by its keys: the library reads some of them without their type.
    fn measure(&mut self, value: &Value) -> Result<()> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let kind = text("type").unwrap_or_default();
        if let Some(pattern) = value.get("pattern") {
            self.pattern(pattern, text("content").unwrap_or_default().len())?;
        }
        if let Some(prepended) = text("prepend") {
            self.grow(1 + prepended.len())?;
        }
        if kind == "Precompiled" || value.get("precompiled_charsmap").is_some() {
            let map = text("precompiled_charsmap").context("its precompiled_charsmap is missing")?;
            self.grow(charsmap::check(map)?)?;
        }
        let number = |key: &str| value.get(key).and_then(Value::as_u64);
        ensure!(number("length") != Some(0), "it splits into pieces of 0");
        // The library cuts from the end of an empty token too, and panics.
        ensure!(number("stop").unwrap_or(0) == 0, "it strips the end of tokens");
        let copies = ["single", "pair"].map(|key| {
            let pieces = value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            pieces.iter().filter(|piece| piece.get("Sequence").is_some()).count()
        });
        self.copies = self.copies.saturating_mul(copies.into_iter().max().unwrap_or(0).max(1));
        ensure!(self.copies <= MOST_COPIES, "it repeats a text {} times", self.copies);
        self.grow(match kind {
            "ByteLevel" | "BertNormalizer" => 2,
            "NFD" => 3,
            "Metaspace" => 4,
            // One letter of Arabic becomes eleven times as long.
            "NFKD" | "NFKC" => 11,
            _ => 1,
        })
    }

    /// A pattern, and the bytes that are put in place of what it matches.
    fn pattern(&mut self, pattern: &Value, content: usize) -> Result<()> {
        self.patterns += 1;
        ensure!(self.patterns <= MOST_PATTERNS, "it has more than {MOST_PATTERNS} patterns");
        let expression = pattern.get("Regex").and_then(Value::as_str).unwrap_or_default();
        ensure!(
            repetitions(expression) <= MOST_REPETITIONS,
            "its pattern repeats more than {MOST_REPETITIONS} times"
        );
        // A regular expression may match nothing at all, between any two characters.
        let matched = pattern.get("String").or(Some(pattern)).and_then(Value::as_str).map_or(0, str::len);
        self.grow(if matched == 0 { content + 1 } else { content.div_ceil(matched).max(1) })
    }

    fn grow(&mut self, times: usize) -> Result<()> {
        self.growth = self.growth.saturating_mul(times);
        ensure!(self.growth <= MOST_GROWTH, "it may make a text more than {MOST_GROWTH} times as long");
        Ok(())
    }
}

/// The product of all counts in braces (`a{3}`, `a{2,30}`), but those that name a character (`\x{3000}`).
fn repetitions(expression: &str) -> usize {
    let mut product = 1_usize;
    for (at, _) in expression.match_indices('{') {
        let before = expression.get(..at).unwrap_or_default();
        let inside =
            expression.get(at + 1..).and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
        let is_character = ["\\x", "\\u", "\\U", "\\p", "\\P"].iter().any(|escape| before.ends_with(escape));
        let counts = inside.split(',').map(|count| count.trim().parse::<usize>());
        if let Some(most) = counts.filter_map(Result::ok).max().filter(|_| !is_character) {
            product = product.saturating_mul(most.max(1));
        }
    }
    product
}
