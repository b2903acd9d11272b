//! What of a rendering comes from each turn of the assistant, found by rendering with another text in its place.
//!
//! One turn after another, that takes a rendering of the whole conversation for each, and so a time that grows with
//! the square of the turns. So in longer conversations all turns are changed at once, and marks around what the others
//! say show where each turn's surroundings are.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::Result;
use serde_json::Value;

use super::Masker;
use crate::data::chat::{BLOCK_START, RenderEnding};
use crate::domain::message::{Conversation, Message, Role, THOUGHTS, TOOL_CALLS};

/// Up to so many turns are looked at one by one.
const FEW: usize = 4;

/// Stand around what somebody else says. Unicode keeps both free of meaning.
const OPEN: char = '\u{FDD4}';
const CLOSE: char = '\u{FDD5}';

/// What of a rendering comes from one turn, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RenderedTurn {
    pub content: usize,
    pub end: usize,
    /// Where the text of the turn before it ends, if that is known.
    pub before: Option<usize>,
}

impl Masker<'_> {
    /// The parts of some turns, in their order.
    pub(super) fn changed_parts(
        &self,
        conversation: Conversation<'_>,
        turns: &[usize],
        text: &str,
    ) -> Result<Vec<RenderedTurn>> {
        let all = if turns.len() > FEW { self.all_parts(conversation, text) } else { None };
        let mut all = all.unwrap_or_default();
        turns
            .iter()
            .map(|&turn| match all.remove(&turn) {
                Some(part) => Ok(part),
                None => self.changed_part(conversation, turn, text),
            })
            .collect()
    }

    /// The parts of all turns that have somebody else's words on both sides, or the conversation's beginning or end.
    /// None where the template does not show those words as they are.
    fn all_parts(&self, conversation: Conversation<'_>, text: &str) -> Option<HashMap<usize, RenderedTurn>> {
        let messages = conversation.messages;
        if messages.iter().any(|message| message.content.contains([OPEN, CLOSE])) {
            return None;
        }
        let marked: Vec<Message> = messages.iter().map(marked).collect();
        let changed: Vec<Message> = marked
            .iter()
            .map(|message| if message.role == Role::Assistant { changed(message) } else { message.clone() })
            .collect();
        let render = |messages: &[Message]| {
            self.template
                .render(Conversation { messages, ..conversation }, RenderEnding::Complete)
                .ok()
                .as_deref()
                .map(fixed)?
        };
        let (same, own) = render(&marked)?;
        let (other, others) = render(&changed)?;
        let is_fixed = |message: &&Message| is_fixed(message);
        let known = same == text
            && own.len() == others.len()
            && own.len() == messages.iter().filter(is_fixed).count()
            && own.iter().zip(&others).all(|(a, b)| text.get(a.clone()) == other.get(b.clone()));
        if !known {
            return None;
        }
        let mut found = HashMap::new();
        let mut before = 0;
        let mut gap: Vec<usize> = Vec::new();
        for turn in 0..=messages.len() {
            match messages.get(turn) {
                Some(message) if message.role == Role::Assistant => gap.push(turn),
                Some(message) if !is_fixed(&message) => {}
                ends => {
                    // Which of several turns something comes from can't be told.
                    if let [only] = *gap.as_slice() {
                        let next_to = only.checked_sub(1).and_then(|turn| messages.get(turn));
                        let is_next = next_to.is_some_and(|message| is_fixed(&message));
                        let part = part(
                            text,
                            between(&own, before, text)?,
                            &other,
                            between(&others, before, &other)?,
                        )?;
                        let before = part.before.filter(|_| is_next);
                        found.insert(only, RenderedTurn { before, ..part });
                    }
                    gap.clear();
                    before += usize::from(ends.is_some());
                }
            }
        }
        Some(found)
    }

    /// One turn's part.
    fn changed_part(&self, conversation: Conversation<'_>, turn: usize, text: &str) -> Result<RenderedTurn> {
        let mut messages = conversation.messages.to_vec();
        if let Some(message) = messages.get_mut(turn) {
            *message = changed(message);
        }
        let changed = Conversation { messages: &messages, ..conversation };
        match self.template.render(changed, RenderEnding::Complete) {
            Ok(other) => {
                let (content, end) = difference(text, &other);
                Ok(RenderedTurn { content, end, before: None })
            }
            // A template may refuse what a tool says after a turn without a call.
            Err(error) => self
                .part_as_the_last(conversation, turn, text)
                .or_else(|| self.part_before_a_question(&messages, turn, conversation, text))
                .ok_or(error),
        }
    }

    /// The part of a turn, whose changed form is among `messages`, with a question behind it: where roles have to alternate,
    /// templates count a turn without calls that they don't count with them.
    fn part_before_a_question(
        &self,
        messages: &[Message],
        turn: usize,
        conversation: Conversation<'_>,
        text: &str,
    ) -> Option<RenderedTurn> {
        let (before, behind) = messages.split_at_checked(turn + 1)?;
        let question = Message::new(Role::User, BLOCK_START);
        let asked = [before, &[question], behind].concat();
        let other = self
            .template
            .render(Conversation { messages: &asked, ..conversation }, RenderEnding::Complete)
            .ok()?;
        let (content, end) = difference(text, &other);
        Some(RenderedTurn { content, end, before: None })
    }

    /// The part of a turn as the last one of a conversation that ends there, if the whole one begins alike. Templates leave
    /// out of earlier turns what they show of the last one.
    fn part_as_the_last(
        &self,
        conversation: Conversation<'_>,
        turn: usize,
        text: &str,
    ) -> Option<RenderedTurn> {
        let messages = conversation.messages.get(..=turn)?;
        let render = |messages: &[Message]| {
            self.template.render(Conversation { messages, ..conversation }, RenderEnding::Complete).ok()
        };
        let begins = |messages: &[Message]| render(messages).filter(|whole| text.starts_with(whole.as_str()));
        let shown = || messages.iter().map(|message| shown(message, text)).collect::<Vec<_>>();
        let whole = begins(messages).or_else(|| begins(&shown()))?;
        let mut messages = messages.to_vec();
        let last = messages.last_mut()?;
        *last = changed(last);
        let (content, end) = difference(&whole, &render(&messages)?);
        Some(RenderedTurn { content, end, before: None })
    }
}

/// Whether a turn's text is marked.
fn is_fixed(message: &Message) -> bool {
    message.role != Role::Assistant && !message.content.trim().is_empty()
}

/// A turn with marks around its text, inside of its white space: templates trim.
fn marked(message: &Message) -> Message {
    if !is_fixed(message) {
        return message.clone();
    }
    let (text, words) = (message.content.as_str(), message.content.trim());
    let begin = text.len() - text.trim_start().len();
    let (lead, rest) = text.split_at(begin);
    let trail = rest.get(words.len()..).unwrap_or_default();
    Message { content: format!("{lead}{OPEN}{words}{CLOSE}{trail}"), ..message.clone() }
}

/// A turn that says something else, and only that.
fn changed(message: &Message) -> Message {
    let mut changed = message.clone();
    changed.content = String::from(BLOCK_START);
    changed.extra.retain(|key, _| key != TOOL_CALLS && !THOUGHTS.contains(&key.as_str()));
    changed
}

/// A turn without those of its texts that a rendering surely leaves out.
fn shown(message: &Message, text: &str) -> Message {
    let mut shown = message.clone();
    if !text.contains(shown.content.trim()) {
        shown.content.clear();
    }
    let is_shown = |value: &Value| value.as_str().is_none_or(|thought| text.contains(thought.trim()));
    shown.extra.retain(|key, value| !THOUGHTS.contains(&key.as_str()) || is_shown(value));
    shown
}

/// A rendering without its marks, and what was between them; none where they don't come in pairs.
fn fixed(marked: &str) -> Option<(String, Vec<Range<usize>>)> {
    let mut text = String::with_capacity(marked.len());
    let (mut ranges, mut open) = (Vec::new(), None);
    for character in marked.chars() {
        match (character, open) {
            (OPEN, None) => open = Some(text.len()),
            (CLOSE, Some(start)) => {
                ranges.push(start..text.len());
                open = None;
            }
            (OPEN, Some(_)) | (CLOSE, None) => return None,
            (other, _) => text.push(other),
        }
    }
    open.is_none().then_some((text, ranges))
}

/// What is between the fixed texts of two places that follow one another.
fn between(fixed: &[Range<usize>], place: usize, text: &str) -> Option<Range<usize>> {
    let start = match place.checked_sub(1) {
        Some(before) => fixed.get(before)?.end,
        None => 0,
    };
    let end = fixed.get(place).map_or(text.len(), |next| next.start);
    Some(start..end)
}

fn part(text: &str, own: Range<usize>, other: &str, others: Range<usize>) -> Option<RenderedTurn> {
    let (content, end) = difference(text.get(own.clone())?, other.get(others)?);
    Some(RenderedTurn { content: own.start + content, end: own.start + end, before: Some(own.start) })
}

/// Where a text differs from another: behind what they begin with alike, and before what they end with alike.
pub(super) fn difference(text: &str, other: &str) -> (usize, usize) {
    let alike = |(x, y): &(char, char)| x == y;
    let bytes = |(x, _): (char, char)| x.len_utf8();
    let content: usize = text.chars().zip(other.chars()).take_while(alike).map(bytes).sum();
    let tail: usize = text.chars().rev().zip(other.chars().rev()).take_while(alike).map(bytes).sum();
    (content, text.len() - tail.min(text.len() - content))
}
