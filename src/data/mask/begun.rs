//! Whether answers are trained behind the beginning that the model is asked with: some templates begin a thought for the
//! model when it is to answer (`<think>`), and write the turns that it learns from without it.

use super::Masker;
use super::spans::Span;
use crate::data::chat::Ending;
use crate::data::control::without_signs;
use crate::domain::message::{Conversation, Message, Role};

/// Characters of an answer's beginning that are told.
const TOLD: usize = 40;
/// Bytes that a generation prompt and the head of a turn share at least, so that they are the same head.
const SHARED: usize = 3;

/// An answer that is trained without a part of the generation prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// From 1.
    pub turn: usize,
    /// What the model is asked with, behind the head of its turn.
    pub asked: String,
    /// How the answer begins in its stead.
    pub trained: String,
}

impl Masker<'_> {
    /// What the generation prompt has and a turn lacks with this span.
    pub(super) fn begun(
        &self,
        conversation: Conversation<'_>,
        turn: usize,
        span: Span,
        text: &str,
    ) -> Option<Begun> {
        let own;
        let prompt = if conversation.settings.is_some() {
            own = self.generation_prompt(Conversation { messages: &[], ..conversation })?;
            &own
        } else {
            self.prompt
                .get_or_init(|| {
                    self.generation_prompt(Conversation { messages: &[], tools: &[], settings: None })
                })
                .as_ref()?
        };
        let (head, answer) = text.split_at_checked(span.content)?;
        if prompt.is_empty() || head.ends_with(prompt.as_str()) {
            return None;
        }
        let ends = |cut: &usize| {
            let shared = prompt.get(..*cut).unwrap_or_default();
            shared.trim().len() >= SHARED && head.ends_with(shared)
        };
        let cut = prompt.char_indices().map(|(at, _)| at).rev().find(ends)?;
        let asked = prompt.get(cut..)?;
        if answer.trim_start().starts_with(asked.trim()) {
            return None;
        }
        let said = answer.get(..span.end.saturating_sub(span.content)).unwrap_or(answer);
        let trained: String = said.chars().take(TOLD).collect();
        let trained = without_signs(&trained).into_owned();
        Some(Begun { turn: turn + 1, asked: asked.to_owned(), trained })
    }

    /// What the template adds to a question for the model to answer.
    fn generation_prompt(&self, given: Conversation<'_>) -> Option<String> {
        let asked = [Message::new(Role::User, "Hi")];
        let conversation = Conversation { messages: &asked, ..given };
        let prompt = self.template.render(conversation, Ending::GenerationPrompt).ok()?;
        let without = self.template.render(conversation, Ending::Complete).ok()?;
        prompt.strip_prefix(&without).map(str::to_owned)
    }
}

/// In a sentence, of so many examples: the first one and its place.
#[must_use]
pub fn begun_otherwise(count: usize, all: usize, place: &str, first: &Begun) -> String {
    let Begun { turn, asked, trained } = first;
    format!(
        "the model is asked with {asked:?} at the beginning of its turn, and the chat template trains answers without it \
         in {count} of {all} examples, so the model learns another beginning than it is asked with; write a thought into \
         each answer, or give the model a chat template that begins turns as it asks for them; the first is {place}: \
         turn {turn} begins {trained:?}"
    )
}
