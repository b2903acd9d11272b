//! A weight for each turn of a row, or for each of its answers.

use serde_json::{Value, json};

use super::turn::learnt;
use super::words::is_any;
use crate::domain::message::{Message, Role, WEIGHTS};
use crate::domain::record::Record;

/// Gives the turns the weights that a column has: one for each turn, where a system turn of a column of its own may have
/// none; or one for each of the assistant's.
///
/// # Errors
/// Says what of the weights can't be obeyed.
pub(super) fn weigh_turns(record: &mut Record, column: &str, weights: &[Value]) -> Result<(), String> {
    if record.messages.is_empty() || record.preference.is_some() {
        return Err(
            "has a list of weights, and the row is no conversation whose turns could have them".into()
        );
    }
    let count = record.messages.len();
    let answers = record.messages.iter().filter(|turn| turn.role == Role::Assistant).count();
    let begins_with_system = record.messages.first().is_some_and(|turn| turn.role == Role::System);
    let before = match count.checked_sub(weights.len()) {
        Some(0) => Some(0),
        Some(1) if begins_with_system => Some(1),
        Some(_) if weights.len() == answers => None,
        _ => return Err(format!("has {} weights, and there are {count} turns", weights.len())),
    };
    let numbered = record.messages.iter_mut().zip(1..);
    let weighed: Vec<(&mut Message, usize)> = match before {
        Some(before) => numbered.skip(before).collect(),
        None => numbered.filter(|(turn, _)| turn.role == Role::Assistant).collect(),
    };
    for ((turn, number), weight) in weighed.into_iter().zip(weights) {
        weigh(turn, number, column, weight)?;
    }
    Ok(())
}

fn weigh(turn: &mut Message, number: usize, column: &str, weight: &Value) -> Result<(), String> {
    if weight.is_null() {
        return Ok(());
    }
    let is_learnt = learnt(weight).ok_or_else(|| {
        format!("has the weight {weight} for turn {number}; a turn is learnt (1, true) or not (0, false)")
    })?;
    match turn.role {
        Role::Assistant if is_learnt && !turn.is_learnt() => {
            return Err(format!("says that turn {number} is learnt, and the turn itself that it isn't"));
        }
        Role::Assistant if !is_learnt => give_no_weight(turn, column),
        Role::System | Role::Developer | Role::User | Role::Tool if is_learnt && !is_weight(column) => {
            let who = turn.role.name();
            return Err(format!(
                "asks to learn what the {who} says in turn {number}; only the assistant's turns are"
            ));
        }
        Role::Assistant | Role::System | Role::Developer | Role::User | Role::Tool => {}
    }
    Ok(())
}

pub(super) fn is_weight(column: &str) -> bool {
    column.to_ascii_lowercase().contains("weight")
}

/// Gives a turn no weight, under the column's own name where turns have weights of that name.
pub(super) fn give_no_weight(turn: &mut Message, column: &str) {
    let own = WEIGHTS.into_iter().find(|key| *key != WEIGHTS[0] && is_any(&[key], column));
    match own {
        Some(key) => turn.extra.insert(key.to_owned(), json!(false)),
        None => turn.extra.insert(WEIGHTS[0].to_owned(), json!(0)),
    };
}
