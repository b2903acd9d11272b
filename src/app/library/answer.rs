//! A question answered from a library: made to stand alone if it follows others, its passages fitted into a prompt, and
//! what the model says held against them. Loads no model.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::app::review;
use crate::config::Folders;
use crate::domain::message::{Message, Role};
use crate::domain::retrieval::FoundPassage;
use crate::rag::answer::{ShownPassage, fit, plain};
use crate::teacher::prompt::Prompt;

/// What is said when nothing in the library is near a question; the prompt asks models for the same words.
pub const NOT_THERE: &str = "Not in the documents.";

/// A passage is near a question from this cosine on: those that answer one have 0.3 and more with sentence models, those
/// about other things 0.1.
const NEAR: f32 = 0.2;
/// Or from this score of BM25 on, which two seldom words in common have: a name or a number is a word, not a meaning.
const WORDS: f32 = 4.0;
/// Turns of the conversation that go with a question at most.
const HISTORY: usize = 6;
/// Characters of a rewritten question at most: a longer one is an answer or a speech.
const LONGEST_QUESTION: usize = 600;

/// The prompts that a library's questions are asked with: the session's own, else the user's, else the shipped ones.
pub struct LibraryPrompts {
    answer: Prompt,
    follow_up: Prompt,
}

/// What a model is asked, and the passages that it sees.
pub struct AnswerPrompt {
    pub messages: Vec<Message>,
    pub shown: Vec<ShownPassage>,
}

impl LibraryPrompts {
    /// # Errors
    /// Where a prompt of the session or the user can't be read.
    pub fn load(folders: &Folders, session: &Path) -> Result<Self> {
        Ok(Self {
            answer: review::prompt(folders, session, "answer")?,
            follow_up: review::prompt(folders, session, "follow-up")?,
        })
    }

    /// What asks a model to make a question stand alone; nothing if it follows none.
    ///
    /// # Errors
    /// Where the prompt names a value that isn't there.
    pub fn follow_up(&self, history: &[Message], question: &str) -> Result<Option<Vec<Message>>> {
        let turns: Vec<_> = recent(history)
            .iter()
            .map(|turn| json!({ "who": if turn.role == Role::User { "Reader" } else { "Answer" }, "text": plain(&turn.content) }))
            .collect();
        if turns.is_empty() {
            return Ok(None);
        }
        self.follow_up.turns(json!({ "turns": turns, "question": plain(question) })).map(Some)
    }

    /// The prompt for an answer from as many of the passages as leave it within so many tokens. Earlier turns go before
    /// passages do: they are what the question is about, and the answer is to be from the passages.
    ///
    /// # Errors
    /// Where the prompt names a value that isn't there, or tokens can't be counted.
    pub fn answer(
        &self,
        question: &str,
        history: &[Message],
        passages: &[FoundPassage],
        budget: usize,
        mut tokens: impl FnMut(&[Message]) -> Result<usize>,
    ) -> Result<AnswerPrompt> {
        let question = plain(question);
        let asked =
            |shown: &[ShownPassage]| self.answer.turns(json!({ "passages": shown, "question": question }));
        let mut history = recent(history);
        let shown = loop {
            let with = |shown: &[ShownPassage]| -> Result<Vec<Message>> { Ok(among(asked(shown)?, history)) };
            let shown = fit(passages, budget, |shown| tokens(&with(shown)?))?;
            if shown.len() == passages.len() || history.is_empty() {
                break shown;
            }
            history = history.get(2..).unwrap_or_default();
        };
        Ok(AnswerPrompt { messages: among(asked(&shown)?, history), shown })
    }
}

/// The question that a model made to stand alone, or the one that was asked if it made none.
#[must_use]
pub fn standing_alone<'q>(written: &'q str, question: &'q str) -> &'q str {
    let line = written.trim().lines().next().unwrap_or_default().trim().trim_matches('"').trim();
    let is_question = !line.is_empty() && line.chars().count() <= LONGEST_QUESTION;
    if is_question { line } else { question }
}

/// The passages that are near enough to a question to be worth an answer: what is about other things misleads a model.
/// Without embeddings a word in common is all that is known.
#[must_use]
pub fn near(passages: Vec<FoundPassage>) -> Vec<FoundPassage> {
    if passages.iter().all(|passage| passage.dense.is_none()) {
        return passages;
    }
    let is_near = |passage: &FoundPassage| {
        passage.dense.is_some_and(|place| place.score >= NEAR)
            || passage.bm25.is_some_and(|place| place.score >= WORDS)
    };
    passages.into_iter().filter(is_near).collect()
}

/// The last turns of a conversation that people and models spoke, beginning with a question.
fn recent(history: &[Message]) -> &[Message] {
    let from = history.len().saturating_sub(HISTORY);
    let last = history.get(from..).unwrap_or_default();
    let first = last.iter().position(|turn| turn.role == Role::User).unwrap_or(last.len());
    last.get(first..).unwrap_or_default()
}

/// A prompt with the conversation's earlier turns before its question.
fn among(mut prompt: Vec<Message>, history: &[Message]) -> Vec<Message> {
    let place = prompt.iter().position(|turn| turn.role != Role::System).unwrap_or(prompt.len());
    prompt.splice(place..place, history.iter().cloned());
    prompt
}
