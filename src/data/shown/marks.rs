//! Whether a template shows what turns say beside their contents, in a rendering or two of the whole conversation: with a
//! mark in each of them, those whose mark is there are shown. What a mark doesn't tell is rendered without.

use std::collections::HashSet;

use anyhow::{Result, bail};
use serde_json::Value;

use super::{function_of, is_hidden};
use crate::data::chat::{ChatTemplate, Ending};
use crate::domain::message::{Conversation, Message, Role, TOOL_CALLS};

/// Stand around a mark's number. Unicode keeps both free of meaning.
const OPEN: char = '\u{FDD6}';
const CLOSE: char = '\u{FDD7}';

/// What a template decides by: of a turn that is the last one, its keys, whether it has a text, and who spoke before it.
type Shape = (&'static str, Vec<String>, bool, Option<Role>);

/// Fails if a turn's calls or thought are nowhere in a rendering, neither of the conversation nor of the turns up to it:
/// templates leave out what was thought before the last question.
pub(super) fn check(template: &ChatTemplate, conversation: Conversation<'_>, whole: &str) -> Result<()> {
    let messages = conversation.messages;
    let said: Vec<(usize, &'static str)> = messages
        .iter()
        .enumerate()
        .flat_map(|(turn, message)| message.said_beside().map(move |key| (turn, key)))
        .collect();
    let seen = if said.len() > 1 { marked(template, conversation, &said) } else { HashSet::new() };
    let mut shown_last: HashSet<Shape> = HashSet::new();
    for (mark, (turn, key)) in said.into_iter().enumerate() {
        let shape = shape(messages, turn, key);
        let known = seen.contains(&mark) || shape.as_ref().is_some_and(|shape| shown_last.contains(shape));
        if known || !is_hidden(template, conversation, turn..turn + 1, key, whole) {
            continue;
        }
        let here = Conversation { messages: messages.get(..=turn).unwrap_or(messages), ..conversation };
        let last = template.render(here, Ending::Complete);
        if last.is_ok_and(|text| is_hidden(template, here, turn..turn + 1, key, &text)) {
            bail!(
                "the model's chat template doesn't show the {key:?} of turn {}; use a model whose template does, or \
                 write it into the content",
                turn + 1
            );
        }
        shown_last.extend(shape);
    }
    Ok(())
}

fn shape(messages: &[Message], turn: usize, key: &'static str) -> Option<Shape> {
    let message = messages.get(turn)?;
    let before = turn.checked_sub(1).and_then(|turn| messages.get(turn)).map(|message| message.role);
    let keys = message.extra.keys().cloned().collect();
    Some((key, keys, message.content.trim().is_empty(), before))
}

/// The numbers of the marks that a template shows.
fn marked(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
    said: &[(usize, &'static str)],
) -> HashSet<usize> {
    let mut turns = conversation.messages.to_vec();
    for (mark, (turn, key)) in said.iter().enumerate() {
        if let Some(value) = turns.get_mut(*turn).and_then(|message| message.extra.get_mut(*key)) {
            put(value, key, mark);
        }
    }
    let rendering = template.render(Conversation { messages: &turns, ..conversation }, Ending::Complete);
    let rendering = rendering.unwrap_or_default();
    let marks = rendering.split(OPEN).skip(1);
    marks.filter_map(|rest| rest.split_once(CLOSE)?.0.parse().ok()).collect()
}

/// Puts a mark into a thought, or into the name of the first function that is called.
fn put(value: &mut Value, key: &str, mark: usize) {
    let text = if key == TOOL_CALLS {
        value.get_mut(0).and_then(function_of).and_then(|function| function.get_mut("name"))
    } else {
        Some(value)
    };
    if let Some(Value::String(text)) = text {
        // In the midst of a text, templates leave it as it is.
        let at = text.char_indices().nth(1).map_or(text.len(), |(at, _)| at);
        text.insert_str(at, &format!("{OPEN}{mark}{CLOSE}"));
    }
}
