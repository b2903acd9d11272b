//! An answer has one thought, and it is learnt between one pair of marks: those of the chat template.

use serde_json::Value;

use crate::domain::inline_thought::{leading, unmarked};
use crate::domain::message::{Message, Role, THOUGHTS};

/// Takes the marks off an answer's thoughts, and one of two that are the same.
///
/// # Errors
/// Says which thoughts of the answer differ.
pub(super) fn settle_thoughts(turn: &mut Message) -> Result<(), String> {
    for key in THOUGHTS {
        let Some(Value::String(thought)) = turn.extra.get_mut(key) else { continue };
        match unmarked(thought) {
            Some(plain) if plain.len() < thought.len() => *thought = plain.to_owned(),
            Some(_) => {}
            None => {
                return Err(format!("has several thoughts between marks as its {key:?}; write them as one"));
            }
        }
    }
    turn.extra.retain(|key, value| !THOUGHTS.contains(&key.as_str()) || value.as_str() != Some(""));
    let (Some(thought), Role::Assistant) = (turn.thought(), turn.role) else { return Ok(()) };
    let Some(own) = leading(&turn.content) else { return Ok(()) };
    if !own.contains(thought.trim()) {
        let key = THOUGHTS.into_iter().find(|key| turn.extra.contains_key(*key)).unwrap_or(THOUGHTS[0]);
        return Err(format!(
            "has a thought as its {key:?} and another one between marks in its text; keep one"
        ));
    }
    turn.extra.retain(|key, _| !THOUGHTS.contains(&key.as_str()));
    Ok(())
}

/// A thought without its marks, to compare it.
pub(super) fn plain(thought: &str) -> &str {
    unmarked(thought).unwrap_or(thought).trim()
}
