//! Whether a conclusion says the hypothesis again, in the same words.

use super::cues;
use super::words::{ClauseKind, Relations, TextConclusion, clauses, is_condition, sentences, spoken};

/// Words that carry no meaning of their own in a hypothesis.
const EMPTY: [&str; 40] = [
    "a", "an", "the", "is", "are", "was", "were", "be", "been", "being", "has", "have", "had", "do", "does",
    "did", "of", "in", "on", "at", "to", "for", "with", "and", "or", "his", "her", "their", "its", "it",
    "he", "she", "they", "there", "some", "that", "this", "by", "as", "from",
];
/// What says that a sentence doesn't state its matter as a fact.
const HEDGES: [&str; 34] = [
    "may",
    "might",
    "could",
    "would",
    "should",
    "can",
    "possibly",
    "likely",
    "unlikely",
    "probably",
    "perhaps",
    "maybe",
    "possible",
    "if",
    "whether",
    "hypothesis",
    "premise",
    "say",
    "says",
    "said",
    "state",
    "states",
    "stated",
    "mention",
    "mentions",
    "mentioned",
    "claims",
    "suggests",
    "imply",
    "implies",
    "evidence",
    "information",
    "label",
    "necessarily",
];
const NEGATIONS: [&str; 7] = ["not", "no", "never", "none", "nobody", "nothing", "neither"];

/// Whether the last sentence of a conclusion says the hypothesis again, as a fact, or its negation.
pub(super) fn restated(conclusion: &str, hypothesis: &str) -> Option<TextConclusion> {
    let wanted = spoken(hypothesis);
    let carrying: Vec<&str> = content(&wanted);
    if carrying.len() < 2 || wanted.iter().any(|word| HEDGES.contains(&word.as_str())) {
        return None;
    }
    let last = sentences(conclusion).pop()?;
    let words = spoken(&last);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let parts = clauses(&words);
    if parts.iter().any(is_condition) {
        return None;
    }
    let stated = parts.into_iter().filter(|clause| clause.kind != ClauseKind::Aside);
    let part: Vec<String> = stated.flat_map(|clause| clause.words).map(|word| (*word).to_owned()).collect();
    if part.iter().any(|word| HEDGES.contains(&word.as_str())) {
        return None;
    }
    let own = content(&part);
    let found = carrying.iter().filter(|word| own.iter().any(|other| same(word, other))).count();
    // Nearly every word of it, and not much besides.
    if found * 5 < carrying.len() * 4 || own.len() > carrying.len() + 4 {
        return None;
    }
    let negations =
        |words: &[String]| words.iter().filter(|word| NEGATIONS.contains(&word.as_str())).count() % 2 == 1;
    let says = Relations::ENTAILMENT;
    Some(TextConclusion(if negations(&part) == negations(&wanted) { says } else { says.others() }))
}

fn content(words: &[String]) -> Vec<&str> {
    let own = words.iter().map(String::as_str);
    own.filter(|word| {
        !EMPTY.contains(word)
            && !NEGATIONS.contains(word)
            && !cues::CONCLUSIVE.contains(word)
            && word.starts_with(char::is_alphanumeric)
    })
    .collect()
}

/// The same word in another form: `boy` and `boys`, `sleep` and `sleeping`.
fn same(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let stem = short.strip_suffix('e').or_else(|| short.strip_suffix('s')).unwrap_or(short);
    short == long || (stem.len() >= 3 && long.starts_with(stem) && long.len() - stem.len() <= 4)
}
