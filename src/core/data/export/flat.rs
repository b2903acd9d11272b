//! A record as one question and one answer, where it is one.

use crate::domain::message::{Message, Role};
use crate::domain::record::Record;

/// One question, its answer if there is one, and the system's word if there is one.
pub(super) struct Flat<'a> {
    pub(super) system: Option<&'a str>,
    pub(super) prompt: &'a str,
    pub(super) completion: Option<&'a str>,
}

/// # Errors
/// Says why the record is more than that.
pub(super) fn flat(record: &Record) -> Result<Flat<'_>, String> {
    if record.preference.is_some() {
        return Err("it is a preference pair".into());
    }
    if record.has_more_than_texts() {
        return Err(
            "its turns have more than a text (tools, calls, thoughts, weights); export it as messages".into(),
        );
    }
    let (system, turns) = match record.messages.as_slice() {
        [first, rest @ ..] if first.role == Role::System => (Some(first.content.as_str()), rest),
        all => (None, all),
    };
    let is = |message: &Message, role| message.role == role;
    match turns {
        [question, answer] if is(question, Role::User) && is(answer, Role::Assistant) => {
            Ok(Flat { system, prompt: &question.content, completion: Some(&answer.content) })
        }
        [question] if is(question, Role::User) => {
            Ok(Flat { system, prompt: &question.content, completion: None })
        }
        [] => Err("it has no conversation".into()),
        _ => Err(format!("its conversation has {} turns, not one question and one answer", turns.len())),
    }
}
