//! Models that answer chats, kept loaded while they are in use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use crate::app::local_model::base_of_adapter;
use crate::app::models;
use crate::domain::chat::Answerer;
use crate::domain::device::DeviceName;
use crate::engine::adapter::{Adapter, TOKENIZER, wants_own_rows};
use crate::engine::device;
use crate::engine::generate::{AdapterId, Generator, Limits, Precision, Prompter, load};
use crate::engine::model::{self, ModelConfig};

/// Base models in memory at once; the one that was used longest ago goes first.
const KEPT: usize = 2;

/// A base model and the adapters on it.
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) generator: Generator,
    pub(super) prompter: Prompter,
    config: ModelConfig,
    /// By folder, with when its numbers were written: a run that goes on writes them anew.
    adapters: BTreeMap<PathBuf, (SystemTime, AdapterId)>,
}

/// All models that are loaded, the last used at the end.
pub(super) struct LoadedModels {
    folder: PathBuf,
    loaded: Vec<Loaded>,
    /// By adapter: when its tokenizer (else its weights) was written, and whether it has tokens or rows that the base
    /// lacks.
    tokens: BTreeMap<PathBuf, (SystemTime, bool)>,
}

impl LoadedModels {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder, loaded: Vec::new(), tokens: BTreeMap::new() }
    }

    /// The model called so, where it is loaded.
    pub(super) fn get(&mut self, name: &str) -> Option<&mut Loaded> {
        self.loaded.iter_mut().find(|loaded| loaded.name == name)
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Loaded> {
        self.loaded.iter_mut()
    }

    /// Loads what an answerer needs, unless it is loaded; gives its base model's name and the adapter. An adapter that
    /// brings tokens of its own gets a base of its own, which has rows for them.
    ///
    /// # Errors
    /// Where the model isn't on this machine, or it or the adapter can't be read.
    pub(super) fn prepare(&mut self, answerer: &Answerer) -> Result<(String, Option<AdapterId>)> {
        let base = base_of(answerer)?;
        let owner = answerer.adapter.as_deref();
        let owner = match owner {
            Some(folder) if self.brings_tokens(&base, folder)? => Some(folder),
            _ => None,
        };
        let name = owner.map_or_else(|| base.clone(), |folder| format!("{base} with {}", folder.display()));
        let used = match self.loaded.iter().position(|loaded| loaded.name == name) {
            Some(place) => self.loaded.remove(place),
            None => Loaded { name: name.clone(), ..open(&self.folder, &base, owner)? },
        };
        if self.loaded.len() >= KEPT {
            self.loaded.remove(0);
        }
        self.loaded.push(used);
        let loaded = self.loaded.last_mut().context("no model is loaded")?;
        let adapter = answerer.adapter.as_deref().map(|folder| loaded.adapter(folder)).transpose()?;
        Ok((name, adapter))
    }
}

impl LoadedModels {
    fn brings_tokens(&mut self, base: &str, folder: &Path) -> Result<bool> {
        let written = |file: &str| std::fs::metadata(folder.join(file)).and_then(|file| file.modified());
        let Ok(written) = written(TOKENIZER).or_else(|_| written("adapter_model.safetensors")) else {
            return Ok(false);
        };
        if let Some((_, brings)) = self.tokens.get(folder).filter(|(known, _)| *known == written) {
            return Ok(*brings);
        }
        let brings = if let Some(loaded) = self.get(base) {
            wants_own_rows(folder, loaded.generator.tokenizer(), &loaded.config)?
        } else {
            let open = model::open(&models::here(&self.folder, base)?)?;
            wants_own_rows(folder, &open.tokenizer, &open.config)?
        };
        self.tokens.insert(folder.to_path_buf(), (written, brings));
        Ok(brings)
    }
}

impl Loaded {
    fn adapter(&mut self, folder: &Path) -> Result<AdapterId> {
        let file = folder.join("adapter_model.safetensors");
        let written = std::fs::metadata(&file)
            .and_then(|file| file.modified())
            .with_context(|| format!("open the adapter {}", folder.display()))?;
        if let Some((known, id)) = self.adapters.get(folder).copied() {
            if known == written {
                return Ok(id);
            }
            self.generator.remove_adapter(id);
        }
        let adapter = Adapter::load(folder, &self.config)?;
        let id = self.generator.add_adapter(&adapter)?;
        self.adapters.insert(folder.to_path_buf(), (written, id));
        Ok(id)
    }
}

/// Opens a model, with rows for the tokens that an adapter brings.
fn open(folder: &Path, name: &str, owner: Option<&Path>) -> Result<Loaded> {
    let files = models::here(folder, name)?;
    let mut opened = model::open(&files)?;
    opened.notices.all().for_each(|told| tracing::warn!("{name}: {told}"));
    if let Some(adapter) = owner {
        opened = opened.with_tokens_of(adapter)?;
    }
    let prompter = Prompter::new(&opened)?;
    ensure!(
        prompter.has_template(),
        "{name} has no chat template: it is a base model, which continues text; choose an instruct model (m)"
    );
    let generator = load(&opened, Precision::Stored, &device::choose(DeviceName::Auto)?, Limits::default())?;
    let config = opened.config;
    Ok(Loaded { name: name.to_owned(), generator, prompter, config, adapters: BTreeMap::new() })
}

/// The base model's name as the hub knows it: the answerer's own, or what its adapter was made for.
fn base_of(answerer: &Answerer) -> Result<String> {
    if let Some(model) = &answerer.model {
        return Ok(model.clone());
    }
    let folder = answerer.adapter.as_ref().context("no model is chosen: m chooses one")?;
    base_of_adapter(folder)
}
