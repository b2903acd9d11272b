//! What of a conversation a chat template shows: thoughts, tool calls and tools. Knows no tokenizer and no file.

mod marks;
mod unread;

use std::borrow::Cow;
use std::ops::Range;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::data::chat::{ChatTemplate, RenderEnding};
use crate::data::rows::inside;
use crate::domain::message::{Conversation, Message, Role, THOUGHTS, TOOL_CALLS};

pub(crate) use unread::unread;

/// The key of a turn's thought that a template's source reads, if any.
pub(crate) fn thought_key(source: &str) -> Option<&'static str> {
    THOUGHTS.into_iter().find(|key| names(source, key))
}

/// Whether a template's source names a key: as `turn.key`, or in quotes.
fn names(source: &str, key: &str) -> bool {
    before_word(source, key).any(|before| before.ends_with(['.', '\'', '"']))
}

/// What stands before each place of a template's source where a word ends as this one does.
fn before_word<'s>(source: &'s str, word: &'s str) -> impl Iterator<Item = &'s str> {
    source.match_indices(word).filter_map(move |(at, _)| {
        let after = source.get(at + word.len()..)?;
        (!after.starts_with(is_of_word)).then(|| source.get(..at).unwrap_or_default())
    })
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// How the arguments of a call, JSON in a text, reach a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// As an object where it is written again with the same numbers and keys, else as their text.
    Exact,
    /// As an object that Python would read: `1.10` becomes 1.1.
    Read,
}

/// Turns as templates want them: arguments of calls as objects where they are JSON in a text (as `OpenAI` writes them), and
/// a thought under the name that the template reads.
pub(crate) fn turns<'m>(
    messages: &'m [Message],
    thought: Option<&'static str>,
    arguments: Arguments,
) -> Cow<'m, [Message]> {
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
        calls.into_iter().flatten().for_each(|call| open_arguments(call, arguments));
    }
    Cow::Owned(turns)
}

/// Turns with an empty text where the data has null.
pub(crate) fn without_null(messages: &[Message]) -> Vec<Message> {
    let mut turns = messages.to_vec();
    turns.iter_mut().for_each(|turn| drop(turn.extra.remove("content")));
    turns
}

/// What is called: below `function`, or the call itself.
fn function_of(call: &mut Value) -> Option<&mut Value> {
    if call.get("function").is_some() { call.get_mut("function") } else { Some(call) }
}

fn open_arguments(call: &mut Value, arguments: Arguments) {
    let Some(value) = function_of(call).and_then(|function| function.get_mut("arguments")) else { return };
    let Some(text) = value.as_str() else { return };
    let opened = match arguments {
        Arguments::Exact => inside::open(text).ok(),
        Arguments::Read => inside::read(text),
    };
    if let Some(opened) = opened.filter(Value::is_object) {
        *value = opened;
    }
}

/// Arguments of calls that look like an object in a text and would be written otherwise once they are one, with their
/// turn's index.
fn closed(messages: &[Message]) -> impl Iterator<Item = (usize, &str)> {
    let calls = messages.iter().enumerate().flat_map(|(index, message)| {
        message.tool_calls().iter().map(move |call| (index, call.get("function").unwrap_or(call)))
    });
    calls.filter_map(|(index, function)| {
        let text = function.get("arguments")?.as_str().filter(|text| text.trim_start().starts_with('{'))?;
        inside::open(text).is_err().then_some((index, text))
    })
}

/// Whether arguments that stay a text stand in a rendering as they are, and not as the text of a text.
pub(crate) fn shows_arguments(rendering: Option<&str>, messages: &[Message]) -> bool {
    closed(messages).all(|(_, text)| rendering.is_some_and(|rendering| stands(rendering, text)))
}

fn stands(rendering: &str, text: &str) -> bool {
    let before = |(at, _)| rendering.get(..at).unwrap_or_default();
    rendering.match_indices(text).any(|found| !before(found).ends_with('"'))
}

/// Fails if arguments of a call would be written with other values than the data has. A number that Python writes
/// otherwise (`1.10` as 1.1) is the same one, as in arguments that are an object.
fn check_arguments(rendering: Option<&str>, messages: &[Message]) -> Result<()> {
    let shown = |text: &str| rendering.is_some_and(|rendering| stands(rendering, text));
    let mut hidden = closed(messages).filter(|(_, text)| !shown(text));
    match hidden.find_map(|(index, text)| Some((index, inside::python(text).err()?))) {
        Some((index, reason)) => bail!(
            "the arguments of a call in turn {} have {reason}, and the model's chat template would not write them as \
             they are; change them, or use a model whose template takes them as a text",
            index + 1
        ),
        None => Ok(()),
    }
}

/// Fails if a prompt is the same without what a system turn says: what somebody asks for would be lost on the model.
///
/// # Errors
/// Names the turn; also where the template refuses the conversation.
pub fn check_system(template: &ChatTemplate, conversation: Conversation<'_>) -> Result<()> {
    let says = |turn: &Message| turn.role == Role::System && !turn.content.trim().is_empty();
    let Some(index) = conversation.messages.iter().position(says) else { return Ok(()) };
    let whole = template.render(conversation, RenderEnding::GenerationPrompt)?;
    let unseen = |turn: &Message| says(turn) && !whole.contains(turn.content.trim());
    if !conversation.messages.iter().any(unseen) {
        return Ok(());
    }
    let others: Vec<Message> =
        conversation.messages.iter().filter(|turn| turn.role != Role::System).cloned().collect();
    let without = Conversation { messages: &others, ..conversation };
    if template.render(without, RenderEnding::GenerationPrompt).is_ok_and(|text| text == whole) {
        bail!(
            "the model's chat template doesn't show turn {}, the system's; leave it out, or say it in the first question",
            index + 1
        );
    }
    Ok(())
}

/// Fails if a rendering lacks what a developer says: most templates don't know the role.
///
/// # Errors
/// Names the turn.
pub(crate) fn check_developer(rendering: &str, messages: &[Message]) -> Result<()> {
    let hidden = |turn: &Message| turn.role == Role::Developer && !rendering.contains(turn.content.trim());
    match messages.iter().position(hidden) {
        Some(index) => bail!(
            "the model's chat template doesn't show turn {}, the developer's; write its role as \"system\", or use a \
             model whose template knows developers",
            index + 1
        ),
        None => Ok(()),
    }
}

/// Fails if the template leaves out what a conversation says: the tools, a setting, a turn's calls or its thought.
///
/// # Errors
/// Names what is left out and the turn.
pub(crate) fn check(template: &ChatTemplate, conversation: Conversation<'_>) -> Result<()> {
    let Conversation { messages, tools, settings } = conversation;
    check_settings(template, settings)?;
    if tools.is_empty() && messages.iter().all(|message| message.said_beside().next().is_none()) {
        return Ok(());
    }
    let whole = template.render(conversation, RenderEnding::Complete);
    check_arguments(whole.as_deref().ok(), messages)?;
    let whole = whole?;
    let without = Conversation { tools: &[], ..conversation };
    if !tools.is_empty() && template.render(without, RenderEnding::Complete).is_ok_and(|text| text == whole) {
        bail!("the model's chat template doesn't show the tools that the conversation has");
    }
    marks::check(template, conversation, &whole)
}

/// As [`check`], for a conversation that is to be gone on with: names count too, and what was thought in earlier turns
/// does not, if the template knows thoughts at all: it decides which of them the model sees again.
///
/// # Errors
/// As [`check`].
pub fn check_whole(template: &ChatTemplate, conversation: Conversation<'_>) -> Result<()> {
    match unshown_keys(template, conversation)?.first() {
        Some(key) => bail!("the model's chat template doesn't show the {key} of a turn: leave it out"),
        None => Ok(()),
    }
}

/// The keys of turns that say something to somebody (`name`) and that the template doesn't show.
///
/// # Errors
/// As [`check`], of thoughts, calls and tools.
pub fn unshown_keys(template: &ChatTemplate, conversation: Conversation<'_>) -> Result<Vec<String>> {
    let mut messages = conversation.messages.to_vec();
    let knows_thoughts = thought_key(template.source()).is_some();
    for turn in &mut messages {
        if knows_thoughts {
            THOUGHTS.iter().for_each(|key| drop(turn.extra.remove(*key)));
        }
        // Which call an answer belongs to is told by its place.
        turn.extra.remove("tool_call_id");
        if turn.role == Role::Tool {
            turn.extra.remove("name");
        }
    }
    let conversation = Conversation { messages: &messages, ..conversation };
    check(template, conversation)?;
    if messages.iter().all(|turn| turn.beside().next().is_none()) {
        return Ok(Vec::new());
    }
    let rendering = template.render(conversation, RenderEnding::Complete)?;
    // What clients keep with a call of theirs is for themselves.
    let of_turn = |key: &String| !key.starts_with(TOOL_CALLS);
    Ok(unread(template, conversation, &rendering).into_iter().filter(of_turn).collect())
}

/// Fails if the template doesn't read a setting that says something. One that says no is no other than one that the
/// template doesn't know.
fn check_settings(template: &ChatTemplate, settings: Option<&Map<String, Value>>) -> Result<()> {
    match settings.and_then(|settings| unread_setting(template, settings)) {
        Some(name) => bail!(
            "the model's chat template doesn't read {name:?}, which \"chat_template_kwargs\" or a column of \
             that name sets; use a model whose template does, or leave the column out: --map unused={name}, or \
             unused=chat_template_kwargs (data.map in a recipe)"
        ),
        None => Ok(()),
    }
}

/// Whether a template reads a setting of this name.
pub fn reads(template: &ChatTemplate, name: &str) -> bool {
    before_word(template.source(), name).any(|before| !before.ends_with(is_of_word))
}

/// The first setting that says something and that the template doesn't read.
pub fn unread_setting<'s>(template: &ChatTemplate, settings: &'s Map<String, Value>) -> Option<&'s str> {
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    };
    let mut told = settings.iter().filter(|(_, value)| says(value));
    told.find(|(name, _)| !reads(template, name)).map(|(name, _)| name.as_str())
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
    let without = Conversation { messages: &without, ..conversation };
    template.render(without, RenderEnding::Complete).is_ok_and(|text| text == whole)
}
