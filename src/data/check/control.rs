//! Names of control tokens in what somebody says.

use std::sync::LazyLock;

use regex::Regex;

use super::FindingKind;
use crate::data::encode::Encoder;
use crate::domain::message::Role;
use crate::domain::record::Record;

/// Control tokens of common models, for a check without a model's tokenizer.
static COMMON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let common =
        r"<[|｜][A-Za-z_▁0-9]+[|｜]>|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|\[/?INST\]";
    Regex::new(common).ok()
});
/// Names that one finding tells.
const TOLD: usize = 3;

pub(super) fn check(
    record: &Record,
    encoder: Option<&Encoder<'_>>,
    find: &mut impl FnMut(FindingKind, String),
) {
    let pair = record.preference.iter().flat_map(|pair| pair.chosen.iter().chain(&pair.rejected));
    for (turn, number) in record.messages.iter().chain(pair).zip(1..) {
        let said = |names: &[String], how: &str| {
            format!("turn {number} ({}) has {} in its text; {how}", turn.role.name(), told(names))
        };
        let names = names(&turn.text(), encoder);
        let is_written = |name: &String| {
            turn.role == Role::Assistant && encoder.is_some_and(|encoder| encoder.is_written(name))
        };
        let (written, text): (Vec<String>, Vec<String>) = names.into_iter().partition(is_written);
        if !text.is_empty() {
            let how = "training reads it as text and not as a control token";
            find(FindingKind::ControlToken, said(&text, how));
        }
        if !written.is_empty() {
            let how =
                "training reads it as a control token, since the model marks its thoughts and calls with it";
            find(FindingKind::ControlToken, said(&written, how));
        }
    }
    // What is no turn is learnt as it stands.
    let whole = record.text.as_deref().filter(|_| record.messages.is_empty() && record.preference.is_none());
    let names = names(whole.unwrap_or_default(), encoder);
    if !names.is_empty() {
        let how =
            "training reads it as a control token; give turns instead of a text where it should be text";
        find(FindingKind::ControlToken, format!("the text has {}; {how}", told(&names)));
    }
}

/// The first of some names.
fn told(names: &[String]) -> String {
    let first = names.get(..TOLD).unwrap_or(names);
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn names(text: &str, encoder: Option<&Encoder<'_>>) -> Vec<String> {
    if let Some(encoder) = encoder {
        return encoder.controls().names(text);
    }
    let mut names: Vec<String> = Vec::new();
    for found in COMMON.iter().flat_map(|common| common.find_iter(text)) {
        if !names.iter().any(|name| name == found.as_str()) {
            names.push(found.as_str().to_owned());
        }
    }
    names
}
