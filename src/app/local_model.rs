//! A model of this machine, loaded to be asked by this process: `MODEL`, or `MODEL+ADAPTER` with an adapter's folder.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::data::regular;
use crate::domain::device::DeviceName;
use crate::domain::message::{Conversation, Message};
use crate::engine::adapter::Adapter;
use crate::engine::device;
use crate::engine::generate::{AdapterId, Generator, Limits, Precision, Prompter, load};
use crate::engine::hub;
use crate::engine::model::hf::MOST_JSON;
use crate::engine::model::{self, ModelFiles, OpenModel};

/// What says that a folder is an adapter's.
pub(in crate::app) const ADAPTER_CONFIG: &str = "adapter_config.json";

/// The model's name and its adapter's folder.
#[must_use]
pub(in crate::app) fn parts(given: &str) -> (&str, Option<&str>) {
    given.split_once('+').map_or((given, None), |(name, folder)| (name, Some(folder)))
}

/// The model that an adapter's folder says it was made for.
///
/// # Errors
/// Where the folder can't be read or names none.
pub(in crate::app) fn base_of_adapter(folder: &Path) -> Result<String> {
    let path = folder.join(ADAPTER_CONFIG);
    let text = regular::text(&path, MOST_JSON).with_context(|| format!("read {}", path.display()))?;
    let config: Value = serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    let base = config.get("base_model_name_or_path").and_then(Value::as_str).unwrap_or_default();
    ensure!(!base.is_empty(), "{} names no base model", path.display());
    Ok(hub::short_name(base))
}

/// A model that is loaded.
pub(in crate::app) struct PromptedModel {
    pub(in crate::app) generator: Generator,
    pub(in crate::app) prompter: Prompter,
    pub(in crate::app) adapter: Option<AdapterId>,
}

impl PromptedModel {
    /// Loads a model, with its adapter if there is one.
    ///
    /// # Errors
    /// Where it or the adapter can't be read.
    pub(in crate::app) fn open(files: &ModelFiles, adapter: Option<&str>) -> Result<Self> {
        let open = model::open(files)?;
        open.notices.all().for_each(|told| tracing::warn!("{}: {told}", files.name));
        Self::of(open, adapter.map(Path::new))
    }

    /// The same of a model that is open already.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(in crate::app) fn of(mut open: OpenModel, adapter: Option<&Path>) -> Result<Self> {
        if let Some(folder) = adapter {
            open = open.with_tokens_of(folder)?;
        }
        let prompter = Prompter::new(&open)?;
        let mut generator =
            load(&open, Precision::Stored, &device::choose(DeviceName::Auto)?, Limits::default())?;
        let held = adapter.map(|folder| Adapter::load(folder, &open.config)).transpose()?;
        let adapter = held.map(|adapter| generator.add_adapter(&adapter)).transpose()?;
        Ok(Self { generator, prompter, adapter })
    }

    /// A prompt that is answered at once: a model that would think first is told not to. Without a chat template it is
    /// the turns' text, and `lead` after it.
    ///
    /// # Errors
    /// Where the model's template refuses the turns.
    pub(in crate::app) fn prompt(&self, messages: &[Message], lead: &str) -> Result<Vec<u32>> {
        if !self.prompter.has_template() {
            let turns: Vec<&str> = messages.iter().map(|turn| turn.content.as_str()).collect();
            return self.prompter.raw(&format!("{}{lead}", turns.join("\n\n")));
        }
        let mut settings = Map::new();
        if self.prompter.reads_setting("enable_thinking") {
            settings.insert("enable_thinking".to_owned(), Value::Bool(false));
        }
        let conversation = Conversation { settings: Some(&settings), ..messages.into() };
        self.prompter.conversation(conversation)
    }
}
