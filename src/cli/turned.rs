//! `-tag:x`, which turns a term of a filter round, told from an option.

use std::ffi::OsString;

/// The words of a command line; in those of `dojo data`, whose filters are words of their own, `-tag:x`, `-"a phrase"`
/// and `-/an expression/` become `NOT ...`, which means the same and looks like no option.
pub(super) fn spelt_out(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let words: Vec<OsString> = words.collect();
    if words.get(1).is_none_or(|command| command != "data") {
        return words;
    }
    words
        .into_iter()
        .map(|word| word.to_str().and_then(turned).map_or_else(|| word.clone(), OsString::from))
        .collect()
}

fn turned(word: &str) -> Option<String> {
    let term = word.strip_prefix('-')?;
    let name = term.find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '.'));
    let is_term = match name {
        // Options of one letter may have a value behind it.
        Some(at @ 2..) => term[at..].starts_with([':', '<', '>', '=']),
        Some(0) => term.starts_with(['"', '/', '(']),
        _ => false,
    };
    is_term.then(|| format!("NOT {term}"))
}
