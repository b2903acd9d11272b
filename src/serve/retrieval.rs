//! A conversation on its way through a library: its question made to stand alone, passages found for it, and the prompt
//! that shows them. Nothing is locked meanwhile, and what computes long does so beside the thread that answers.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use serde_json::{Map, Value};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::answer::{failed, fault, gather};
use super::error::ApiError;
use super::library::{CountTokens, NearPassages, ServedLibrary};
use super::options::Options;
use super::shelf::ModelInUse;
use super::sources::Sources;
use super::template_settings::THINKING;
use crate::domain::message::{Conversation, Message};
use crate::engine::generate::{Event, Finish, GenerateRequest, RequestId, Usage, What};
use crate::rag::answer::{AskedConversation, NOT_THERE, QUESTION_TOKENS, prompt_budget, standing_alone};

/// Tokens that an answer has room for at least if its client names no number, as `dojo rag ask` has it.
const ANSWER: usize = 256;
/// Numbers of answers that no generator wrote; its own count from 0.
const UNWRITTEN: u64 = 1 << 40;

/// A question for a library.
pub(crate) struct LibraryQuestion {
    pub library: ServedLibrary,
    pub model: ModelInUse,
    /// The field that holds the conversation.
    pub field: &'static str,
    pub asked: AskedConversation,
    /// What is said to the template beside the conversation.
    pub settings: Option<Map<String, Value>>,
    /// Tokens that the client allows.
    pub most: Option<usize>,
}

/// What the library gave.
pub(crate) struct Retrieved {
    pub model: ModelInUse,
    /// What the model is asked; nothing if nothing in the library is near the question.
    pub messages: Option<Vec<Message>>,
    pub settings: Option<Map<String, Value>>,
    pub sources: Sources,
}

impl LibraryQuestion {
    pub(crate) async fn retrieve(self) -> Result<Retrieved, ApiError> {
        let (own, question, rewriting) = self.standing_alone().await?;
        let found = own.library.library.find(question.clone()).await;
        let found = found.map_err(|error| own.library.unavailable(&error))?;
        let (own, made) = own.beside(move |own| own.made(question, found, rewriting)).await?;
        let (messages, sources) = made?;
        let Self { model, settings, .. } = own;
        Ok(Retrieved { model, messages, settings, sources })
    }

    /// Does what takes long on a thread that may wait.
    async fn beside<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<(Self, T), ApiError> {
        let working = tokio::task::spawn_blocking(move || {
            let outcome = work(&self);
            (self, outcome)
        });
        working.await.map_err(|error| {
            tracing::error!("a question for a library broke off: {error}");
            let message = "the question can't be put to the library: that is a fault of the server";
            ApiError::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, message)
        })
    }

    /// The question as it can be understood alone, and what the model that made it so took.
    async fn standing_alone(self) -> Result<(Self, String, Option<Usage>), ApiError> {
        if self.asked.history.is_empty() {
            let question = self.asked.question.clone();
            return Ok((self, question, None));
        }
        let (own, request) = self.beside(Self::rewriting).await?;
        let Some(request) = request? else {
            let question = own.asked.question.clone();
            return Ok((own, question, None));
        };
        let events = own.model.start(vec![request], own.field, &Options::default()).await?;
        let (choices, _) = gather(events, (1, 1)).await;
        let written = choices.into_iter().next().unwrap_or_default();
        if let Some(fault) = fault(written.why) {
            return Err(failed(fault, None));
        }
        let question = standing_alone(&written.text, &own.asked.question).to_owned();
        Ok((own, question, Some(written.usage)))
    }

    /// What asks the model to make the question stand alone.
    fn rewriting(&self) -> Result<Option<GenerateRequest>, ApiError> {
        let budget = self.model.context().saturating_sub(QUESTION_TOKENS);
        let library = &self.library.library;
        let messages = library.follow_up(&self.asked, budget, &mut |turns| Ok(self.brief(turns)?.len()));
        let Some(messages) = messages.map_err(|error| self.library.unavailable(&error))? else {
            return Ok(None);
        };
        let prompt = self.brief(&messages).map_err(|error| self.refused(&error))?;
        let mut request = GenerateRequest::new(prompt, QUESTION_TOKENS);
        request.adapter = self.model.adapter;
        Ok(Some(request))
    }

    /// The prompt with the passages, and where its answer will be from.
    fn made(
        &self,
        question: String,
        found: NearPassages,
        rewriting: Option<Usage>,
    ) -> Result<(Option<Vec<Message>>, Sources), ApiError> {
        let NearPassages { mut passages, languages } = found;
        let budget =
            prompt_budget(self.model.context(), self.most.unwrap_or(ANSWER), self.library.prompt_tokens);
        let (mut messages, mut left_out) = (None, 0);
        if !passages.is_empty() {
            let mut refused = None;
            let tokens: CountTokens<'_> = &mut |turns| match self.tokens(turns) {
                Ok(tokens) => Ok(tokens.len()),
                Err(error) => {
                    refused = Some(self.refused(&error));
                    Err(error)
                }
            };
            let library = &self.library.library;
            let prompt = library.prompt(&self.asked, &question, &passages, budget, tokens);
            if let Some(refused) = refused {
                return Err(refused);
            }
            let prompt = prompt.map_err(|error| self.library.unavailable(&error))?;
            if prompt.shown.is_empty() {
                return Err(self.no_room(budget));
            }
            left_out = passages.len() - prompt.shown.len().min(passages.len());
            passages.truncate(prompt.shown.len());
            messages = Some(prompt.messages);
        }
        let name = self.library.name.clone();
        let sources = Sources::new(name, question, (passages, left_out), &languages, rewriting);
        Ok((messages, sources.map_err(|error| self.library.unavailable(&error))?))
    }

    /// As tokens for a model that isn't to think, if its template can say so.
    fn brief(&self, messages: &[Message]) -> Result<Vec<u32>> {
        let mut settings = self.settings.clone();
        if self.model.prompter.reads_setting(THINKING) {
            settings.get_or_insert_default().insert(THINKING.to_owned(), Value::Bool(false));
        }
        let settings = settings.as_ref();
        self.model.prompter.conversation(Conversation { messages, tools: &[], settings })
    }

    fn tokens(&self, messages: &[Message]) -> Result<Vec<u32>> {
        let settings = self.settings.as_ref();
        self.model.prompter.conversation(Conversation { messages, tools: &[], settings })
    }

    fn refused(&self, error: &anyhow::Error) -> ApiError {
        ApiError::bad(format!("{error:#}")).parameter(self.field)
    }

    /// No passage fits: in the words that clients look for before they try a shorter conversation.
    fn no_room(&self, budget: usize) -> ApiError {
        let message = format!(
            "the best passage of the library {} doesn't fit a prompt of {budget} tokens beside the question: send a \
             shorter conversation or a smaller number of tokens to answer in, or start the server with more \
             --library-prompt-tokens",
            self.library.name
        );
        ApiError::bad(message).code("context_length_exceeded").parameter(self.field)
    }
}

/// The events of an answer that no model was asked for: nothing in the library is near the question.
pub(crate) fn not_there(choices: usize) -> UnboundedReceiver<Event> {
    static COUNT: AtomicU64 = AtomicU64::new(UNWRITTEN);
    let request = RequestId(COUNT.fetch_add(1, Ordering::Relaxed));
    #[expect(clippy::disallowed_methods, reason = "holds one event for each choice")]
    let (events, receiver) = unbounded_channel();
    for choice in 0..choices {
        let what =
            What::Finished { text: NOT_THERE.to_owned(), why: Finish::EndToken, usage: Usage::default() };
        // Its other end is given back below.
        events.send(Event { request, choice, what }).ok();
    }
    receiver
}
