//! What embeds for a library, by its name: an endpoint of the settings, or a model of this machine. The one place that
//! opens either.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::runtime::Runtime;

use super::LocalEmbedder;
use crate::config::Folders;
use crate::domain::embedder::EmbedderSettings;
use crate::engine::hub::{self, Network, PullProgress};
use crate::rag::embedding::{EmbeddedAs, EmbeddingModel, EmbeddingStopped, TextEmbedder, TextsTogether};
use crate::teacher::clock::MachineClock;
use crate::teacher::embed::{EmbeddingEndpoint, estimated_tokens, fitting};
use crate::teacher::{ApiKey, AskError};

/// Questions whose vectors are remembered, so that the same one costs once.
const QUESTIONS: usize = 512;
/// How often it is looked whether a person wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// A boxed embedder, which may be handed to another thread.
pub type OpenEmbedder = Box<dyn TextEmbedder + Send>;

/// How an embedder is opened.
pub struct EmbedderOpening<'a> {
    pub folders: &'a Folders,
    /// Whether a model that isn't on this machine is fetched.
    pub network: Network,
    pub progress: &'a mut dyn PullProgress,
    /// What a library remembers of the model: its dimensions aren't asked for then.
    pub known: Option<&'a EmbeddingModel>,
    /// Set when a person wants to stop: an endpoint may take its time.
    pub stop: Arc<AtomicBool>,
}

/// Opens what embeds under a name: `NAME` or `NAME:MODEL` of `[embedders.NAME]` in the settings, else a model of this
/// machine (its short name, or its folder).
///
/// # Errors
/// Where there is neither, a key is missing, the settings name another model by now, or the endpoint gives no vector.
pub fn open_embedder(name: &str, opening: EmbedderOpening<'_>) -> Result<OpenEmbedder> {
    if let Some((endpoint, settings, model)) = of_settings(opening.folders, name)? {
        if let Some(model) = model.filter(|model| *model != settings.model) {
            bail!(
                "it is embedded with {model} of {endpoint}, and settings.toml names {} there now: change it back, or \
                 `dojo rag embed --model {endpoint}` embeds it anew",
                settings.model
            );
        }
        return Ok(Box::new(EndpointEmbedder::open(&endpoint, settings, opening.known, opening.stop)?));
    }
    // The library remembers it, and may be asked from another folder.
    let whole = Path::new(name).canonicalize().ok().filter(|_| Path::new(name).components().count() > 1);
    let whole = whole.map(|path| path.to_string_lossy().into_owned());
    let named = whole.as_deref().unwrap_or(name);
    let files = hub::resolve(&opening.folders.models(), named, opening.network, opening.progress);
    let files = files.with_context(|| match opening.network {
        Network::Offline => format!("open the library's embedding model; `dojo pull {name}` fetches it"),
        Network::Allowed => format!("open the embedding model {name}"),
    })?;
    Ok(Box::new(LocalEmbedder::open(&files)?))
}

/// The endpoint of that name, with the model that the name says if it says one.
fn of_settings<'n>(
    folders: &Folders,
    name: &'n str,
) -> Result<Option<(String, EmbedderSettings, Option<&'n str>)>> {
    let (settings, left_out) = folders.read_settings();
    let found = |endpoint: &str| settings.embedders.get(endpoint).cloned();
    if let Some(endpoint) = found(name) {
        return Ok(Some((name.to_owned(), endpoint, None)));
    }
    let Some((endpoint, model)) = name.split_once(':') else {
        let broken = left_out.iter().find(|told| told.contains(&format!("embedders.{name} ")));
        return broken.map_or(Ok(None), |told| Err(anyhow!("open the embedder {name}: {told}")));
    };
    Ok(found(endpoint).map(|settings| (endpoint.to_owned(), settings, Some(model))))
}

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
        let same = known.filter(|known| known.name == embedder.model.name);
        let said_dimensions = embedder.settings.dimensions.map(|dimensions| dimensions as usize);
        embedder.model.dimensions =
            if let Some(dimensions) = said_dimensions.or(same.map(|known| known.dimensions)) {
                dimensions
            } else {
                let vectors = embedder.asked(&["dimensions".to_owned()], None)?;
                vectors.first().map(Vec::len).context("the endpoint gives no vector")?
            };
        Ok(embedder)
    }

    fn asked(&self, texts: &[String], dimensions: Option<usize>) -> Result<Vec<Vec<f32>>> {
        let runtime = self.runtime.as_ref().context("the endpoint is closed")?;
        runtime.block_on(async {
            tokio::select! {
                vectors = self.endpoint.embed(texts, dimensions) => vectors.map_err(|error| said(&self.name, &error)),
                () = stopped(&self.stop) => Err(EmbeddingStopped.into()),
            }
        })
    }
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
        let prefix = match embedded_as {
            EmbeddedAs::Passage => &self.model.passage_prefix,
            EmbeddedAs::Query => &self.model.query_prefix,
        };
        let longest = self.longest();
        let asked: Vec<String> =
            texts.iter().map(|text| fitting(&format!("{prefix}{text}"), longest).to_owned()).collect();
        let dimensions = Some(self.model.dimensions);
        let [question] = asked.as_slice() else { return self.asked(&asked, dimensions) };
        if embedded_as == EmbeddedAs::Passage {
            return self.asked(&asked, dimensions);
        }
        let remembered =
            |of: &Self| of.questions.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned();
        if let Some(vector) = remembered(self) {
            return Ok(vec![vector]);
        }
        let vectors = self.asked(&asked, dimensions)?;
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if questions.len() >= QUESTIONS {
            questions.clear();
        }
        questions.extend(vectors.first().map(|vector| (question.clone(), vector.clone())));
        Ok(vectors)
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
}
