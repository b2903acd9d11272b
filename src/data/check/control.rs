//! Names of control tokens in what somebody says.

use std::sync::LazyLock;

use regex::Regex;

use super::Check;
use crate::data::control::Controls;
use crate::domain::message::Message;
use crate::domain::record::Record;

/// Control tokens of common models, for a check without a model's tokenizer.
static COMMON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let common =
        r"<[|｜][A-Za-z_▁0-9]+[|｜]>|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|\[/?INST\]";
    Regex::new(common).ok()
});
/// Names that one finding tells.
const TOLD: usize = 3;

pub(super) fn check(record: &Record, controls: Option<&Controls>, find: &mut impl FnMut(Check, String)) {
    let pair = record.preference.iter().flat_map(|pair| pair.chosen.iter().chain(&pair.rejected));
    for (turn, number) in record.messages.iter().chain(pair).zip(1..) {
        let mut names = names(turn, controls);
        if names.is_empty() {
            continue;
        }
        let more = names.len().saturating_sub(TOLD);
        names.truncate(TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = format!(
            "turn {number} ({}) has {}{more} in its text; training reads it as text and not as a control token",
            turn.role.name(),
            names.join(", ")
        );
        find(Check::ControlToken, what);
    }
}

fn names(turn: &Message, controls: Option<&Controls>) -> Vec<String> {
    let text = turn.text();
    if let Some(controls) = controls {
        return controls.names(&text);
    }
    let mut names: Vec<String> = Vec::new();
    for found in COMMON.iter().flat_map(|common| common.find_iter(&text)) {
        if !names.iter().any(|name| name == found.as_str()) {
            names.push(found.as_str().to_owned());
        }
    }
    names
}
