//! Columns that say which of a row's turns are learnt, or which of its tokens: obeyed where they give each turn a weight,
//! and refused by name where a turn can't be learnt so.

use serde_json::{Value, json};

use super::apply::Row;
use super::beside::{opened, weigh_row};
use super::turn::learnt;
use crate::domain::message::{Message, Role, WEIGHTS};
use crate::domain::record::Record;

/// Columns with a weight for each turn: more than 0 is learnt. All of them may also say of the row as a whole.
const OF_TURNS: [&str; 26] = [
    "weights",
    "turn_weights",
    "loss_weights",
    "message_weights",
    "weight",
    "loss_weight",
    "train",
    "training",
    "trainable",
    "loss",
    "loss_mask",
    "loss_masks",
    "train_mask",
    "train_masks",
    "training_mask",
    "turn_mask",
    "turn_masks",
    "train_on_turn",
    "train_on_turns",
    "train_turns",
    "learn",
    "is_train",
    "is_training",
    "supervise",
    "calculate_loss",
    "trainable_turns",
];
/// Columns of which a 1 may mean either, and those that are about tokens.
const UNCLEAR: [&str; 21] = [
    "mask",
    "masks",
    "masked",
    "is_masked",
    "ignore",
    "completion_mask",
    "completion_masks",
    "assistant_mask",
    "assistant_masks",
    "assistant_tokens_mask",
    "response_mask",
    "target_mask",
    "label_mask",
    "labels_mask",
    "prompt_mask",
    "token_weights",
    "tokens_mask",
    "loss_scale",
    "train_detail",
    "tokens_weights",
    "special_tokens_mask",
];
/// Settings of other trainers, with the value that is what happens here.
const SETTINGS: [(&str, bool); 12] = [
    ("train_on_input", false),
    ("train_on_inputs", false),
    ("train_on_prompt", false),
    ("train_on_source", false),
    ("learn_prompt", false),
    ("mask_history", false),
    ("train_last_turn_only", false),
    ("last_turn_only", false),
    ("mask_input", true),
    ("mask_inputs", true),
    ("mask_prompt", true),
    ("completion_only_loss", true),
];
/// The tokens of other trainers, of which -100 are not learnt.
const LABELS: [&str; 3] = ["labels", "label_ids", "target_ids"];
const NOT_LEARNT: i64 = -100;

impl Row<'_> {
    /// Gives turns the weights that a column has for them.
    ///
    /// # Errors
    /// Names the column that can't be obeyed.
    pub(super) fn mask(&self, record: &mut Record) -> Result<(), String> {
        for (name, usual) in SETTINGS {
            let told = self.beside(name).map(|(column, value)| (column, learnt(&opened(value))));
            if let Some((column, Some(told))) = told.filter(|(_, told)| *told != Some(usual)) {
                return Err(format!(
                    "column {column:?} is {told}, and what the assistant says is learnt, of all its turns; give turns a \
                     \"weight\" of 0 or 1 instead"
                ));
            }
        }
        for name in UNCLEAR {
            let told = self.beside(name).map(|(column, value)| (column, opened(value)));
            if let Some((column, _)) = told.filter(|(_, value)| is_mask(value)) {
                return Err(format!(
                    "column {column:?} masks what is learnt, and turns are learnt as a whole or not at all; give turns a \
                     \"weight\" of 0 or 1 instead, or the column another name if it is about something else"
                ));
            }
        }
        for (column, value) in LABELS.into_iter().filter_map(|name| self.beside(name)) {
            let not_learnt = |label: &Value| label.as_i64() == Some(NOT_LEARNT);
            if opened(value).as_array().is_some_and(|labels| labels.iter().any(not_learnt)) {
                return Err(format!(
                    "column {column:?} says which tokens are learnt ({NOT_LEARNT} are not), and turns are learnt as a \
                     whole or not at all; give turns a \"weight\" of 0 or 1 instead"
                ));
            }
        }
        for name in OF_TURNS {
            let Some((column, value)) = self.beside(name).map(|(column, value)| (column, opened(value)))
            else {
                continue;
            };
            match &value {
                // Losses that are numbers were measured.
                Value::Array(weights) if name == "loss" && !weights.iter().all(Value::is_boolean) => {}
                Value::Array(weights) if is_list_of_weights(&value) => {
                    weigh_turns(record, column, weights).map_err(|reason| {
                        format!(
                            "column {column:?} {reason}; give the column another name if it is about something else"
                        )
                    })?;
                }
                // Of the row as a whole: the others are for whoever weighs rows.
                Value::Bool(_) | Value::Number(_) if !WEIGHTS.contains(&name) => {
                    weigh_row(record, column, &value)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a value may be a weight for each turn.
pub(super) fn is_list_of_weights(value: &Value) -> bool {
    value.is_array() && is_mask(value)
}

/// Whether a value can be a mask: numbers or truths, or lists of them.
fn is_mask(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(|item| item.is_null() || is_mask(item)),
        Value::Null | Value::String(_) | Value::Object(_) => false,
    }
}

/// One weight for each turn; a system turn of a column of its own may have none.
fn weigh_turns(record: &mut Record, column: &str, weights: &[Value]) -> Result<(), String> {
    if record.messages.is_empty() || record.preference.is_some() {
        return Err(
            "has a list of weights, and the row is no conversation whose turns could have them".into()
        );
    }
    let count = record.messages.len();
    let begins_with_system = record.messages.first().is_some_and(|turn| turn.role == Role::System);
    let before = match count.checked_sub(weights.len()) {
        Some(0) => 0,
        Some(1) if begins_with_system => 1,
        _ => return Err(format!("has {} weights, and there are {count} turns", weights.len())),
    };
    let is_weight = column.to_ascii_lowercase().contains("weight");
    for ((turn, weight), number) in record.messages.iter_mut().skip(before).zip(weights).zip(before + 1..) {
        let is_learnt = match weight {
            Value::Null => continue,
            weight => learnt(weight).ok_or_else(|| {
                format!(
                    "has the weight {weight} for turn {number}; a turn is learnt (1, true) or not (0, false)"
                )
            })?,
        };
        match turn.role {
            Role::Assistant if is_learnt && !turn.is_learnt() => {
                return Err(format!("says that turn {number} is learnt, and the turn itself that it isn't"));
            }
            Role::Assistant if !is_learnt => give_no_weight(turn),
            Role::System | Role::Developer | Role::User | Role::Tool if is_learnt && !is_weight => {
                let who = turn.role.name();
                return Err(format!(
                    "asks to learn what the {who} says in turn {number}; only the assistant's turns are"
                ));
            }
            Role::Assistant | Role::System | Role::Developer | Role::User | Role::Tool => {}
        }
    }
    Ok(())
}

pub(super) fn give_no_weight(turn: &mut Message) {
    turn.extra.insert(WEIGHTS[0].to_owned(), json!(0));
}
