//! Names of control tokens in what somebody says.

use super::FindingKind;
use crate::data::encode::Encoder;
use crate::data::turn_marks::{common, foreign, told};
use crate::domain::message::Role;
use crate::domain::record::Record;

/// What becomes of another model's marks.
const OF_OTHERS: &str =
    "this model has no such token, so training reads its letters: take it out if it is to mark a turn";

pub(super) fn check(
    record: &Record,
    encoder: Option<&Encoder<'_>>,
    find: &mut impl FnMut(FindingKind, String),
) {
    for (turn, number) in record.turns().zip(1..) {
        let said = |names: &[String], how: &str| {
            format!("turn {number} ({}) has {} in its text; {how}", turn.role.name(), told(names))
        };
        let others = others(&turn.text(), encoder);
        if !others.is_empty() {
            find(FindingKind::ControlToken, said(&others, OF_OTHERS));
        }
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
    let others = others(whole.unwrap_or_default(), encoder);
    if !others.is_empty() {
        find(FindingKind::ControlToken, format!("the text has {}; {OF_OTHERS}", told(&others)));
    }
    let names = names(whole.unwrap_or_default(), encoder);
    if !names.is_empty() {
        let how =
            "training reads it as a control token; give turns instead of a text where it should be text";
        find(FindingKind::ControlToken, format!("the text has {}; {how}", told(&names)));
    }
}

fn names(text: &str, encoder: Option<&Encoder<'_>>) -> Vec<String> {
    encoder.map_or_else(|| common(text), |encoder| encoder.controls().names(text))
}

fn others(text: &str, encoder: Option<&Encoder<'_>>) -> Vec<String> {
    encoder.map(|encoder| foreign(text, |name| encoder.is_token(name))).unwrap_or_default()
}
