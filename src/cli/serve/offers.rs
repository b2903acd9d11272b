//! From models' names to what the server may load of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::cli::sampling::ModelArguments;
use crate::cli::{loading, print};
use crate::engine::embed::Embedder;
use crate::engine::generate::{Limits, size};
use crate::engine::model::OpenModel;
use crate::serve::{Load, LoadedModel, Offer, ServedKind, short_name};

/// Keys and values of a model at most where memory is limited, if that holds its context; else what it needs.
const CACHE: usize = 512 << 20;

/// What is to be served.
pub(super) struct ModelsToServe {
    /// The first model, and how all are run.
    pub first: ModelArguments,
    /// Its further adapters.
    pub adapters: Vec<(String, PathBuf)>,
    pub others: Vec<String>,
    pub embeddings: Option<String>,
}

/// The offers, in their order. All models are found and opened, so that what is wrong with one is known at once.
pub(super) fn all(wanted: &ModelsToServe, memory: Option<u64>) -> Result<Vec<Offer>> {
    let mut limits = wanted.first.limits();
    if memory.is_some() {
        limits.cache_bytes = CACHE;
    }
    let mut offers = vec![generates(wanted.first.clone(), wanted.adapters.clone(), &limits)?];
    // For further models it is a limit of those that read more.
    for name in &wanted.others {
        let first = wanted.first.clone();
        let arguments =
            ModelArguments { model: name.clone(), adapter: None, merge: false, context: 0, ..first };
        offers.push(generates(arguments, Vec::new(), &limits)?);
    }
    if let Some(name) = &wanted.embeddings {
        offers.push(embeds(name)?);
    }
    Ok(offers)
}

fn embeds(name: &str) -> Result<Offer> {
    let files = loading::files(name)?;
    Ok(Offer {
        name: short_name(&files.name),
        kind: ServedKind::Embeds,
        adapters: Vec::new(),
        bytes: files.weight_bytes(),
        load: Arc::new(move || Ok(LoadedModel::Embedder(Box::new(Embedder::open(&files)?)))),
    })
}

fn generates(arguments: ModelArguments, others: Vec<(String, PathBuf)>, limits: &Limits) -> Result<Offer> {
    let open = loading::open(&arguments.model)?;
    loading::check_context(arguments.context, &open)?;
    open.notices.all().for_each(print::complain);
    let mut name = short_name(&open.name);
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    if let Some(folder) = &arguments.adapter {
        let own = folder.file_name().context("the adapter's folder has no name")?;
        let own = own.to_string_lossy().into_owned();
        if arguments.merge {
            // Merged, it is all that there is.
            name = own;
        } else {
            named.push((own, folder.clone()));
        }
    }
    named.extend(others.iter().cloned());
    let bytes = size::bytes(&open, arguments.precision(), limits);
    let context = limits.context_of(open.config.context);
    let adapters = named.into_iter().map(|(name, _)| name).collect();
    let load = load(open, arguments, others, limits.clone());
    Ok(Offer { name, kind: ServedKind::Generates { context }, adapters, bytes, load })
}

/// What loads a model; the first time as it is open already.
fn load(open: OpenModel, arguments: ModelArguments, others: Vec<(String, PathBuf)>, limits: Limits) -> Load {
    let opened = Mutex::new(Some(open));
    Arc::new(move || {
        let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        let open = opened.map_or_else(|| loading::open(&arguments.model), Ok)?;
        let folders: Vec<&Path> = others.iter().map(|(_, folder)| folder.as_path()).collect();
        let (open, mut ready) = loading::load_with(open, &arguments, &folders, limits.clone())?;
        let mut adapters = BTreeMap::new();
        let own = arguments.adapter.as_deref().and_then(Path::file_name);
        if let (Some(id), Some(own)) = (ready.adapter, own) {
            adapters.insert(own.to_string_lossy().into_owned(), id);
        }
        for (name, folder) in &others {
            let adapter = loading::adapter(folder, &open)?;
            adapters.insert(name.clone(), ready.generator.add_adapter(&adapter)?);
        }
        let (generator, prompter) = (Box::new(ready.generator), Box::new(ready.prompter));
        Ok(LoadedModel::Generator { generator, prompter, adapters })
    })
}
