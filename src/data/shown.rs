//! What of a conversation a chat template shows: thoughts, tool calls and tools. Knows no tokenizer and no file.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::data::chat::{ChatTemplate, Ending};
use crate::domain::message::{Conversation, Message, THOUGHTS, TOOL_CALLS};

/// The key of a turn's thought that a template's source reads, if any.
pub(crate) fn thought_key(source: &str) -> Option<&'static str> {
    THOUGHTS.into_iter().find(|key| names(source, key))
}

/// Whether a template's source names a key: as `turn.key`, or in quotes.
fn names(source: &str, key: &str) -> bool {
    let ends = |after: &str| !after.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_');
    source.match_indices(key).any(|(at, _)| {
        let before = source.get(..at).unwrap_or_default();
        let after = source.get(at + key.len()..).unwrap_or_default();
        before.ends_with(['.', '\'', '"']) && ends(after)
    })
}

/// The other keys of turns (`name`, `tool_call_id`, ...) that a template doesn't read: they are kept with the data, and
/// nothing of them is learnt. `rendering`: of the conversation, whole.
pub(crate) fn unread(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
    rendering: &str,
) -> BTreeSet<String> {
    let messages = conversation.messages;
    let mut keys: BTreeSet<&str> = messages.iter().flat_map(Message::beside).map(|(key, _)| key).collect();
    keys.retain(|key| !names(template.source(), key));
    // A template may write turns whole, whatever their keys are called.
    let is_seen = |value: &Value| match value {
        Value::String(text) => rendering.contains(text),
        other => rendering.contains(&other.to_string()),
    };
    keys.retain(|key| {
        let mut values = messages.iter().filter_map(|turn| turn.extra.get(*key));
        !values.all(is_seen) || is_hidden(template, conversation, 0..messages.len(), key, rendering)
    });
    keys.into_iter().map(str::to_owned).collect()
}

/// Turns as templates want them: arguments of calls as objects where they are JSON in a text (as `OpenAI` writes them), and
/// a thought under the name that the template reads.
pub(crate) fn turns<'m>(messages: &'m [Message], thought: Option<&'static str>) -> Cow<'m, [Message]> {
    let plain = |message: &Message| message.tool_calls().is_empty() && message.thought().is_none();
    if messages.iter().all(plain) {
        return Cow::Borrowed(messages);
    }
    let mut turns = messages.to_vec();
    for turn in &mut turns {
        let said = turn.thought().map(|said| Value::String(said.to_owned()));
        if let (Some(key), Some(said)) = (thought, said) {
            turn.extra.entry(key.to_owned()).or_insert(said);
        }
        let calls = turn.extra.get_mut(TOOL_CALLS).and_then(Value::as_array_mut);
        calls.into_iter().flatten().for_each(open_arguments);
    }
    Cow::Owned(turns)
}

/// Turns with an empty text where the data has null.
pub(crate) fn without_null(messages: &[Message]) -> Vec<Message> {
    let mut turns = messages.to_vec();
    turns.iter_mut().for_each(|turn| drop(turn.extra.remove("content")));
    turns
}

fn open_arguments(call: &mut Value) {
    let function = if call.get("function").is_some() { call.get_mut("function") } else { Some(call) };
    let Some(arguments) = function.and_then(|function| function.get_mut("arguments")) else { return };
    let parsed = arguments.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(parsed) = parsed.filter(Value::is_object) {
        *arguments = parsed;
    }
}

/// Fails if the template leaves out what a conversation says: the tools, a turn's calls or its thought.
///
/// # Errors
/// Names what is left out and the turn.
pub(crate) fn check(template: &ChatTemplate, conversation: Conversation<'_>) -> Result<()> {
    let Conversation { messages, tools } = conversation;
    if tools.is_empty() && messages.iter().all(|message| message.said_beside().next().is_none()) {
        return Ok(());
    }
    let whole = template.render(conversation, Ending::Complete)?;
    if !tools.is_empty() && template.render(messages, Ending::Complete).is_ok_and(|text| text == whole) {
        bail!("the model's chat template doesn't show the tools that the conversation has");
    }
    for (index, message) in messages.iter().enumerate() {
        for key in message.said_beside() {
            let here = Conversation { messages: messages.get(..=index).unwrap_or(messages), tools };
            if is_hidden(template, conversation, index..index + 1, key, &whole)
                && template
                    .render(here, Ending::Complete)
                    .is_ok_and(|text| is_hidden(template, here, index..index + 1, key, &text))
            {
                bail!(
                    "the model's chat template doesn't show the {key:?} of turn {}; use a model whose template does, \
                     or write it into the content",
                    index + 1
                );
            }
        }
    }
    Ok(())
}

/// Whether a rendering is the same without a key of these turns.
fn is_hidden(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
    turns: Range<usize>,
    key: &str,
    whole: &str,
) -> bool {
    let mut without = conversation.messages.to_vec();
    for message in without.get_mut(turns).into_iter().flatten() {
        message.extra.remove(key);
        if THOUGHTS.contains(&key) {
            THOUGHTS.iter().for_each(|key| drop(message.extra.remove(*key)));
        }
    }
    let without = Conversation { messages: &without, tools: conversation.tools };
    template.render(without, Ending::Complete).is_ok_and(|text| text == whole)
}
