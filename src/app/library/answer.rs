//! A question answered from a library: made to stand alone if it follows others, its passages fitted into a prompt, and
//! what the model says held against them. Loads no model.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::app::review;
use crate::config::Folders;
use crate::domain::message::{Message, Role};
use crate::domain::retrieval::{FoundPassage, FoundPassages, LibraryFilter, PassageQuery, SearchMode};
pub use crate::rag::answer::{AnswerPrompt, NOT_THERE, near, standing_alone};
use crate::rag::answer::{AskedConversation, ShownPassage, fit, recent, without_the_oldest};
use crate::teacher::prompt::Prompt;

use super::open::{OpenLibrary, QuestionVectors, Reranking};

/// The prompts that a library's questions are asked with: the session's own, else the user's, else the shipped ones.
pub struct LibraryPrompts {
    answer: Prompt,
    follow_up: Prompt,
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

    /// What asks a model to make a conversation's question stand alone, within so many tokens: the turns before it that
    /// leave room for it, the latest. Nothing if it follows none.
    ///
    /// # Errors
    /// Where the prompt names a value that isn't there, or tokens can't be counted.
    pub fn follow_up(
        &self,
        asked: &AskedConversation,
        budget: usize,
        mut tokens: impl FnMut(&[Message]) -> Result<usize>,
    ) -> Result<Option<Vec<Message>>> {
        let mut history = recent(&asked.history);
        while !history.is_empty() {
            let who = |turn: &Message| if turn.role == Role::User { "Reader" } else { "Answer" };
            let turns: Vec<_> =
                history.iter().map(|turn| json!({ "who": who(turn), "text": turn.content })).collect();
            let prompt = self.follow_up.turns(json!({ "turns": turns, "question": asked.question }))?;
            if tokens(&prompt)? <= budget {
                return Ok(Some(prompt));
            }
            history = without_the_oldest(history);
        }
        Ok(None)
    }

    /// The prompt for the answer to a conversation's question, made to stand alone: as [`Self::answer`], under what the
    /// conversation tells the model before everything else.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn in_conversation(
        &self,
        asked: &AskedConversation,
        question: &str,
        passages: &[FoundPassage],
        budget: usize,
        mut tokens: impl FnMut(&[Message]) -> Result<usize>,
    ) -> Result<AnswerPrompt> {
        let counted = |messages: &[Message]| tokens(&asked.under_own(messages.to_vec()));
        let AnswerPrompt { messages, shown } =
            self.answer(question, &asked.history, passages, budget, counted)?;
        Ok(AnswerPrompt { messages: asked.under_own(messages), shown })
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
        let asked =
            |shown: &[ShownPassage]| self.answer.turns(json!({ "passages": shown, "question": question }));
        let mut history = recent(history);
        let shown = loop {
            let with = |shown: &[ShownPassage]| -> Result<Vec<Message>> { Ok(among(asked(shown)?, history)) };
            let shown = fit(passages, budget, |shown| tokens(&with(shown)?))?;
            if shown.len() == passages.len() || history.is_empty() {
                break shown;
            }
            history = without_the_oldest(history);
        };
        Ok(AnswerPrompt { messages: among(asked(&shown)?, history), shown })
    }
}

/// A prompt with the conversation's earlier turns before its question.
fn among(mut prompt: Vec<Message>, history: &[Message]) -> Vec<Message> {
    let place = prompt.iter().position(|turn| turn.role != Role::System).unwrap_or(prompt.len());
    prompt.splice(place..place, history.iter().cloned());
    prompt
}

/// Passages for a question that a model made or a person asked in a chat; near or not. A library without embeddings is
/// searched by its words; models that expand and rerank are those of the settings.
///
/// # Errors
/// Where the library or its embedding model can't be opened or read.
pub(in crate::app) fn find(
    open: &mut OpenLibrary,
    question: &str,
    (top, filter): (usize, LibraryFilter),
) -> Result<FoundPassages> {
    let query = PassageQuery { filter, ..asked_as(question, SearchMode::Hybrid, top) };
    let found = open.search(QuestionVectors::Wanted, query, Reranking::AsSet);
    open.let_go();
    found
}

/// How a question of a conversation is searched for.
pub(in crate::app) fn asked_as(question: &str, mode: SearchMode, top: usize) -> PassageQuery {
    PassageQuery { words: question.to_owned(), mode, top, ..PassageQuery::default() }
}
