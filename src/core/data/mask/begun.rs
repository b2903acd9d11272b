//! Whether answers are trained behind the beginning that the model is asked with: some templates begin a thought for the
//! model when it is to answer (`<think>`), and write the turns that it learns from without it.

use super::Masker;
use super::spans::LearntSpan;
use crate::data::chat::RenderEnding;
use crate::data::control::without_signs;
use crate::domain::inline_thought::MARKS;
use crate::domain::message::{Conversation, Message, Role};

/// Characters of an answer's beginning that are told.
const TOLD: usize = 40;
/// Bytes that a generation prompt and the head of a turn share at least, so that they are the same head.
const SHARED: usize = 3;

/// An answer that is trained without a part of the generation prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunAnswer {
    /// From 1.
    pub turn: usize,
    /// What the model is asked with, behind the head of its turn.
    pub asked: String,
    /// How the answer begins in its stead.
    pub trained: String,
    pub how: Otherwise,
}

/// How an answer's beginning differs from what the model is asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The template writes it without that.
    Lacking,
    /// Its first token holds that too, which the model is asked with as a token of its own.
    Joined,
    /// Behind a head that the model isn't asked with: the template adds nothing for it to answer.
    Unasked,
}

/// What a template adds to a question for the model to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GenerationPrompt {
    prompt: String,
    /// Whether an answer to that question is written behind it, as far as the template writes one.
    is_written: bool,
}

impl Masker<'_> {
    /// What the generation prompt has and a turn lacks with this span.
    pub(super) fn begun(
        &self,
        conversation: Conversation<'_>,
        turn: usize,
        span: LearntSpan,
        text: &str,
    ) -> Option<BegunAnswer> {
        let own;
        let GenerationPrompt { prompt, is_written } = if conversation.settings.is_some() {
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
        let said = answer.get(..span.end.saturating_sub(span.content)).unwrap_or(answer);
        if prompt.is_empty() {
            let unasked = self.unasked();
            let stands = !unasked.trim().is_empty() && span.start == span.content && head.ends_with(unasked);
            return stands.then(|| BegunAnswer::of(turn, unasked, said, Otherwise::Unasked));
        }
        // Behind it the model may write more itself, before the answer's own text.
        let starts = text.get(..span.start).is_some_and(|before| before.ends_with(prompt.as_str()));
        if starts || head.ends_with(prompt.as_str()) {
            return None;
        }
        let ends = |cut: &usize| {
            let shared = prompt.get(..*cut).unwrap_or_default();
            shared.trim().len() >= SHARED && head.ends_with(shared)
        };
        let Some(cut) = prompt.char_indices().map(|(at, _)| at).rev().find(ends) else {
            // Another head altogether, if it isn't only this turn that has one of its own.
            let from = span.start - last_line(text.get(..span.start)?).len();
            return (!is_written).then(|| {
                BegunAnswer::of(
                    turn,
                    prompt,
                    text.get(from..span.end).unwrap_or_default(),
                    Otherwise::Lacking,
                )
            });
        };
        let asked = prompt.get(cut..)?;
        let begins = match asked.trim() {
            "" => answer.starts_with(asked),
            asked => answer.trim_start().starts_with(asked),
        };
        (!begins).then(|| BegunAnswer::of(turn, asked, said, Otherwise::Lacking))
    }

    /// What the template adds to a question for the model to answer.
    fn generation_prompt(&self, given: Conversation<'_>) -> Option<GenerationPrompt> {
        let turns = [Message::new(Role::User, "Hi"), Message::new(Role::Assistant, "Aye")];
        let asked = Conversation { messages: turns.get(..1)?, ..given };
        let prompted = self.template.render(asked, RenderEnding::GenerationPrompt).ok()?;
        let without = self.template.render(asked, RenderEnding::Complete).ok()?;
        let prompt = prompted.strip_prefix(&without)?.to_owned();
        let answered =
            self.template.render(Conversation { messages: &turns, ..given }, RenderEnding::Complete);
        let is_written = answered.map_or(true, |answered| answered.starts_with(&prompted));
        Some(GenerationPrompt { prompt, is_written })
    }
}

impl BegunAnswer {
    pub(super) fn of(turn: usize, asked: &str, trained: &str, how: Otherwise) -> Self {
        let trained: String = trained.chars().take(TOLD).collect();
        let trained = without_signs(&trained).into_owned();
        Self { turn: turn + 1, asked: asked.to_owned(), trained, how }
    }
}

/// The end of a text from its last line on that has any ink; of a long one its end.
fn last_line(text: &str) -> &str {
    let start = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
    let near = (text.len().saturating_sub(TOLD)..=text.len()).find(|&at| text.is_char_boundary(at));
    text.get(start.max(near.unwrap_or(start))..).unwrap_or_default()
}

/// In a sentence, of so many examples: the first one and its place.
#[must_use]
pub fn begun_otherwise(count: usize, all: usize, place: &str, first: &BegunAnswer) -> String {
    let BegunAnswer { turn, asked, trained, how } = first;
    if *how == Otherwise::Joined {
        return format!(
            "the model is asked with {asked:?} at the end of the prompt, and in {count} of {all} examples that is a part \
             of the answer's first token, so the model learns to write it and has been given it when it is asked; give \
             the model a chat template whose prompt ends without it; the first is {place}: turn {turn} begins {trained:?}"
        );
    }
    if *how == Otherwise::Unasked {
        return format!(
            "the chat template adds nothing when the model is asked to answer, and writes {asked:?} in front of the answers \
             in {count} of {all} examples, which isn't learnt, so the model learns to answer behind something that it isn't \
             asked with; give the model a chat template that heeds add_generation_prompt; the first is {place}: turn {turn} \
             begins {trained:?}"
        );
    }
    let thinks = MARKS.iter().any(|(mark, _)| asked.contains(mark));
    let then = if thinks { "write a thought into each answer, or give" } else { "give" };
    format!(
        "the model is asked with {asked:?} at the beginning of its turn, and the chat template trains answers without it \
         in {count} of {all} examples, so the model learns another beginning than it is asked with; {then} the model a \
         chat template that begins turns as it asks for them; the first is {place}: turn {turn} begins {trained:?}"
    )
}
