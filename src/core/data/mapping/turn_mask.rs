//! Keys of a turn that say whether it is learnt, under other names than a weight's: obeyed where they say yes or no, and
//! refused by name where they can't be.

use serde_json::Value;

use super::beside::is_nothing;
use super::excluded::leaves_out;
use super::masks::{NOT_LEARNT_BY, OF_TURNS};
use super::turn_weights::give_no_weight;
use super::verdicts::finds_wrong;
use super::words::{is_any, snake, yes_or_no};
use crate::domain::message::{Message, Role, WEIGHTS};

/// Keys of a turn alone that say by yes that it is learnt: as a column they may say anything of a row.
const LEARNT_IF: [&str; 10] = [
    "is_target",
    "supervised",
    "is_supervised",
    "requires_grad",
    "is_learnt",
    "is_learned",
    "to_learn",
    "to_train",
    "trained",
    "is_trained",
];
/// Keys of a turn alone that say by yes that it isn't learnt.
const NOT_LEARNT_IF: [&str; 7] =
    ["context_only", "is_context", "prompt_only", "not_trained", "frozen", "is_frozen", "unsupervised"];
/// Of which a yes may mean either, and those that are about parts of a turn.
const UNCLEAR: [&str; 5] = ["train_detail", "mask", "masks", "loss_scale", "token_weights"];
/// Words in names of keys that are about what is learnt.
pub(super) const WORDS: [&str; 9] =
    ["loss", "mask", "masked", "train", "trained", "trainable", "learn", "learnt", "learned"];

/// Whether a key by that name says whether a turn is learnt, or which of its tokens are.
pub(super) fn is_mask(name: &str) -> bool {
    let is = |names: &[&str]| is_any(names, name);
    !is(&WEIGHTS) && (asks(name) || is(&NOT_LEARNT_BY) || is(&NOT_LEARNT_IF) || is(&UNCLEAR))
}

/// Whether a yes under that name asks that the turn be learnt.
fn asks(name: &str) -> bool {
    is_any(&OF_TURNS, name) || is_any(&LEARNT_IF, name)
}

/// Whether the turn is learnt, where a key says so.
///
/// # Errors
/// Names a key that can't be obeyed.
pub(super) fn mask(name: &str, value: &Value) -> Result<Option<bool>, String> {
    if is_nothing(value) || WEIGHTS.contains(&name) {
        return Ok(None);
    }
    let is = |names: &[&str]| is_any(names, name);
    let may_mask = || {
        let lower = snake(name);
        let is_plain = value.is_boolean() || value.is_number() && yes_or_no(value).is_some();
        is_plain && lower.split(['_', '-']).any(|word| WORDS.contains(&word))
    };
    let told = yes_or_no(value).filter(|_| !is(&UNCLEAR));
    match told {
        Some(told) if asks(name) => Ok(Some(told)),
        Some(told) if is(&NOT_LEARNT_BY) || is(&NOT_LEARNT_IF) => Ok(Some(!told)),
        _ if is_mask(name) || may_mask() || leaves_out(name, value) || finds_wrong(name, value) => {
            Err(format!(
                "has {name:?}, and a turn can only be learnt as a whole or not at all; say which with weight 1 or 0"
            ))
        }
        _ => Ok(None),
    }
}

/// Gives a turn no weight where its keys say so.
///
/// # Errors
/// Where they contradict each other or the turn's weight, or ask to learn what nobody learns.
pub(super) fn obey(message: &mut Message, told: &[(&str, bool)]) -> Result<(), String> {
    let Some((first, is_learnt)) = told.first().copied() else { return Ok(()) };
    if let Some((other, _)) = told.iter().find(|(_, other)| *other != is_learnt) {
        return Err(format!(
            "is to be learnt by one of {first:?} and {other:?}, and not by the other; keep one"
        ));
    }
    let weighed = WEIGHTS.into_iter().find(|key| message.extra.contains_key(*key));
    if let Some(weight) = weighed.filter(|_| message.is_learnt() != is_learnt) {
        return Err(format!(
            "is to be learnt by one of {first:?} and {weight:?}, and not by the other; keep one"
        ));
    }
    if is_learnt && asks(first) && message.role != Role::Assistant {
        let who = message.role.name();
        return Err(format!(
            "asks with {first:?} to learn what the {who} says; only the assistant's turns are"
        ));
    }
    if !is_learnt && weighed.is_none() {
        give_no_weight(message, first);
    }
    Ok(())
}
