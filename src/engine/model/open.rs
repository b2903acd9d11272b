//! A model, opened: its configuration, weights, tokenizer and chat template, from a folder or a GGUF alike.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use chrono::{DateTime, FixedOffset};
use tokenizers::Tokenizer;

use super::architecture::Architecture;
use super::ends;
use super::files::{ModelFiles, ModelStorage};
use super::fits;
use super::gguf::{self, GgufFile, GgufWeights};
use super::hf::{self, SafetensorsWeights};
use super::notices::ModelNotices;
use super::unread;
use super::{ModelConfig, Weights};
use dojo_core::data::chat::{ChatTemplate, SpecialTokens};
use dojo_core::data::regular;
use dojo_core::domain::name::one_line;

/// A model that is ready to be trained or run. Its weights stay on disk until they are asked for.
#[derive(Clone)]
pub struct OpenModel {
    /// What people call it.
    pub name: String,
    pub files: ModelFiles,
    pub config: ModelConfig,
    pub weights: Arc<dyn Weights>,
    pub tokenizer: Arc<Tokenizer>,
    pub template: ChatTemplateSource,
    /// Tokens that the tokenizer has and the model's files lack: only an adapter knows what they mean.
    pub(crate) added_tokens: Vec<u32>,
    /// Rows that the embedding has in the model's files.
    pub(crate) rows_in_files: usize,
    pub(crate) lent_rows: bool,
    /// Whether the configuration ties the output layer to the embedding, and the file holds another one.
    pub(crate) untied_by_file: bool,
    /// What its files ask for and Dojo doesn't do.
    pub notices: ModelNotices,
}

/// A model's chat template as it ships it, and the texts of the tokens that templates name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatTemplateSource {
    /// The Jinja text; base models have none.
    pub text: Option<String>,
    pub bos_token: Option<String>,
    pub eos_token: Option<String>,
    /// Further tokens by the names that templates have for them: `pad_token`, `image_token`, ...
    pub other_tokens: BTreeMap<String, String>,
    /// Special tokens without a name of their own.
    pub additional_tokens: Vec<String>,
    /// What time it is for the template; the present where it is none.
    pub moment: Option<DateTime<FixedOffset>>,
}

impl ChatTemplateSource {
    /// Compiles the template, where there is one.
    ///
    /// # Errors
    /// Where it does not parse.
    pub fn compile(&self) -> Result<Option<ChatTemplate>> {
        let special = SpecialTokens {
            bos: self.bos_token.clone(),
            eos: self.eos_token.clone(),
            others: self.other_tokens.clone(),
            additional: self.additional_tokens.clone(),
        };
        let template = self.text.as_deref().map(|text| ChatTemplate::new(text, special)).transpose()?;
        Ok(match (template, self.moment) {
            (Some(template), Some(moment)) => Some(template.at(moment)),
            (template, _) => template,
        })
    }
}

/// Opens a model.
///
/// # Errors
/// Where a file is missing, damaged or cut short, or the architecture isn't known.
pub fn open(files: &ModelFiles) -> Result<OpenModel> {
    // Files are quoted in what libraries say of them, and may hold anything.
    read(files).map_err(|error| anyhow!(one_line(&format!("{error:#}"))))
}

fn read(files: &ModelFiles) -> Result<OpenModel> {
    let mut untied_by_file = false;
    let mut notices = ModelNotices::default();
    let (mut config, weights, tokenizer, template) = match &files.form {
        ModelStorage::HuggingFace(folder) => {
            let config = hf::config::read(folder)?;
            let weights = SafetensorsWeights::open(folder, config.clone())?;
            let tokenizer = hf::tokenizer::read(folder)?;
            let tied_embeddings = weights.ties(folder)?;
            untied_by_file = config.tied_embeddings && !tied_embeddings;
            let config = ModelConfig { tied_embeddings, ..config };
            (config, Arc::new(weights) as Arc<dyn Weights>, tokenizer, hf::tokenizer::template(folder)?)
        }
        ModelStorage::Gguf(path) => {
            let file = Arc::new(GgufFile::open(path)?);
            let config = gguf::config::read(&file)?;
            let tokenizer = gguf::tokenizer::build(file.header())
                .with_context(|| format!("read the tokenizer of {}", path.display()))?;
            let template = gguf::tokenizer::template_source(file.header());
            notices.generation =
                ModelNotices::of_answers("its header", &gguf::keys::of_answers(file.header()));
            notices.tokens = gguf::tokenizer::doubts(file.header());
            notices.weights = gguf::keys::unheeded_window(file.header());
            let weights = GgufWeights::new(file, config.clone());
            (config, Arc::new(weights) as Arc<dyn Weights>, tokenizer, template)
        }
    };
    check(files, &config, weights.as_ref())?;
    let checked =
        fits::check(&config, weights.as_ref()).and_then(|()| unread::check(&config, weights.as_ref()));
    checked.with_context(|| format!("open {}", files.path().display()))?;
    if let ModelStorage::HuggingFace(folder) = &files.form {
        notices = hf::asked::notices(folder)?;
    }
    config.eos = ends::find(&config.eos, &files.form, &template, &tokenizer);
    // A tokenizer may know tokens that the embedding has no row for (Gemma 3's image token): nobody can write those.
    config.eos.retain(|&end| (end as usize) < config.vocabulary);
    let rows_in_files = config.vocabulary;
    Ok(OpenModel {
        name: files.name.clone(),
        files: files.clone(),
        config,
        weights,
        tokenizer: Arc::new(tokenizer),
        template,
        added_tokens: Vec::new(),
        rows_in_files,
        lent_rows: false,
        untied_by_file,
        notices,
    })
}

/// The `model_type` of a folder, if it is that of a decoder that is known here.
///
/// # Errors
/// Where its configuration can't be read.
pub(crate) fn decoder_kind(folder: &Path) -> Result<Option<String>> {
    let path = folder.join("config.json");
    let text = regular::text(&path, hf::MOST_JSON).with_context(|| format!("read {}", path.display()))?;
    let raw: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    let kind = raw.get("model_type").and_then(serde_json::Value::as_str).map(str::to_owned);
    Ok(kind.filter(|kind| Architecture::of_model_type(kind).is_some()))
}

/// A folder's layers alone, for whoever needs no output layer: a model that embeds has none.
///
/// # Errors
/// Where a file is missing, damaged or cut short, or the architecture isn't known.
pub(crate) fn open_body(folder: &Path) -> Result<(ModelConfig, Arc<dyn Weights>)> {
    let read = || -> Result<(ModelConfig, Arc<dyn Weights>)> {
        let config = hf::config::read(folder)?;
        let weights = SafetensorsWeights::open(folder, config.clone())?;
        for name in ["model.embed_tokens.weight", "model.norm.weight"] {
            ensure!(weights.has(name), "{} lacks tensor {name}", folder.display());
        }
        fits::check(&config, &weights).and_then(|()| unread::check(&config, &weights))?;
        Ok((config, Arc::new(weights)))
    };
    read().map_err(|error| anyhow!(one_line(&format!("{error:#}"))))
}

/// What would otherwise show as nonsense much later.
fn check(files: &ModelFiles, config: &ModelConfig, weights: &dyn Weights) -> Result<()> {
    for name in ["model.embed_tokens.weight", "model.norm.weight"] {
        ensure!(weights.has(name), "{} lacks tensor {name}", files.path().display());
    }
    ensure!(
        config.tied_embeddings || weights.has("lm_head.weight"),
        "{} lacks tensor lm_head.weight, and its configuration doesn't tie it to the embedding",
        files.path().display()
    );
    Ok(())
}
