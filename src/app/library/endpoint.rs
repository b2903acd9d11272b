//! An endpoint of the settings that embeds for a library: asked from whichever thread, stopped when a person wants to,
//! and waited for no longer than somebody with a question waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use reqwest::Url;
use tokio::runtime::Runtime;

use crate::domain::embedder::EmbedderSettings;
use crate::domain::secret;
use crate::rag::embedding::{
    EmbeddedAs, EmbedderAway, EmbeddingModel, EmbeddingPace, EmbeddingStopped, TextEmbedder, TextsTogether,
};
use crate::teacher::clock::MachineClock;
use crate::teacher::embed::{EmbeddingEndpoint, estimated_tokens, fitting};
use crate::teacher::{ApiKey, AskError};

/// Questions whose vectors are remembered, so that the same one costs once.
const QUESTIONS: usize = 512;
/// How often it is looked whether a person wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// An endpoint that embeds.
pub struct EndpointEmbedder {
    endpoint: EmbeddingEndpoint,
    name: String,
    settings: EmbedderSettings,
    model: EmbeddingModel,
    stop: Arc<AtomicBool>,
    /// Nothing only while it is dropped.
    runtime: Option<Runtime>,
    questions: Mutex<HashMap<String, Vec<f32>>>,
}

impl EndpointEmbedder {
    /// Opens an endpoint; it is asked for one vector if nothing says how many dimensions they have.
    ///
    /// # Errors
    /// Where its key is missing, or it gives none.
    pub fn open(
        name: &str,
        settings: EmbedderSettings,
        known: Option<&EmbeddingModel>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self> {
        let key = ApiKey::of(name, &settings.endpoint()).map_err(|error| said(name, &error))?;
        let clock = Arc::new(MachineClock::default());
        let endpoint =
            EmbeddingEndpoint::new(name, settings.clone(), key, clock).map_err(|error| said(name, &error))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let model = EmbeddingModel {
            name: format!("{name}:{}", settings.model),
            dimensions: 0,
            passage_prefix: settings.passage_prefix.clone(),
            query_prefix: settings.query_prefix.clone(),
            endpoint: address(&settings.base_url),
        };
        let mut embedder = Self {
            endpoint,
            name: name.to_owned(),
            settings,
            model,
            stop,
            runtime: Some(runtime),
            questions: Mutex::new(HashMap::new()),
        };
        let is_same = |known: &&EmbeddingModel| {
            known.name == embedder.model.name && known.endpoint == embedder.model.endpoint
        };
        let same = known.filter(is_same).map(|known| known.dimensions);
        let said_dimensions = embedder.settings.dimensions.map(|dimensions| dimensions as usize);
        embedder.model.dimensions = if let Some(dimensions) = said_dimensions.or(same) {
            dimensions
        } else {
            let vectors = embedder.asked(&["dimensions".to_owned()], None, None)?;
            vectors.first().map(Vec::len).context("the endpoint gives no vector")?
        };
        Ok(embedder)
    }

    /// Asks for vectors, for so long at most if somebody waits.
    fn asked(
        &self,
        texts: &[String],
        dimensions: Option<usize>,
        within: Option<Duration>,
    ) -> Result<Vec<Vec<f32>>> {
        let runtime = self.runtime.as_ref().context("the endpoint is closed")?;
        let late = async {
            match within {
                Some(within) => tokio::time::sleep(within).await,
                None => std::future::pending().await,
            }
        };
        runtime.block_on(async {
            tokio::select! {
                vectors = self.endpoint.embed(texts, dimensions) => vectors.map_err(|error| match within {
                    Some(_) => EmbedderAway(said(&self.name, &error).to_string()).into(),
                    None => said(&self.name, &error),
                }),
                () = stopped(&self.stop) => Err(EmbeddingStopped.into()),
                () = late => {
                    let seconds = within.unwrap_or_default().as_secs();
                    let why = self.endpoint.last_trouble().map(|why| format!(" ({why})")).unwrap_or_default();
                    let name = &self.name;
                    Err(EmbedderAway(format!("the embedder {name} gave no vector within {seconds} s{why}")).into())
                }
            }
        })
    }

    fn remembered(&self, question: &str) -> Option<Vec<f32>> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    fn remember(&self, questions: impl Iterator<Item = (String, Vec<f32>)>) {
        let mut known = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= QUESTIONS {
            known.clear();
        }
        known.extend(questions);
    }

    fn fitting(&self, text: &str, embedded_as: EmbeddedAs) -> String {
        fitting(&self.model.said(text, embedded_as), self.longest()).to_owned()
    }
}

/// The address as a library may keep it: it tells one server from another, and holds no key.
fn address(base_url: &str) -> String {
    let whole = || secret::clean(base_url.trim_end_matches('/'));
    let Ok(mut url) = Url::parse(base_url) else { return whole() };
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return whole();
    }
    url.set_query(None);
    url.set_fragment(None);
    secret::clean(url.as_str().trim_end_matches('/'))
}

/// Until a person wants to stop.
async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
}

/// In the words of who embeds: what teachers and embedders have in common speaks of teachers.
fn said(name: &str, error: &AskError) -> anyhow::Error {
    anyhow!("{}", error.to_string().replace(&format!("teacher {name}"), &format!("embedder {name}")))
}

impl Drop for EndpointEmbedder {
    fn drop(&mut self) {
        // Wherever it is dropped: a runtime must not wait for its threads within another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl TextEmbedder for EndpointEmbedder {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    fn embed(&self, texts: &[&str], embedded_as: EmbeddedAs) -> Result<Vec<Vec<f32>>> {
        let asked: Vec<String> = texts.iter().map(|text| self.fitting(text, embedded_as)).collect();
        self.asked(&asked, Some(self.model.dimensions), None)
    }

    fn embed_within(
        &self,
        texts: &[&str],
        embedded_as: EmbeddedAs,
        within: Duration,
    ) -> Result<Vec<Vec<f32>>> {
        let questions: Vec<String> = texts.iter().map(|text| self.fitting(text, embedded_as)).collect();
        let known: Vec<Option<Vec<f32>>> =
            questions.iter().map(|question| self.remembered(question)).collect();
        let lacking = questions.iter().zip(&known).filter(|(_, known)| known.is_none());
        let lacking: Vec<String> = lacking.map(|(question, _)| question.clone()).collect();
        let asked = match lacking.as_slice() {
            [] => Vec::new(),
            lacking => self.asked(lacking, Some(self.model.dimensions), Some(within))?,
        };
        self.remember(lacking.into_iter().zip(asked.iter().cloned()));
        let mut asked = asked.into_iter();
        let vector = |known: Option<Vec<f32>>| known.or_else(|| asked.next());
        known.into_iter().map(vector).collect::<Option<_>>().context("the endpoint gives too few vectors")
    }

    /// Estimated, since nobody here has its tokenizer; the estimate errs high, so that chunks fit.
    fn tokens(&self, text: &str) -> Result<usize> {
        Ok(estimated_tokens(text))
    }

    fn longest(&self) -> usize {
        self.settings.tokens_per_text.max(1) as usize
    }

    fn together(&self) -> TextsTogether {
        TextsTogether::Count(self.settings.texts_per_request.max(1) as usize)
    }

    fn spent(&self) -> Option<String> {
        let spent = self.endpoint.spent();
        Some(format!("{} tokens asked of {} ({})", spent.prompt_tokens, self.model.name, spent.money))
    }

    fn pace(&self) -> EmbeddingPace {
        EmbeddingPace::Slow
    }
}
