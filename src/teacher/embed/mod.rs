//! An OpenAI-compatible endpoint that embeds texts: asked at the pace that it allows, and again where that may help. What
//! comes back is checked before anyone sees it. Keeps no vector: whoever asks does, batch by batch.

mod reply;
mod tokens;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::attempts::{EndpointLine, TriedAttempts};
use super::budget::Spending;
use super::clock::Clock;
use super::error::AskError;
use super::key::ApiKey;
use super::send::{self, SendContext, SendOutcome, Trouble, TroubleKind};
use crate::domain::embedder::EmbedderSettings;
use crate::domain::teacher::TeacherSettings;
use crate::ground::hash;

pub use tokens::{estimated as estimated_tokens, fitting};

/// A text that is too long for the endpoint is cut by a quarter, so often at most.
const CUTS: usize = 24;
/// A text of so many bytes is too long for nobody.
const SHORTEST: usize = 16;

/// An endpoint that embeds.
pub struct EmbeddingEndpoint {
    name: String,
    settings: EmbedderSettings,
    endpoint: TeacherSettings,
    key: Option<ApiKey>,
    http: reqwest::Client,
    line: EndpointLine,
    shared: Mutex<EndpointState>,
}

struct EndpointState {
    spent: Spending,
    /// Whether it takes `encoding_format`, as far as is known.
    packed: bool,
}

impl EmbeddingEndpoint {
    /// Opens an endpoint; asks nothing yet.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(
        name: impl Into<String>,
        settings: EmbedderSettings,
        key: Option<ApiKey>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AskError> {
        let (name, endpoint) = (name.into(), settings.endpoint());
        let http = send::http(1).map_err(|error| AskError::Unreachable {
            teacher: name.clone(),
            why: error.without_url().to_string(),
        })?;
        let line =
            EndpointLine::new(&name, clock, (settings.requests_per_minute, settings.tokens_per_minute));
        let shared = Mutex::new(EndpointState { spent: Spending::default(), packed: true });
        Ok(Self { name, settings, endpoint, key, http, line, shared })
    }

    /// What was asked and spent so far.
    #[must_use]
    pub fn spent(&self) -> Spending {
        self.shared().spent
    }

    /// What went wrong last.
    #[must_use]
    pub fn last_trouble(&self) -> Option<String> {
        self.line.troubles().1
    }

    /// Embeds texts, one vector of length 1 for each in their order. All must have `dimensions`, if that is known.
    ///
    /// # Errors
    /// Where it refuses, can't be reached, or gives what is no embedding of these texts.
    pub async fn embed(
        &self,
        texts: &[String],
        dimensions: Option<usize>,
    ) -> Result<Vec<Vec<f32>>, AskError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for some in self.requests(texts) {
            vectors.extend(self.some(some, dimensions).await?);
        }
        Ok(vectors)
    }

    /// Texts of one request: not too many, and not too many tokens.
    fn requests<'t>(&self, texts: &'t [String]) -> Vec<&'t [String]> {
        let most = self.settings.texts_per_request.max(1) as usize;
        let room = self.settings.tokens_per_request.max(1) as usize;
        let (mut requests, mut begin, mut held) = (Vec::new(), 0, 0);
        for (place, text) in texts.iter().enumerate() {
            let tokens = estimated_tokens(text);
            if place > begin && (place - begin >= most || held + tokens > room) {
                requests.extend(texts.get(begin..place));
                (begin, held) = (place, 0);
            }
            held += tokens;
        }
        requests.extend(texts.get(begin..).filter(|rest| !rest.is_empty()));
        requests
    }

    /// One request. If a text is too long for the endpoint, each is asked for by itself, and cut until it fits: nobody
    /// but the endpoint knows its tokens.
    async fn some(&self, texts: &[String], dimensions: Option<usize>) -> Result<Vec<Vec<f32>>, AskError> {
        match self.attempts(texts, dimensions).await {
            Err(error) if is_too_long(&error) => {}
            ended => return ended,
        }
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            let mut text = text.clone();
            let mut cuts = 0;
            vectors.extend(loop {
                match self.attempts(std::slice::from_ref(&text), dimensions).await {
                    Err(error) if is_too_long(&error) && cuts < CUTS && text.len() > SHORTEST => {
                        cuts += 1;
                        text = tokens::beginning(&text, text.len() / 4 * 3).to_owned();
                    }
                    ended => break ended?,
                }
            });
        }
        Ok(vectors)
    }

    async fn attempts(&self, texts: &[String], dimensions: Option<usize>) -> Result<Vec<Vec<f32>>, AskError> {
        let mut tried = TriedAttempts::default();
        let tokens: usize = texts.iter().map(|text| estimated_tokens(text)).sum();
        let salt = texts.first().map_or(0, |text| hash::of_bytes(text.as_bytes()));
        loop {
            let started = self.line.start(tokens as u64, &tried).await?;
            let sending = SendContext {
                teacher: &self.name,
                settings: &self.endpoint,
                key: self.key.as_ref(),
                http: &self.http,
                date: self.line.clock().date(),
            };
            let packed = self.shared().packed;
            let outcome = sending.post("embeddings", self.body(texts, packed), false).await;
            started.ended();
            let trouble = match outcome {
                Ok(bytes) => match reply::read(&bytes, texts.len(), dimensions) {
                    Ok(reply) => return Ok(self.paid(reply, tokens as u64)),
                    Err(reply::BadReply::Broken(why)) => {
                        let why = sending.clean(&why);
                        Trouble { kind: TroubleKind::Broken, why, wait: None }
                    }
                    Err(reply::BadReply::Wrong(why)) => {
                        self.line.refused();
                        return Err(AskError::Unusable { teacher: self.name.clone(), why });
                    }
                },
                Err(SendOutcome::Again(trouble)) => trouble,
                Err(SendOutcome::End(error)) => {
                    self.line.refused();
                    if !(packed && names_packing(&error)) {
                        return Err(error);
                    }
                    self.shared().packed = false;
                    continue;
                }
                Err(SendOutcome::Answer(_) | SendOutcome::NoSchema) => {
                    self.line.refused();
                    let why = "it answered as if it had been asked to chat".to_owned();
                    return Err(AskError::Unusable { teacher: self.name.clone(), why });
                }
            };
            self.line.failed(trouble, &mut tried, salt).await?;
        }
    }

    fn body(&self, texts: &[String], packed: bool) -> String {
        let mut body = json!({ "model": self.settings.model, "input": texts });
        if packed {
            // A third of the bytes, and no number loses a digit.
            body["encoding_format"] = Value::from("base64");
        }
        if let Some(dimensions) = self.settings.dimensions {
            body["dimensions"] = Value::from(dimensions);
        }
        body.to_string()
    }

    fn paid(&self, reply: reply::EmbeddingReply, estimated: u64) -> Vec<Vec<f32>> {
        let prompt_tokens = reply.tokens.unwrap_or(estimated);
        let cost =
            Spending { money: self.endpoint.cost(prompt_tokens, 0), prompt_tokens, ..Spending::default() };
        self.line.answered();
        let mut shared = self.shared();
        shared.spent = shared.spent.plus(cost);
        reply.vectors
    }

    fn shared(&self) -> MutexGuard<'_, EndpointState> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a refusal says that a text has too many tokens. Endpoints have no common code for it.
fn is_too_long(error: &AskError) -> bool {
    let AskError::Refused { status: 400 | 413 | 422, message, .. } = error else { return false };
    let said = message.to_lowercase();
    let long = ["maximum", "more than", "too long", "too large", "context length", "exceed", "at most"];
    said.contains("token") && long.iter().any(|words| said.contains(words))
}

/// Whether a refusal is about how vectors are to be written.
fn names_packing(error: &AskError) -> bool {
    let AskError::Refused { status: 400 | 422, message, .. } = error else { return false };
    let said = message.to_lowercase();
    said.contains("encoding_format") || said.contains("base64")
}
