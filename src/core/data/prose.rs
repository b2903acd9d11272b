//! Tells sentences and code that somebody may want learnt from names, dates, addresses and other notes about a row.
//! Knows no roles.

use serde_json::Value;

/// Words of a text that are looked at.
const LOOKED: usize = 64;
/// So many words of letters are a sentence.
const WORDS: usize = 4;
/// Of a language that writes no spaces, so many letters.
const LETTERS: usize = 8;
/// From here on scripts write words without spaces between them.
const WIDE: char = '\u{2E80}';
/// Items of a list that are looked at, and how deep lists and objects are.
const ITEMS: usize = 8;
const DEPTH: usize = 3;

/// The last words of names of columns that hold notes about a row.
const NOTES: [&str; 54] = [
    "id",
    "ids",
    "uuid",
    "guid",
    "url",
    "urls",
    "uri",
    "link",
    "links",
    "source",
    "sources",
    "src",
    "origin",
    "license",
    "licence",
    "licenses",
    "copyright",
    "citation",
    "homepage",
    "author",
    "authors",
    "annotator",
    "date",
    "time",
    "timestamp",
    "created",
    "updated",
    "modified",
    "lang",
    "language",
    "languages",
    "model",
    "models",
    "generator",
    "dataset",
    "domain",
    "category",
    "categories",
    "topic",
    "topics",
    "tag",
    "tags",
    "keywords",
    "version",
    "path",
    "file",
    "filename",
    "hash",
    "md5",
    "sha256",
    "email",
    "publisher",
    "location",
    "name",
];
/// Names whose whole value is about the row or the file.
const ABOUT: [&str; 8] =
    ["metadata", "meta", "info", "provenance", "config", "features", "schema", "extra_info"];
/// Names that promise something to learn, however short it is.
const PARTS: [&str; 22] = [
    "summary",
    "summaries",
    "highlights",
    "abstract",
    "code",
    "article",
    "passage",
    "passages",
    "document",
    "documents",
    "context",
    "contexts",
    "suffix",
    "prefix",
    "middle",
    "translation",
    "paraphrase",
    "corrected",
    "correction",
    "reference",
    "story",
    "system",
];

/// Whether a name is that of notes about a row.
pub(crate) fn is_note(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit(['_', '-', ' ', '.']).next().unwrap_or_default();
    ABOUT.contains(&name.as_str()) || NOTES.contains(&last)
}

/// Whether what a column or key of that name holds is something that may be meant to be learnt.
pub(crate) fn says(name: &str, value: &Value) -> bool {
    holds(name, value, DEPTH) && !is_note(name)
}

fn holds(name: &str, value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) if is_one_word(text) => false,
        Value::String(text) => is_prose(text) || is_text(text) && promises(name),
        Value::Array(_) | Value::Object(_) if depth == 0 => false,
        Value::Array(items) => items.iter().take(ITEMS).any(|item| holds(name, item, depth - 1)),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| !is_note(name) && holds(name, value, depth - 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The texts in a value that are learnt or not.
pub(crate) fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| !is_note(name)).for_each(|(_, value)| texts(value, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a text is one plain word or number, at a glance.
fn is_one_word(text: &str) -> bool {
    let has = |[a, b, c]: [u8; 3]| memchr::memchr3(a, b, c, text.as_bytes()).is_some();
    !has(*b" \n\t") && !has(*b"(=;") && !has(*b"{})") && text.is_ascii()
}

fn promises(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.split(['_', '-', ' ', '.']).any(|word| PARTS.contains(&word))
}

/// Whether a text is more than one word or number, and no structure or address.
fn is_text(text: &str) -> bool {
    let text = text.trim();
    let has_letters = text.chars().any(char::is_alphabetic);
    let is_whole = text.contains(|sign: char| sign.is_whitespace() || "(){};=".contains(sign))
        || text.chars().any(|sign| sign >= WIDE);
    has_letters && is_whole && !is_structure(text) && !is_address(text)
}

/// Whether a text is a sentence or more.
pub(crate) fn is_prose(text: &str) -> bool {
    let text = text.trim();
    if is_structure(text) || is_address(text) {
        return false;
    }
    let is_word = |word: &&str| word.chars().filter(|sign| sign.is_alphabetic()).take(2).count() == 2;
    let words = text.split_whitespace().take(LOOKED);
    let wide = || text.chars().filter(|sign| *sign >= WIDE && sign.is_alphabetic()).take(LETTERS).count();
    words.filter(is_word).take(WORDS).count() == WORDS || wide() == LETTERS
}

/// Whether a text is a list or an object that a program wrote.
fn is_structure(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}') || text.starts_with('[') && text.ends_with(']')
}

fn is_address(text: &str) -> bool {
    !text.contains(char::is_whitespace) && (text.contains("://") || text.starts_with("www."))
}
