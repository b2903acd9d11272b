//! Names in a query: what a keyword line may not lose.

use super::text::{characters, lower};
use super::words::{KEY_TERM_STOPWORDS, QUERY_VERBS, split};

/// Signs around a word that are no part of it.
const AROUND: &[char] = &['.', ',', '!', '?', ':', ';', '(', ')', '[', ']', '"', '\''];
/// Signs within technical names: `node.js`, `c++`, `scikit-learn`, `c#`, `@angular`.
const WITHIN: &[char] = &['.', '+', '-', '#', '@'];

/// The entities of a query, lower-cased, each once.
pub(super) fn entities(query: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut after_name = false;
    for (index, word) in split(query).enumerate() {
        let word = word.trim_matches(AROUND);
        if word.is_empty() {
            after_name = false;
            continue;
        }
        let lowered = lower(word);
        let is_name = is_name(word, &lowered, index);
        let joins = after_name && !KEY_TERM_STOPWORDS.contains(lowered.as_str());
        if (is_name || joins) && !found.contains(&lowered) {
            found.push(lowered);
        }
        after_name = is_name;
    }
    found
}

fn is_name(word: &str, lowered: &str, index: usize) -> bool {
    let length = characters(word);
    let is_capital = word.chars().next().is_some_and(char::is_uppercase);
    let has_capitals = word.chars().any(char::is_uppercase);
    if length >= 2 && has_capitals && !word.chars().any(char::is_lowercase) {
        return true;
    }
    if is_capital && !KEY_TERM_STOPWORDS.contains(lowered) {
        return index > 0 || !QUERY_VERBS.contains(lowered);
    }
    if length >= 2 && word.contains(WITHIN) {
        return true;
    }
    length > 1 && is_capital && word.chars().skip(1).any(char::is_uppercase)
}
