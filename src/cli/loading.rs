//! From a model's name to one that is ready to answer.

use std::path::Path;

use anyhow::{Result, ensure};

use super::generate::Ready;
use super::pull::Bar;
use super::sampling::ModelArguments;
use crate::config::Folders;
use crate::engine::adapter::Adapter;
use crate::engine::device;
use crate::engine::generate::{Limits, Prompter, load};
use crate::engine::hub::{self, Network};
use crate::engine::model::{self, ModelFiles, OpenModel};

/// Finds a model by its name, fetching it where it isn't here yet, and opens it.
pub(super) fn open(name: &str) -> Result<OpenModel> {
    model::open(&files(name)?)
}

/// Opens a model and loads it, with its adapter if one is asked for.
pub(super) fn ready(arguments: &ModelArguments) -> Result<Ready> {
    Ok(open_and_ready(arguments)?.1)
}

/// As [`ready`], with the opened model itself.
pub(super) fn open_and_ready(arguments: &ModelArguments) -> Result<(OpenModel, Ready)> {
    let open = open(&arguments.model)?;
    check_context(arguments.context, &open)?;
    load_with(open, arguments, &[], arguments.limits())
}

/// Refuses a context that a model doesn't have, before its weights are read.
pub(super) fn check_context(asked: usize, model: &OpenModel) -> Result<()> {
    let own = model.config.context;
    ensure!(asked <= own, "--context is {asked}, and {} reads {own} tokens at most", model.name);
    Ok(())
}

/// Loads an opened model, with its adapter if one is asked for, and the tokens that further adapters bring.
pub(super) fn load_with(
    mut open: OpenModel,
    arguments: &ModelArguments,
    others: &[&Path],
    limits: Limits,
) -> Result<(OpenModel, Ready)> {
    for folder in arguments.adapter.as_deref().iter().chain(others) {
        open = open.with_tokens_of(folder)?;
    }
    let mut held = arguments.adapter.as_deref().map(|folder| adapter(folder, &open)).transpose()?;
    if let Some(merged) = held.take_if(|_| arguments.merge) {
        open = merged.merged_into(open)?;
    }
    let prompter = Prompter::new(&open)?;
    let mut generator = load(&open, arguments.precision(), &device::choose(arguments.device)?, limits)?;
    let adapter = held.map(|adapter| generator.add_adapter(&adapter)).transpose()?;
    let told = open.notices.all().map(str::to_owned).collect();
    Ok((open, Ready { generator, prompter, adapter, told }))
}

/// Finds a model by its name, fetching it where it isn't here yet.
pub(super) fn files(name: &str) -> Result<ModelFiles> {
    let folders = Folders::from_environment()?;
    hub::resolve(&folders.models(), name, Network::Allowed, &mut Bar::new())
}

/// Reads an adapter for a model.
pub(super) fn adapter(folder: &Path, model: &OpenModel) -> Result<Adapter> {
    Adapter::load(folder, &model.config)
}
