//! Whether a text only gives back what its prompt said: small models copy an example as readily as they reason.

use std::collections::HashSet;

use crate::domain::message::{Message, Role};

/// Words in a run. Four in a row are seldom shared by chance.
const RUN: usize = 4;
/// A text with fewer runs is too short to tell.
const FEWEST_RUNS: usize = 3;

/// Whether at least half of a text's runs of words stand in the instructions or the examples. What is asked about, the
/// last turn of the user, may be repeated: a judge looks at that, and so does the reviewer.
pub(super) fn echoes(text: &str, asked: &[Message]) -> bool {
    let question = asked.iter().rposition(|turn| turn.role == Role::User);
    let prompt: HashSet<Vec<String>> =
        asked.iter().take(question.unwrap_or_default()).flat_map(|turn| runs(&turn.content)).collect();
    let own = runs(text);
    let shared = own.iter().filter(|run| prompt.contains(*run)).count();
    own.len() >= FEWEST_RUNS && 2 * shared >= own.len()
}

/// Words in lower case, without the names of the steps, which every answer has.
fn runs(text: &str) -> Vec<Vec<String>> {
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !word.chars().all(|letter| letter.is_ascii_digit()))
        .map(str::to_lowercase)
        .filter(|word| word != "step")
        .collect();
    words.windows(RUN).map(<[String]>::to_vec).collect()
}
