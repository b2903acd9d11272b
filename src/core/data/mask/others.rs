//! What tools say inside of an assistant's turn: some templates write their answers between its marks.

use serde_json::Value;

use super::Masker;
use super::parts::difference;
use super::spans::{By, LearntSpan};
use crate::data::chat::{BLOCK_START, RenderEnding};
use crate::domain::message::{Conversation, Message, Role};

/// Keys of a turn with a call that hold what its tools answered.
const ANSWERS: [&str; 5] = ["tool_responses", "tool_response", "tool_results", "tool_result", "tool_outputs"];

impl Masker<'_> {
    /// A turn's span without what tools say inside of it and what the template writes around that: up to where they are
    /// heard, and from where the turn's own text goes on behind them.
    pub(super) fn without_others(
        &self,
        conversation: Conversation<'_>,
        turn: usize,
        span: LearntSpan,
        text: &str,
    ) -> Vec<LearntSpan> {
        let whole = || vec![span];
        let messages = conversation.messages;
        let behind = messages.get(turn + 1..).unwrap_or_default();
        let count = behind.iter().take_while(|message| message.role == Role::Tool).count();
        let others = behind.get(..count).unwrap_or_default();
        let inside = text.get(span.start..span.end).unwrap_or_default();
        let answered =
            messages.get(turn).is_some_and(|message| message.extra.keys().any(|key| is_answer(key)));
        if !answered && !others.iter().any(|message| may_be_in(message, inside)) {
            return whole();
        }
        let Some((heard, over)) = self.heard(conversation, turn..turn + 1 + count, span, text) else {
            return whole();
        };
        let render = |messages: &[Message]| {
            self.template.render(Conversation { messages, ..conversation }, RenderEnding::Complete).ok()
        };
        let mut messages = messages.to_vec();
        messages.get_mut(turn).into_iter().for_each(|message| message.extra.retain(|key, _| !is_answer(key)));
        let (upto, rest) = messages.split_at_checked(turn + 1).unwrap_or((&messages, &[]));
        let alike = |messages: &[Message]| {
            let at = difference(text, &render(messages)?).0;
            (span.start <= at && at <= heard).then_some(at)
        };
        // Where the template goes another way without the others, they begin. What the turn says may stand behind them.
        let mut silent = upto.to_vec();
        silent.last_mut().into_iter().for_each(|message| message.content.clear());
        let alone = || [upto, rest.get(count..).unwrap_or_default()].concat();
        let end = alike(upto).max(alike(&silent)).or_else(|| alike(&alone())).unwrap_or(heard);
        let mut own = Vec::new();
        if span.start < end {
            own.push(LearntSpan { end, by: By::Interrupted, ..span });
        }
        let said = messages.get(turn).map(|message| message.content.trim()).unwrap_or_default();
        let is_said = text.get(span.start..end).is_some_and(|before| before.contains(said));
        let goes_on = text.get(over..span.end).filter(|_| !said.is_empty() && !is_said);
        if let Some(at) = goes_on.and_then(|rest| rest.rfind(said)) {
            own.push(LearntSpan { start: over + at, content: over + at, ..span });
        }
        own
    }

    /// From where to where tools are heard inside of a span, by the turns behind its own or in its own; none where they
    /// aren't.
    fn heard(
        &self,
        conversation: Conversation<'_>,
        turns: std::ops::Range<usize>,
        span: LearntSpan,
        text: &str,
    ) -> Option<(usize, usize)> {
        let mut changed = conversation.messages.to_vec();
        let others = turns.start + 1..turns.end;
        let (own, behind) = changed.get_mut(turns)?.split_first_mut()?;
        own.extra
            .iter_mut()
            .filter(|(key, _)| is_answer(key))
            .for_each(|(_, value)| *value = silenced(value));
        behind.iter_mut().for_each(|message| message.content = String::from(BLOCK_START));
        let other = Conversation { messages: &changed, ..conversation };
        let (from, to) = if let Ok(other) = self.template.render(other, RenderEnding::Complete) {
            difference(text, &other)
        } else {
            // A template may read what a tool says.
            let inside = text.get(span.start..span.end)?;
            let said = conversation.messages.get(others)?.iter().map(|message| message.content.trim());
            let said = said.filter(|said| !said.is_empty());
            let places: Vec<(usize, usize)> =
                said.filter_map(|said| Some((inside.find(said)?, said.len()))).collect();
            let from = places.iter().map(|(at, _)| *at).min()?;
            let to = places.iter().map(|(at, length)| at + length).max()?;
            (span.start + from, span.start + to)
        };
        (from < to && from < span.end && span.start < to).then_some((from.max(span.start), to.min(span.end)))
    }
}

fn is_answer(key: &str) -> bool {
    ANSWERS.contains(&key)
}

/// A value that says something else, in the same form.
fn silenced(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(silenced).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), silenced(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Value::String(BLOCK_START.to_string())
        }
    }
}

/// Whether what a message says may be in a text, however it is written there.
fn may_be_in(message: &Message, text: &str) -> bool {
    let words = message.content.split(|sign: char| !sign.is_ascii_alphanumeric());
    match words.max_by_key(|word| word.len()) {
        Some("") | None => !message.content.trim().is_empty(),
        Some(word) => text.contains(word),
    }
}
