//! From a model's name to one that is ready to answer.

use std::path::Path;

use anyhow::Result;

use super::generate::Ready;
use super::print;
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

/// As [`open`], the model that the arguments name; a longer sequence than it was made for is said not to be had.
pub(super) fn open_for(arguments: &ModelArguments) -> Result<OpenModel> {
    let open = open(&arguments.model)?;
    let (asked, longest) = (arguments.context, open.config.context);
    if asked > longest {
        print::complain(&format!(
            "--context {asked} is more than {} was made for: it is {longest} tokens",
            open.name
        ));
    }
    Ok(open)
}

/// Opens a model and loads it, with its adapter if one is asked for.
pub(super) fn ready(arguments: &ModelArguments) -> Result<Ready> {
    Ok(open_and_ready(arguments)?.1)
}

/// As [`ready`], with the opened model itself.
pub(super) fn open_and_ready(arguments: &ModelArguments) -> Result<(OpenModel, Ready)> {
    load_with(open_for(arguments)?, arguments, &[], arguments.limits())
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
