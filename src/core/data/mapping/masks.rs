//! Columns that say which of a row's turns are learnt, or which of its tokens: obeyed where they give each turn a weight,
//! and refused by name where a turn can't be learnt so.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::apply::MappedRow;
use super::beside::{ROW_WEIGHTS, opened, weigh_row};
use super::leave_out;
use super::per_turn::speaks;
use super::turn_weights::{give_no_weight, is_weight, weigh_turns};
use super::words::{LearntTurns, is_any, yes_or_no};
use crate::data::rows::kind_of;
use crate::domain::message::{Role, WEIGHTS};
use crate::domain::record::Record;

/// Columns with a weight for each turn: more than 0 is learnt. All of them may also say of the row as a whole.
pub(super) const OF_TURNS: [&str; 41] = [
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
    "train_on",
    "train_on_turn",
    "train_on_turns",
    "train_turns",
    "learn",
    "is_train",
    "is_training",
    "supervise",
    "calculate_loss",
    "trainable_turns",
    "compute_loss",
    "calc_loss",
    "apply_loss",
    "with_loss",
    "has_loss",
    "include_loss",
    "include_in_loss",
    "use_in_loss",
    "is_trainable",
    "learnable",
    "is_learnable",
    "should_train",
    "should_learn",
    "do_train",
];
/// Of these, those that say of a row as a whole which split it is of.
const OF_SPLITS: [&str; 2] = ["is_train", "is_training"];
/// Columns that say by yes that nothing is learnt. A no says nothing.
pub(super) const NOT_LEARNT_BY: [&str; 10] = [
    "masked",
    "is_masked",
    "ignore",
    "ignored",
    "no_loss",
    "skip_loss",
    "without_loss",
    "exclude_from_loss",
    "no_train",
    "not_trainable",
];
/// Columns of which a 1 may mean either, and those that are about tokens.
const UNCLEAR: [&str; 18] = [
    "mask",
    "masks",
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
const SETTINGS: [(&str, bool); 32] = [
    ("train_on_last_only", false),
    ("train_on_last", false),
    ("train_on_last_turn", false),
    ("train_on_last_turn_only", false),
    ("train_last_only", false),
    ("train_only_last", false),
    ("only_last_turn", false),
    ("last_only", false),
    ("train_on_prompts", false),
    ("train_on_user", false),
    ("train_on_system", false),
    ("train_on_all", false),
    ("train_on_tools", false),
    ("train_on_assistant", true),
    ("train_on_assistant_only", true),
    ("train_on_completion", true),
    ("train_on_completions", true),
    ("train_on_completions_only", true),
    ("train_on_responses_only", true),
    ("assistant_only_loss", true),
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
/// How the names of such settings begin, also of those that aren't known here.
const BEGINNINGS: [&str; 6] =
    ["train_on_", "train_only_", "only_train_", "loss_on_", "loss_only_", "learn_only_"];
/// The tokens of other trainers, of which -100 are not learnt.
const LABELS: [&str; 3] = ["labels", "label_ids", "target_ids"];
const NOT_LEARNT: i64 = -100;

/// The names of all columns that are read here, in small letters: most rows have none of them.
static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let settings = SETTINGS.iter().map(|(name, _)| name);
    let lists: [&[&str]; 6] = [&OF_TURNS, &NOT_LEARNT_BY, &UNCLEAR, &LABELS, &WEIGHTS, &ROW_WEIGHTS];
    lists.into_iter().flatten().chain(settings).copied().collect()
});

/// Names are no longer.
const LONGEST: usize = 40;

/// Whether a column by that name may say what of a row is learnt.
pub(super) fn speaks_of_learning(name: &str) -> bool {
    if !(4..=LONGEST).contains(&name.len()) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    NAMES.contains(name.as_str()) || BEGINNINGS.iter().any(|begin| name.starts_with(begin)) || speaks(&name)
}

/// Whether a column by that name is read here.
pub(super) fn is_known(name: &str) -> bool {
    name.len() <= LONGEST && NAMES.contains(name.to_ascii_lowercase().as_str())
}

impl MappedRow<'_> {
    /// Gives turns the weights that a column has for them.
    ///
    /// # Errors
    /// Names the column that can't be obeyed.
    pub(super) fn mask(&self, record: &mut Record) -> Result<(), String> {
        self.check_settings()?;
        self.check_per_turn(record.messages.len())?;
        for name in UNCLEAR {
            let told = self.beside(name).map(|(column, value)| (column, opened(value)));
            if let Some((column, _)) = told.filter(|(_, value)| is_mask(value) || is_mask_by_word(value)) {
                return Err(unclear(column));
            }
        }
        for (column, value) in NOT_LEARNT_BY.into_iter().filter_map(|name| self.beside(name)) {
            let value = opened(value);
            match yes_or_no(&value) {
                Some(true) => weigh_row(record, column, &Value::Bool(false))?,
                None if is_mask(&value) || is_mask_by_word(&value) => return Err(unclear(column)),
                Some(false) | None => {}
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
                            "column {column:?} {reason}; if it is about something else, {}",
                            leave_out(column)
                        )
                    })?;
                }
                Value::Array(_) | Value::Object(_) | Value::Null => {}
                // Of the row as a whole: the others are for whoever weighs rows, and for splits.
                _ if WEIGHTS.contains(&name) || OF_SPLITS.contains(&name) => {}
                _ => weigh_by(record, column, &value)?,
            }
        }
        Ok(())
    }
}

impl MappedRow<'_> {
    /// Fails where a setting of another trainer, or a column whose name begins as those do, asks for something else than
    /// what happens here.
    fn check_settings(&self) -> Result<(), String> {
        for (name, usual) in SETTINGS {
            let Some((column, value)) = self.beside(name) else { continue };
            let by_word = || value.as_str().is_some_and(|text| LearntTurns::of(text).is_some());
            let is_odd = yes_or_no(value).map_or_else(by_word, |told| told != usual);
            if is_odd {
                let told = value.as_str().map_or_else(|| value.to_string(), str::to_ascii_lowercase);
                return Err(format!(
                    "column {column:?} is {told}, and what the assistant says is learnt, of all its turns; give turns a \
                     \"weight\" of 0 or 1 instead; if it is about something else, {}",
                    leave_out(column)
                ));
            }
        }
        let known = |name: &str| {
            SETTINGS.iter().any(|(own, _)| is_any(&[own], name))
                || is_any(&OF_TURNS, name)
                || is_any(&UNCLEAR, name)
        };
        let asks = |(name, value): &(&String, &Value)| {
            let is_plain = matches!(value, Value::Bool(_) | Value::String(_));
            let begins =
                |begin: &&str| name.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin));
            is_plain
                && BEGINNINGS.iter().any(begins)
                && yes_or_no(value) == Some(true)
                && !known(name)
                && !self.mapping.takes(name)
        };
        match self.fields.iter().find(asks) {
            Some((column, _)) => Err(format!(
                "column {column:?} says what is learnt, and here that is what the assistant says, of all its turns; give \
                 turns a \"weight\" of 0 or 1 instead; if it is about something else, {}",
                leave_out(column)
            )),
            None => Ok(()),
        }
    }
}

fn unclear(column: &str) -> String {
    format!(
        "column {column:?} masks what is learnt, and turns are learnt as a whole or not at all; give turns a \"weight\" of \
         0 or 1 instead; if it is about something else, {}",
        leave_out(column)
    )
}

/// Whether a word says what is masked; that nothing is says nothing.
fn is_mask_by_word(value: &Value) -> bool {
    let words = match value {
        Value::String(text) => LearntTurns::of(text),
        Value::Array(items) => items.iter().find_map(|item| LearntTurns::of(item.as_str()?)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    words.is_some_and(|turns| turns != LearntTurns::None)
}

/// Gives the answers what a column says of the row as a whole: yes or no, or by a word which of them are learnt.
///
/// # Errors
/// Names the column, where it can't be obeyed.
pub(super) fn weigh_by(record: &mut Record, column: &str, value: &Value) -> Result<(), String> {
    if let Some(learnt) = yes_or_no(value) {
        return weigh_row(record, column, &Value::Bool(learnt));
    }
    match value {
        Value::String(text) => match LearntTurns::of(text) {
            None if is_weight(column) => Err(no_weight(column, value)),
            None | Some(LearntTurns::Assistant) => Ok(()),
            Some(LearntTurns::None) => weigh_row(record, column, &Value::Bool(false)),
            Some(LearntTurns::LastAnswer) => {
                let answers = record.messages.iter_mut().filter(|turn| turn.role == Role::Assistant);
                answers.rev().skip(1).for_each(|turn| give_no_weight(turn, column));
                Ok(())
            }
            Some(LearntTurns::Other) => Err(format!(
                "column {column:?} is {text:?}, and what the assistant says is learnt; give turns a \"weight\" of 0 or 1 \
                 instead; if it is about something else, {}",
                leave_out(column)
            )),
        },
        // A number of another kind is about something else, but for weights.
        Value::Number(number)
            if !is_weight(column) && number.as_f64().is_some_and(|n| !(0.0..1.0).contains(&n)) =>
        {
            Ok(())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(no_weight(column, value))
        }
    }
}

fn no_weight(column: &str, value: &Value) -> String {
    let held = if value.is_number() { value.to_string() } else { kind_of(value).to_owned() };
    format!(
        "column {column:?} holds {held}, and a row is learnt (1, true) or not (0, false); if it is about something else, {}",
        leave_out(column)
    )
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
