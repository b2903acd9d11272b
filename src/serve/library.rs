//! Libraries that answers are given from, and which of them a request means. Knows neither their files nor their
//! prompts: whoever starts the server hands them in.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, ensure};
use axum::http::StatusCode;
use futures::future::BoxFuture;
use serde_json::Value;

use super::error::ApiError;
use super::fields::{Fields, wrong};
use super::tools::Tools;
use crate::domain::message::{Message, Role};
use crate::domain::retrieval::FoundPassage;
use crate::rag::answer::{AnswerPrompt, AskedConversation};

/// The field of a request that names a library.
const FIELD: &str = "library";

/// Counts the tokens of a prompt.
pub type CountTokens<'a> = &'a mut dyn FnMut(&[Message]) -> Result<usize>;

/// What finds passages and puts them into prompts.
pub trait AnswerLibrary: Send + Sync {
    /// What asks a model to make a conversation's question stand alone, within so many tokens; nothing if it follows
    /// none.
    ///
    /// # Errors
    /// Where its prompt can't be read or filled in.
    fn follow_up(
        &self,
        asked: &AskedConversation,
        budget: usize,
        tokens: CountTokens<'_>,
    ) -> Result<Option<Vec<Message>>>;

    /// The passages near a question, best first; none if nothing is near.
    fn find(&self, question: String) -> BoxFuture<'static, Result<NearPassages>>;

    /// The prompt for an answer from as many of the passages as leave it within so many tokens.
    ///
    /// # Errors
    /// Where its prompt can't be read or filled in.
    fn prompt(
        &self,
        asked: &AskedConversation,
        question: &str,
        passages: &[FoundPassage],
        budget: usize,
        tokens: CountTokens<'_>,
    ) -> Result<AnswerPrompt>;

    /// Told of what went wrong, for whoever runs the server: it may name files.
    fn complain(&self, error: &anyhow::Error);
}

/// What is near a question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NearPassages {
    pub passages: Vec<FoundPassage>,
    /// Of the library's documents (ISO 639-1).
    pub languages: Vec<String>,
}

/// A library that is served.
#[derive(Clone)]
pub struct ServedLibrary {
    /// What clients call it.
    pub name: String,
    /// Tokens of a prompt with its passages at most.
    pub prompt_tokens: usize,
    pub library: Arc<dyn AnswerLibrary>,
}

/// All libraries of a server; the first answers where a request names none.
#[derive(Clone, Default)]
pub(crate) struct Libraries(Arc<[ServedLibrary]>);

impl Libraries {
    /// # Errors
    /// Where two have one name.
    pub(crate) fn new(all: Vec<ServedLibrary>) -> Result<Self> {
        let mut names = BTreeSet::new();
        for library in &all {
            ensure!(
                names.insert(&library.name),
                "two libraries are called {}: give one of them",
                library.name
            );
        }
        Ok(Self(all.into()))
    }

    /// The library that a request is to be answered from, if from any.
    pub(crate) fn asked(&self, fields: &mut Fields) -> Result<Option<ServedLibrary>, ApiError> {
        let first = self.0.first();
        match fields.value(FIELD) {
            None => Ok(first.cloned()),
            Some(Value::Bool(false)) => Ok(None),
            Some(Value::Bool(true)) => first.map(|first| Some(first.clone())).ok_or_else(none_here),
            Some(Value::String(name)) => {
                let named = self.0.iter().find(|library| library.name == name);
                named.map(|library| Some(library.clone())).ok_or_else(|| self.unknown(&name))
            }
            Some(other) => Err(wrong(FIELD, "a library's name, true or false", &other)),
        }
    }

    fn unknown(&self, name: &str) -> ApiError {
        if self.0.is_empty() {
            return none_here();
        }
        let known: Vec<&str> = self.0.iter().map(|library| library.name.as_str()).collect();
        not_found(format!("there is no library {name:?} here, but {}", known.join(", ")))
    }
}

/// A request of an endpoint that has no questions: it may say that it wants no library, and nothing else.
pub(crate) fn refuse(fields: &mut Fields) -> Result<(), ApiError> {
    match fields.value(FIELD) {
        None | Some(Value::Bool(false)) => Ok(()),
        Some(_) => {
            let message = "library can't be given here: plain text asks no question. Send it to \
                           /v1/chat/completions or /v1/responses";
            Err(ApiError::bad(message).parameter(FIELD))
        }
    }
}

impl ServedLibrary {
    /// The conversation in a field as its library is asked; what can't be answered from a library is refused.
    pub(crate) fn conversation(
        &self,
        field: &'static str,
        messages: &[Message],
        tools: Option<&Tools>,
    ) -> Result<AskedConversation, ApiError> {
        let help = "or send \"library\": false";
        if tools.is_some() {
            let message = format!(
                "tools and library can't both be used, since an answer from the library {} is from its passages \
                 alone: leave tools out, {help}",
                self.name
            );
            return Err(ApiError::bad(message).parameter("tools"));
        }
        if messages.iter().any(|turn| turn.role == Role::Tool || !turn.tool_calls().is_empty()) {
            let message = format!(
                "{field} has calls of tools, and an answer from the library {} is from its passages alone: leave \
                 them out, {help}",
                self.name
            );
            return Err(ApiError::bad(message).parameter(field));
        }
        AskedConversation::of(messages).ok_or_else(|| {
            let message = format!(
                "the last turn of {field} isn't the user's, and the library {} needs a question: end with one, {help}",
                self.name
            );
            ApiError::bad(message).parameter(field)
        })
    }

    /// What a client is told when the library fails; why is for whoever runs the server.
    pub(crate) fn unavailable(&self, error: &anyhow::Error) -> ApiError {
        self.library.complain(error);
        let message =
            format!("the library {} can't be read now: the server has written why to its log", self.name);
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message).code("library_unavailable").parameter(FIELD)
    }
}

fn none_here() -> ApiError {
    not_found("this server has no library: start it with `dojo serve --library NAME`".to_owned())
}

fn not_found(message: String) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, message).code("library_not_found").parameter(FIELD)
}
