//! What a person has set for the whole program: `settings.toml`.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::secret;
use crate::domain::embedder::EmbedderSettings;
use crate::domain::teacher::TeacherSettings;

/// `settings.toml` in the settings folder. Every key may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A theme's name. Empty: the one that suits the terminal.
    pub theme: String,
    /// Whether the mouse is used; without it the terminal's own selection works.
    pub mouse: bool,
    /// Other keys for actions: `"train.pause" = ["p", "ctrl-p"]`. The names stand in the help.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, Vec<String>>,
    /// Outside models by name: `[teachers.NAME]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "without_keys_as_names")]
    pub teachers: BTreeMap<String, TeacherSettings>,
    /// Endpoints that embed, by name: `[embedders.NAME]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "without_keys_as_models")]
    pub embedders: BTreeMap<String, EmbedderSettings>,
    /// Where arXiv's papers are asked for.
    #[serde(skip_serializing_if = "ArxivSettings::is_usual")]
    pub arxiv: ArxivSettings,
    /// The Qdrant server that libraries may have their index on: `[qdrant]`.
    #[serde(skip_serializing_if = "QdrantSettings::is_empty")]
    pub qdrant: QdrantSettings,
    /// How libraries are searched: `[search]`.
    #[serde(skip_serializing_if = "SearchSettings::is_usual")]
    pub search: SearchSettings,
    /// Who is told when a run needs somebody: `[alerts]`.
    #[serde(skip_serializing_if = "AlertSettings::is_empty")]
    pub alerts: AlertSettings,
}

/// A program that is told when the run's doctor finds something and when a run ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSettings {
    /// The program and its first arguments; the sentence is its last argument, and the event is JSON on its standard input.
    pub command: Vec<String>,
}

impl AlertSettings {
    fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// Where arXiv is: the public one, or one that stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArxivSettings {
    /// Its catalogue, an Atom feed.
    pub api_url: String,
    /// The papers: `/html/ID` and `/pdf/ID` under it.
    pub site_url: String,
}

impl ArxivSettings {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ArxivSettings {
    fn default() -> Self {
        Self {
            api_url: "https://export.arxiv.org/api/query".to_owned(),
            site_url: "https://arxiv.org".to_owned(),
        }
    }
}

/// Where the Qdrant server is. Its key is in the environment variable `DOJO_QDRANT_KEY` and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QdrantSettings {
    /// With the port that it speaks gRPC on: `http://localhost:6334`. `DOJO_QDRANT_URL` counts before it.
    pub url: Option<String>,
}

impl QdrantSettings {
    fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// The models that a search of a library asks beside the one that embeds, and how long it waits for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SearchSettings {
    /// Writes more lines for a question: a model of this machine, with an adapter after a plus, or a teacher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expand: Option<String>,
    /// It is waited for so long at most.
    pub expand_ms: u64,
    /// Puts passages in order: a cross-encoder, a model that says yes or no, or a teacher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rerank: Option<String>,
    /// It is waited for so long at most.
    pub rerank_ms: u64,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self { expand: None, expand_ms: 5000, rerank: None, rerank_ms: 500 }
    }
}

impl SearchSettings {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Names are shown and kept with what a teacher said: a key that was put in their place would be too.
fn without_keys_as_names<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, TeacherSettings>, D::Error> {
    let teachers = BTreeMap::<String, TeacherSettings>::deserialize(from)?;
    for (name, teacher) in &teachers {
        refuse_keys("teacher", name, &teacher.model)?;
    }
    Ok(teachers)
}

/// As [`without_keys_as_names`]: a library remembers who embedded it.
fn without_keys_as_models<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, EmbedderSettings>, D::Error> {
    let embedders = BTreeMap::<String, EmbedderSettings>::deserialize(from)?;
    for (name, embedder) in &embedders {
        refuse_keys("embedder", name, &embedder.model)?;
    }
    Ok(embedders)
}

fn refuse_keys<E: Error>(what: &str, name: &str, model: &str) -> Result<(), E> {
    let place = match (secret::is_key(name), secret::is_key_as_model(model)) {
        (true, _) => "name",
        (_, true) => "model",
        (false, false) => return Ok(()),
    };
    let article = if what.starts_with('e') { "an" } else { "a" };
    Err(Error::custom(format_args!(
        "the {place} of {article} {what} looks like a key, which would be shown and kept: put the key into a variable, \
         and the variable's name into key_env"
    )))
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: String::new(),
            mouse: true,
            keys: BTreeMap::new(),
            teachers: BTreeMap::new(),
            embedders: BTreeMap::new(),
            arxiv: ArxivSettings::default(),
            qdrant: QdrantSettings::default(),
            search: SearchSettings::default(),
            alerts: AlertSettings::default(),
        }
    }
}
