//! Marks of turns and texts in what is said that are no tokens of the model there: they are learnt letter by letter.

use std::sync::LazyLock;

use regex::Regex;

use crate::data::control::Controls;
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;

/// Marks of common models: `<|eot_id|>`, `</s>`, `[INST]`, `<start_of_turn>`, ...
static COMMON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let common = r"(?x)
        <[|｜][A-Za-z_▁0-9]+[|｜]> | <\|turn> | <turn\|> | </?s> | <</?SYS>>
        | <(?: bos | eos | pad | unk | sop | eop | start_of_turn | end_of_turn | end_of_utterance | reserved_\d+ )>
        | \[/?(?: INST | SYSTEM_PROMPT | AVAILABLE_TOOLS | TOOL_RESULTS )\] | \[(?: TOOL_CALLS | gMASK )\]";
    Regex::new(common).ok()
});
/// Names that one sentence tells.
const TOLD: usize = 3;

/// The names of common models' marks in a text, each once.
pub(in crate::data) fn common(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for found in COMMON.iter().flat_map(|common| common.find_iter(text)) {
        if !names.iter().any(|name| name == found.as_str()) {
            names.push(found.as_str().to_owned());
        }
    }
    names
}

/// Of these, those that are no tokens of a model.
pub(in crate::data) fn foreign(text: &str, is_token: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names = common(text);
    names.retain(|name| !is_token(name));
    names
}

/// The marks in a record's texts that are learnt as letters: those of other models, and the model's own in what somebody
/// says, but for those that it writes itself.
pub(in crate::data) fn letters(
    record: &Record,
    controls: &Controls,
    is_token: impl Fn(&str) -> bool,
    is_written: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut turns = record.turns().peekable();
    let Some(_) = turns.peek() else {
        return foreign(record.text.as_deref().unwrap_or_default(), is_token);
    };
    let said = |turn: &Message| {
        let text = turn.text();
        let is_text = |name: &String| turn.role != Role::Assistant || !is_written(name);
        let own: Vec<String> = controls.names(&text).into_iter().filter(is_text).collect();
        own.into_iter().chain(foreign(&text, &is_token)).collect::<Vec<_>>()
    };
    let mut names: Vec<String> = Vec::new();
    for name in turns.flat_map(said) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The control tokens in a text that is learnt as it stands: there they are tokens, whoever wrote them.
pub(in crate::data) fn tokens_of_text(record: &Record, controls: &Controls) -> Vec<String> {
    let is_text = record.turns().next().is_none();
    let text = record.text.as_deref().filter(|_| is_text);
    text.map(|text| controls.names(text)).unwrap_or_default()
}

/// The first of some names.
pub(in crate::data) fn told(names: &[String]) -> String {
    let first = names.get(..TOLD).unwrap_or(names);
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// In a sentence, of so many examples: the place of the first and its marks.
pub(in crate::data) fn learnt_as_letters(count: usize, all: usize, place: &str, names: &[String]) -> String {
    format!(
        "marks of turns stand in the texts of {count} of {all} examples and are learnt as letters, since they are no \
         control tokens there; if they are to mark turns, take them out and give the turns without them (the chat template \
         writes its own); the first is {place}: {}",
        told(names)
    )
}

/// In a sentence, of so many examples: the place of the first that is a text with control tokens, and these.
pub(in crate::data) fn learnt_as_tokens(count: usize, all: usize, place: &str, names: &[String]) -> String {
    format!(
        "control tokens stand in the texts of {count} of {all} examples that are learnt as they stand, and are learnt as \
         tokens with all that is between them; give turns instead of a text if only the answers are to be learnt, or if \
         they should be letters; the first is {place}: {}",
        told(names)
    )
}
