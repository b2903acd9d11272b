//! Words and signs by which people and programs say that a value is missing.

use crate::domain::unseen::is_unseen;

/// In small letters, without what stands around them and between their parts.
const WORDS: [&str; 25] = [
    "nan",
    "qnan",
    "1#qnan",
    "1#ind",
    "nat",
    "nil",
    "none",
    "null",
    "na",
    "nd",
    "undefined",
    "missing",
    "empty",
    "blank",
    "tbd",
    "tba",
    "tbc",
    "todo",
    "placeholder",
    "notavailable",
    "notapplicable",
    "nodata",
    "novalue",
    "noanswer",
    "noinput",
];
/// Signs of which nothing else is there: dashes, points, question marks.
const SIGNS: [char; 9] = ['-', '_', '.', '?', '\u{2026}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];
/// What stands around such a word.
const AROUND: [char; 12] = ['<', '>', '(', ')', '[', ']', '{', '}', '"', '\'', '`', '#'];
/// Bytes of a text that may be one.
const LONGEST: usize = 24;

/// Whether a text may stand for a value that is missing.
pub(in crate::data) fn is_missing(text: &str) -> bool {
    let text = text.trim();
    if let Some(inside) = between_tags(text) {
        return is_unseen(inside) || is_missing(inside);
    }
    if text.is_empty() || text.len() > LONGEST {
        return false;
    }
    // As spreadsheets write what they can't compute, and databases what isn't there.
    let is_error = text.starts_with('#') && text.ends_with(['!', '?']) && text.len() > 2;
    if is_error || text == "\\N" || text.chars().all(|sign| SIGNS.contains(&sign)) {
        return true;
    }
    let inside = text.trim_matches(AROUND);
    let is_between = |sign: char| matches!(sign, '.' | '/' | '\\' | '_' | '-' | ' ');
    let plain: String = inside.chars().filter(|sign| !is_between(*sign)).collect();
    let plain = plain.to_ascii_lowercase();
    WORDS.contains(&plain.as_str())
}

/// What stands between the two tags around all of a text: `<answer>nan</answer>`.
fn between_tags(text: &str) -> Option<&str> {
    let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_name =
        !name.is_empty() && name.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, '_' | '-'));
    let inside = rest.strip_suffix('>')?.strip_suffix(name)?.strip_suffix("</")?;
    is_name.then_some(inside)
}
