//! What others say inside of an assistant's turn: some templates write the answers of tools between its marks.

use super::Masker;
use super::parts::difference;
use super::spans::{By, Span};
use crate::data::chat::{BLOCK_START, Ending};
use crate::domain::message::{Conversation, Message, Role};

impl Masker<'_> {
    /// A turn's span without what others say inside of it and what the template writes around that: up to where they are
    /// heard, and from where the turn's own text goes on behind them.
    pub(super) fn without_others(
        &self,
        conversation: Conversation<'_>,
        turn: usize,
        span: Span,
        text: &str,
    ) -> Vec<Span> {
        let whole = || vec![span];
        let messages = conversation.messages;
        let behind = messages.get(turn + 1..).unwrap_or_default();
        let count = behind.iter().take_while(|message| message.role != Role::Assistant).count();
        let others = behind.get(..count).unwrap_or_default();
        let inside = text.get(span.content..span.end).unwrap_or_default();
        if !others.iter().any(|message| may_be_in(message, inside)) {
            return whole();
        }
        let Some((heard, over)) = self.heard(conversation, turn + 1..turn + 1 + count, span, text) else {
            return whole();
        };
        let render = |messages: &[Message]| {
            self.template.render(Conversation { messages, ..conversation }, Ending::Complete).ok()
        };
        let (upto, rest) = messages.split_at_checked(turn + 1).unwrap_or((messages, &[]));
        let alike = |messages: &[Message]| {
            let at = difference(text, &render(messages)?).0;
            (span.content < at && at <= heard).then_some(at)
        };
        // Where the template goes another way without the others, they begin. What the turn says may stand behind them.
        let mut silent = upto.to_vec();
        silent.last_mut().into_iter().for_each(|message| message.content.clear());
        let alone = || [upto, rest.get(count..).unwrap_or_default()].concat();
        let end = alike(upto).max(alike(&silent)).or_else(|| alike(&alone())).unwrap_or(heard);
        let mut own = Vec::new();
        if span.start < end {
            own.push(Span { end, by: By::Interrupted, ..span });
        }
        let said = messages.get(turn).map(|message| message.content.trim()).unwrap_or_default();
        let is_said = text.get(span.start..end).is_some_and(|before| before.contains(said));
        let goes_on = text.get(over..span.end).filter(|_| !said.is_empty() && !is_said);
        if let Some(at) = goes_on.and_then(|rest| rest.rfind(said)) {
            own.push(Span { start: over + at, content: over + at, ..span });
        }
        own
    }

    /// From where to where some turns of others are heard inside of a span; none where they aren't.
    fn heard(
        &self,
        conversation: Conversation<'_>,
        others: std::ops::Range<usize>,
        span: Span,
        text: &str,
    ) -> Option<(usize, usize)> {
        let mut changed = conversation.messages.to_vec();
        let turns = changed.get_mut(others.clone())?;
        turns.iter_mut().for_each(|message| message.content = String::from(BLOCK_START));
        let other = Conversation { messages: &changed, ..conversation };
        let (from, to) = if let Ok(other) = self.template.render(other, Ending::Complete) {
            difference(text, &other)
        } else {
            // A template may read what a tool says.
            let inside = text.get(span.content..span.end)?;
            let said = conversation.messages.get(others)?.iter().map(|message| message.content.trim());
            let said = said.filter(|said| !said.is_empty());
            let places: Vec<(usize, usize)> =
                said.filter_map(|said| Some((inside.find(said)?, said.len()))).collect();
            let from = places.iter().map(|(at, _)| *at).min()?;
            let to = places.iter().map(|(at, length)| at + length).max()?;
            (span.content + from, span.content + to)
        };
        (from < to && from < span.end && span.start < to).then_some((from.max(span.start), to.min(span.end)))
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
