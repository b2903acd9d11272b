//! `dojo demo`: trains the shipped sample, then asks the tuned model and the base model the same question.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::{print, progress::Pull, train};
use crate::app::train::{Prepared, TrainJob, host::Process, place, prepare, recipe, sampler::ModelSampler};
use crate::app::{runs, sessions};
use crate::config::Folders;
use crate::domain::recipe::Override;
use crate::engine::adapter::Adapter;
use crate::engine::hub::Network;
use crate::engine::train::host::{Sampler, nobody};

/// Arguments of `dojo demo`.
#[derive(Args)]
pub(super) struct DemoArguments {
    /// Override a key of the sample's recipe, such as `train.max_steps=10`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
    /// What to ask afterwards.
    #[arg(long, default_value = "Explain why ice floats on water from first principles.")]
    prompt: String,
}

pub(super) fn run(arguments: &DemoArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let session = sessions::open_named(&folders, "first-principles")?;
    let recipe = recipe::load(&session.path.join("recipes/sft.toml"), &arguments.overrides)?;
    let folder = runs::create_run_folder(&session.path.join("runs"), None, recipe.method.name())?;
    let (network, process) = (Network::Allowed, Process::Own);
    let job = TrainJob { recipe, folder, after: None, until: None, folders, network, process };
    let run = train::in_foreground(&job)?;
    train::report(&run, false)?;
    answer(&job, &arguments.prompt)?;
    Ok(ExitCode::SUCCESS)
}

fn answer(job: &TrainJob, prompt: &str) -> Result<()> {
    let Prepared { model, adapter, .. } =
        prepare(&job.recipe, &job.folders, job.network, &mut Pull::new(), &mut |_| nobody())?;
    let mut sampler = ModelSampler::new(&model, &place(&job.recipe)?)?;
    let length = job.recipe.sample.max_new_tokens;
    let mut ask = |adapter: &_| {
        let answer = sampler.answer(adapter, prompt, length, &mut || Ok(true))?;
        answer.context("the model gave no answer")
    };
    // Fresh, an adapter changes nothing.
    let before = ask(&adapter)?;
    let after = ask(&Adapter::load(&job.folder.adapter(), &model.config)?)?;
    print::say(&format!("\nasked: {prompt}\n\nbefore training:\n{before}\n\nafter training:\n{after}"))?;
    Ok(())
}
