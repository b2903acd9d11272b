//! Whether a template shows what turns say beside their contents, in a rendering or two of the whole conversation: with a
//! mark in each of them, those whose mark is there are shown. What a mark doesn't tell is rendered without.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Result, bail};
use serde_json::Value;

use super::{function_of, is_hidden};
use crate::data::chat::{ChatTemplate, RenderEnding};
use crate::domain::message::{Conversation, Message, Role, TOOL_CALLS};

/// Stand around a mark's number. Unicode keeps both free of meaning.
const OPEN: char = '\u{FDD6}';
const CLOSE: char = '\u{FDD7}';

/// What a template decides by: of a turn that is the last one, its keys, how many calls, whether it has a text, and who
/// spoke before it.
type TurnShape = (&'static str, Vec<String>, usize, bool, Option<Role>);

/// What a turn says beside its content.
struct MarkedKey {
    turn: usize,
    key: &'static str,
    /// One for a thought, one for each call.
    marks: Range<usize>,
}

/// What all turns say beside their contents, with marks counted from nothing.
fn said(messages: &[Message]) -> Vec<MarkedKey> {
    let mut next = 0;
    let keys = |message: &Message| message.said_beside().collect::<Vec<_>>();
    let turns = messages.iter().enumerate().flat_map(|(turn, message)| {
        keys(message).into_iter().map(move |key| (turn, key, message.tool_calls().len()))
    });
    turns
        .map(|(turn, key, calls)| {
            let marks = next..next + if key == TOOL_CALLS { calls.max(1) } else { 1 };
            next = marks.end;
            MarkedKey { turn, key, marks }
        })
        .collect()
}

/// Fails if a turn's calls or thought are nowhere in a rendering, neither of the conversation nor of the turns up to it:
/// templates leave out what was thought before the last question.
pub(super) fn check(template: &ChatTemplate, conversation: Conversation<'_>, whole: &str) -> Result<()> {
    let messages = conversation.messages;
    let said = said(messages);
    let marks_tell = said.len() > 1 || said.iter().any(|said| said.key == TOOL_CALLS);
    let seen = marks_tell.then(|| marked(template, conversation, &said)).flatten().unwrap_or_default();
    let mut shown_last: HashSet<TurnShape> = HashSet::new();
    for said in &said {
        let &MarkedKey { turn, key, ref marks } = said;
        let shape = shape(messages, turn, key);
        let is_known = marks.clone().all(|mark| seen.contains(&mark));
        if is_known || shape.as_ref().is_some_and(|shape| shown_last.contains(shape)) {
            continue;
        }
        let here = Conversation { messages: messages.get(..=turn).unwrap_or(messages), ..conversation };
        let by_marks =
            if key == TOOL_CALLS { marked(template, here, std::slice::from_ref(said)) } else { None };
        let hidden = match by_marks {
            // Something may be written for calls, and not the calls, or the first of them alone.
            Some(seen) => marks.clone().find(|mark| !seen.contains(mark)),
            None if !is_hidden(template, conversation, turn..turn + 1, key, whole) => continue,
            None => {
                let last = template.render(here, RenderEnding::Complete);
                last.is_ok_and(|text| is_hidden(template, here, turn..turn + 1, key, &text))
                    .then_some(marks.start)
            }
        };
        if let Some(mark) = hidden {
            let place = mark - marks.start;
            let which = if place == 0 { String::new() } else { format!("call {} in ", place + 1) };
            bail!(
                "the model's chat template doesn't show {which}the {key:?} of turn {}; use a model whose template does, or \
                 write it into the content",
                turn + 1
            );
        }
        shown_last.extend(shape);
    }
    Ok(())
}

fn shape(messages: &[Message], turn: usize, key: &'static str) -> Option<TurnShape> {
    let message = messages.get(turn)?;
    let before = turn.checked_sub(1).and_then(|turn| messages.get(turn)).map(|message| message.role);
    let keys = message.extra.keys().cloned().collect();
    Some((key, keys, message.tool_calls().len(), message.content.trim().is_empty(), before))
}

/// The numbers of the marks that a template shows; none if it refuses them.
fn marked(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
    said: &[MarkedKey],
) -> Option<HashSet<usize>> {
    let mut turns = conversation.messages.to_vec();
    let mut without_place = HashSet::new();
    for MarkedKey { turn, key, marks } in said {
        let Some(value) = turns.get_mut(*turn).and_then(|message| message.extra.get_mut(*key)) else {
            continue;
        };
        if *key != TOOL_CALLS {
            // A thought that is no text was refused before.
            put(value, marks.start);
            continue;
        }
        for (place, mark) in marks.clone().enumerate() {
            if !value.get_mut(place).is_some_and(|call| put_into_call(call, mark)) {
                without_place.insert(mark);
            }
        }
    }
    let rendering =
        template.render(Conversation { messages: &turns, ..conversation }, RenderEnding::Complete).ok()?;
    let marks = rendering.split(OPEN).skip(1);
    Some(marks.filter_map(|rest| rest.split_once(CLOSE)?.0.parse().ok()).chain(without_place).collect())
}

/// Puts a mark into a call's name and into its arguments; says whether there was a place for it.
fn put_into_call(call: &mut Value, mark: usize) -> bool {
    let Some(function) = function_of(call) else { return false };
    let named = function.get_mut("name").is_some_and(|name| put(name, mark));
    match function.get_mut("arguments") {
        Some(Value::Object(arguments)) => {
            arguments.insert(format!("{OPEN}{mark}{CLOSE}"), Value::from(""));
            true
        }
        Some(text) => put(text, mark) || named,
        None => named,
    }
}

/// Puts a mark into a text; says whether it is one.
fn put(value: &mut Value, mark: usize) -> bool {
    if let Value::String(text) = value {
        // In the midst of a text, templates leave it as it is.
        let at = text.char_indices().nth(1).map_or(text.len(), |(at, _)| at);
        text.insert_str(at, &format!("{OPEN}{mark}{CLOSE}"));
        return true;
    }
    false
}
