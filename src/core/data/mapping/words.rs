//! Yes and no, good and bad, and which turns are meant, as people write them into columns.

use serde_json::Value;

use super::marks::Mark;
use super::turn::learnt;

/// Objects about a row, which may say what its columns do.
pub(super) const ABOUT: [&str; 9] = [
    "metadata",
    "meta",
    "info",
    "extra_info",
    "judge",
    "evaluation",
    "annotation",
    "attributes",
    "properties",
];

/// Whether a name or word is one of several, in letters of any case and whatever stands between its parts: `is_correct`
/// is `isCorrect`, `Is Correct` and `Is correct?`.
pub(super) fn is_any(words: &[&str], word: &str) -> bool {
    words.iter().any(|own| is_same(own, word))
}

fn is_same(own: &str, word: &str) -> bool {
    // Most differ in the first letter.
    let first = |text: &str| text.bytes().next().map(|byte| byte.to_ascii_lowercase());
    first(own) == first(word) && letters(own).eq(letters(word))
}

fn letters(text: &str) -> impl Iterator<Item = u8> {
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' ' | b'?'));
    bytes.map(|byte| byte.to_ascii_lowercase())
}

/// A column's name as `snake_case`.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    let mut before = None::<char>;
    for sign in name.trim().trim_end_matches('?').chars() {
        if sign.is_ascii_uppercase() && before.is_some_and(|before| before.is_ascii_lowercase()) {
            snake.push('_');
        }
        snake.push(if matches!(sign, ' ' | '-') { '_' } else { sign.to_ascii_lowercase() });
        before = Some(sign);
    }
    snake
}

/// Words for an answer that isn't wanted, and for one that is, without what stands between their parts.
const BAD: [&str; 18] = [
    "undesirable",
    "undesired",
    "unwanted",
    "bad",
    "rejected",
    "reject",
    "dispreferred",
    "unpreferred",
    "thumbsdown",
    "dislike",
    "disliked",
    "downvote",
    "downvoted",
    "poor",
    "wrong",
    "incorrect",
    "notcorrect",
    "unacceptable",
];
const GOOD: [&str; 12] = [
    "desirable",
    "desired",
    "wanted",
    "good",
    "chosen",
    "accepted",
    "preferred",
    "thumbsup",
    "like",
    "upvote",
    "right",
    "correct",
];
/// Words are no longer, so that texts are passed over at a glance.
const LONGEST: usize = 24;

/// The word of a judgement, without a reason that stands behind it: `rejected` of `rejected: too short`.
pub(super) fn head(text: &str) -> &str {
    let is_end = |sign: char| matches!(sign, ':' | ';' | ',' | '(' | '.' | '\n' | '\u{2013}' | '\u{2014}');
    let end = text.find(is_end).into_iter().chain(text.find(" - ")).min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim()
}

/// Whether a word says that an answer is wanted; `None` of any other text. A reason may stand behind it.
pub(super) fn wanted(word: &str) -> Option<bool> {
    let word = head(word);
    if word.len() > LONGEST {
        return None;
    }
    if let Some(said) = by_mark(word) {
        return Some(said);
    }
    let word = plain(word);
    let is = |words: &[&str]| words.contains(&word.as_str());
    if is(&BAD) { Some(false) } else { is(&GOOD).then_some(true) }
}

/// A word in small letters, without what stands between its parts.
fn plain(word: &str) -> String {
    word.trim().to_ascii_lowercase().replace(['-', '_', ' '], "")
}

/// Yes or no: true or false, 1 or 0, or a word for them.
pub(super) fn yes_or_no(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(_) | Value::Number(_) => learnt(value),
        Value::String(text) => {
            let is = |words: &[&str]| is_any(words, text.trim());
            match text.trim().len() {
                1..=5 if is(&["yes", "y", "t", "true", "1", "1.0"]) => Some(true),
                1..=5 if is(&["no", "n", "f", "false", "0", "0.0"]) => Some(false),
                _ => by_mark(text),
            }
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a mark says that means the same wherever it stands.
fn by_mark(text: &str) -> Option<bool> {
    match Mark::of(text)? {
        Mark::Tick => Some(true),
        Mark::Cross => Some(false),
        Mark::X => None,
    }
}

/// Words for what is kept as it is, beside yes and those for a good answer.
const KEPT: [&str; 28] = [
    "ok",
    "okay",
    "accept",
    "approve",
    "approved",
    "submitted",
    "submit",
    "done",
    "complete",
    "completed",
    "keep",
    "kept",
    "include",
    "included",
    "valid",
    "active",
    "enabled",
    "published",
    "final",
    "finished",
    "reviewed",
    "verified",
    "new",
    "pass",
    "passed",
    "success",
    "train",
    "assistant",
];

/// Whether a word lets a row be learnt as it is, wherever it stands.
pub(in crate::data) fn agrees(word: &str) -> bool {
    let value = Value::String(word.to_owned());
    yes_or_no(&value) == Some(true)
        || wanted(word) == Some(true)
        || is_any(&KEPT, head(word))
        || Mark::of(word) == Some(Mark::X)
}

/// Whether a word says no.
pub(in crate::data) fn is_no(word: &str) -> bool {
    yes_or_no(&Value::String(word.to_owned())) == Some(false)
}

/// Which turns a word means, in a column that says what is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LearntTurns {
    /// All that the assistant says.
    Assistant,
    LastAnswer,
    None,
    /// Something that can't be learnt alone, or more than the assistant's.
    Other,
}

impl LearntTurns {
    /// `None` of a text that is about something else.
    pub(super) fn of(text: &str) -> Option<Self> {
        let plain = plain(text);
        let plain = plain.strip_suffix("only").unwrap_or(&plain);
        match plain {
            "assistant" | "assistants" | "allassistant" | "assistantturns" | "completion" | "completions"
            | "response" | "responses" | "answer" | "answers" | "output" | "outputs" | "model" | "gpt"
            | "bot" => Some(Self::Assistant),
            "last" | "lastturn" | "lastassistant" | "lastanswer" | "lastresponse" | "lastmessage"
            | "final" | "finalturn" | "finalanswer" => Some(Self::LastAnswer),
            "none" | "nothing" | "null" | "off" | "never" => Some(Self::None),
            "all" | "full" | "everything" | "both" | "turn" | "turns" | "user" | "users" | "human"
            | "prompt" | "prompts" | "input" | "inputs" | "system" | "tool" | "tools" | "first" | "on"
            | "partial" | "some" => Some(Self::Other),
            _ => None,
        }
    }
}
