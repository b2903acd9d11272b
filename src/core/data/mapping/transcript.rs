//! Conversations in one text, as Anthropic's hh-rlhf has them: `Human:` and `Assistant:` begin a turn behind an empty line.

use serde_json::{Value, json};

const SPEAKERS: [(&str, &str); 2] = [("Human:", "user"), ("Assistant:", "assistant")];

/// The turns of a text that begins with what a human says and goes on with an assistant's answer. `None` of any other
/// text, and where somebody but the last speaker says nothing.
pub(super) fn turns(text: &str) -> Option<Vec<Value>> {
    let text = text.trim_start();
    text.strip_prefix("Human:")?;
    // Each place where a turn begins, behind the speaker's name.
    let begins = |at: usize| {
        let rest = text.get(at..)?;
        SPEAKERS
            .iter()
            .find(|(name, _)| rest.starts_with(name))
            .map(|(name, role)| (at, at + name.len(), *role))
    };
    let behind_gaps = text.match_indices("\n\n").map(|(at, gap)| at + gap.len());
    let turns: Vec<(usize, usize, &str)> = std::iter::once(0).chain(behind_gaps).filter_map(begins).collect();
    let ends = turns.iter().skip(1).map(|(at, ..)| *at).chain([text.len()]);
    let said: Vec<(&str, &str)> = turns
        .iter()
        .zip(ends)
        .map(|((_, from, role), end)| (*role, text.get(*from..end).unwrap_or_default().trim()))
        .collect();
    let (_, earlier) = said.split_last()?;
    let is_whole = earlier.iter().all(|(_, said)| !said.is_empty());
    let is_answered = said.iter().any(|(role, _)| *role == "assistant");
    (is_whole && is_answered)
        .then(|| said.iter().map(|(role, said)| json!({"role": role, "content": said})).collect())
}
