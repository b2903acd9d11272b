//! A conclusion that is nothing but a label's name: `Contradiction.`, `Label: 0`, `So the answer is **neutral**`.

use super::plain;

/// Words that may stand before a label that is given outright. Names in other words (`not`, `might`) end the reading.
const BEFORE: [&str; 18] = [
    "so",
    "thus",
    "hence",
    "therefore",
    "then",
    "the",
    "final",
    "correct",
    "my",
    "answer",
    "label",
    "conclusion",
    "result",
    "prediction",
    "relation",
    "class",
    "is",
    "verdict",
];

/// The label that the last sentence of a conclusion is, if it is nothing else, and what is said before it.
pub(super) fn bare_label<'c, 'n>(conclusion: &'c str, names: &'n [String]) -> Option<(&'n str, &'c str)> {
    let text = conclusion.trim_end();
    let body = text.trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter != '?');
    let ends =
        ["\n", ". ", "! ", "? ", "; "].iter().filter_map(|end| body.rfind(end).map(|at| at + end.len()));
    let begins = ends.max().unwrap_or(0);
    let (before, sentence) = (body.get(..begins)?, body.get(begins..)?);
    if sentence.ends_with('?') {
        return None;
    }
    let said = spoken(sentence);
    let mut words: Vec<&str> = said.split(' ').collect();
    loop {
        let rest = words.join(" ");
        let mut found = names.iter().filter(|name| spoken(name) == rest);
        if let Some(name) = found.next() {
            // Two names that read alike tell nothing apart.
            return found.next().is_none().then_some((name.as_str(), before));
        }
        let first = words.first()?;
        if !BEFORE.contains(first) {
            return None;
        }
        words.remove(0);
    }
}

/// In lower case, its words and numbers only: marks of emphasis, quotes and colons say nothing.
fn spoken(text: &str) -> String {
    let text = plain(text);
    let words = text.split(|letter: char| !letter.is_alphanumeric() && !"'.+-".contains(letter));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
