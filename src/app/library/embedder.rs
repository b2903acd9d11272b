//! What embeds for a library, by its name: an endpoint of the settings, or a model of this machine. The one place that
//! opens either, and sees whether it is what the library is embedded with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, anyhow, bail};

use super::{DEFAULT_MODEL, EndpointEmbedder, LocalEmbedder};
use crate::config::Folders;
use crate::domain::embedder::EmbedderSettings;
use crate::engine::hub::{self, Network, PullProgress};
use crate::rag::embedding::{EmbeddedAs, EmbeddingModel, TextEmbedder};
use crate::rag::library::Library;
use crate::rag::search::QUESTION_WITHIN;

/// Vectors of one text by one model are so near, whichever machine computes them.
const SAME: f32 = 0.999;

/// A boxed embedder, which may be handed to another thread.
pub type OpenEmbedder = Box<dyn TextEmbedder + Send>;

/// How an embedder is opened.
pub struct EmbedderOpening<'a> {
    pub folders: &'a Folders,
    /// Whether a model that isn't on this machine is fetched.
    pub network: Network,
    pub progress: &'a mut dyn PullProgress,
    /// Set when a person wants to stop: an endpoint may take its time.
    pub stop: Arc<AtomicBool>,
}

/// Opens what embeds for a library: what is named, else what the library is embedded with, else the usual model. If the
/// library's endpoint has another address now, a text that the library has decides whether it still gives the same.
///
/// # Errors
/// As [`open_embedder`]; where an endpoint that has moved can't be asked.
pub fn open_for(
    library: &mut Library,
    named: Option<&str>,
    opening: EmbedderOpening<'_>,
) -> Result<OpenEmbedder> {
    let known = library.database().model()?.map(|(_, model)| model);
    let name = named.or(known.as_ref().map(|model| model.name.as_str())).unwrap_or(DEFAULT_MODEL);
    let EmbedderOpening { folders, network, progress, stop } = opening;
    let opening = EmbedderOpening { folders, network, progress: &mut *progress, stop };
    let embedder = open_embedder(name, known.as_ref(), opening)?;
    let Some(known) = known.filter(|known| known.is_moved(embedder.model())) else { return Ok(embedder) };
    let (name, now) = (&known.name, &embedder.model().endpoint);
    if gives_the_same(library, embedder.as_ref())
        .with_context(|| format!("see whether {name} at {now} gives the vectors that this library has"))?
    {
        library.take_over(embedder.model())?;
        if !known.endpoint.is_empty() {
            progress.note(&format!(
                "{name} is at {now} now, and gives the same vectors as at {}",
                known.endpoint
            ));
        }
    }
    Ok(embedder)
}

/// Whether an embedder gives the vector that the library has of one of its texts; it does if there is none.
fn gives_the_same(library: &Library, embedder: &dyn TextEmbedder) -> Result<bool> {
    let Some((text, kept)) = library.embedded_sample()? else { return Ok(true) };
    let vectors = embedder.embed_within(&[&text], EmbeddedAs::Passage, QUESTION_WITHIN)?;
    let vector = vectors.first().context("the endpoint gives no vector")?;
    let cosine: f32 = vector.iter().zip(&kept).map(|(a, b)| a * b).sum();
    Ok(vector.len() == kept.len() && cosine > SAME)
}

/// Opens what embeds under a name: `NAME` or `NAME:MODEL` of `[embedders.NAME]` in the settings, else a model of this
/// machine (its short name, or its folder). An endpoint that is known isn't asked for its dimensions.
///
/// # Errors
/// Where there is neither, a key is missing, the settings name another model by now, or the endpoint gives no vector.
pub fn open_embedder(
    name: &str,
    known: Option<&EmbeddingModel>,
    opening: EmbedderOpening<'_>,
) -> Result<OpenEmbedder> {
    if let Some((endpoint, settings, model)) = of_settings(opening.folders, name)? {
        if let Some(model) = model.filter(|model| *model != settings.model) {
            bail!(
                "it is embedded with {model} of {endpoint}, and settings.toml names {} there now: change it back, or \
                 `dojo rag embed --model {endpoint}` embeds it anew",
                settings.model
            );
        }
        return Ok(Box::new(EndpointEmbedder::open(&endpoint, settings, known, opening.stop)?));
    }
    // The library remembers it, and may be asked from another folder.
    let whole = Path::new(name).canonicalize().ok().filter(|_| Path::new(name).components().count() > 1);
    let whole = whole.map(|path| path.to_string_lossy().into_owned());
    let files = hub::resolve(
        &opening.folders.models(),
        whole.as_deref().unwrap_or(name),
        opening.network,
        opening.progress,
    );
    let files = files.with_context(|| {
        // An endpoint's name has no slash, and its model comes after a colon.
        let endpoint = name.split(':').next().unwrap_or(name);
        let or_endpoint = match known {
            Some(known) if known.name == name && !known.endpoint.is_empty() => {
                format!("it is an endpoint's, and settings.toml has no [embedders.{endpoint}] any more")
            }
            _ if whole.is_none() && !endpoint.contains('/') => {
                format!("settings.toml has no [embedders.{endpoint}], so it was looked for as a model")
            }
            _ => "as a folder of this machine".to_owned(),
        };
        match opening.network {
            Network::Offline => {
                format!("open the library's embedding model {name} ({or_endpoint}; `dojo pull {name}` fetches one)")
            }
            Network::Allowed => format!("open the embedding model {name} ({or_endpoint})"),
        }
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
