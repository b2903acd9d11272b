//! One training run, from a recipe to its adapter, inside a run folder: what `dojo train` does. Assembles model, data,
//! student and loop; knows nothing of terminals.

pub mod adapter;
mod alerts;
mod began;
pub mod cut;
pub mod data;
pub mod described;
mod encoding;
mod fetching;
pub mod host;
pub mod items;
mod journal;
pub(crate) mod pairs;
pub mod preflight;
mod preflight_rewards;
mod prompts;
pub mod recipe;
mod reference;
mod rollouts;
pub mod sampler;
mod watched;

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, FixedOffset};

use self::alerts::Alerts;
pub(in crate::app) use self::began::base_difference;
use self::data::Dataset;
use self::fetching::Fetching;
use self::host::{Listener, Process, RunEnding, RunHost};
use self::rollouts::Rewarding;
use self::sampler::ModelSampler;
use crate::app::run_lock::RunLock;
use crate::app::runs;
use crate::config::Folders;
use crate::domain::device::DeviceName;
use crate::domain::recipe::{ComputePart, Dtype, Recipe, rate_warning};
use crate::domain::run::{Phase, RunFolder, Standing};
use crate::engine::adapter::Adapter;
use crate::engine::device::{self, ComputeDevice};
use crate::engine::generate::Loaded;
use crate::engine::hub::{self, Network};
use crate::engine::kernels::gemm::MatmulPrecision;
use crate::engine::model::{self, OpenModel};
use crate::engine::train::device::{DeviceOptions, DeviceStudent};
use crate::engine::train::host::{Brake, Host, Sampler};
use crate::engine::train::step::{DecoderStudent, StepOptions};
use crate::engine::train::student::Student;
use crate::engine::train::trainer::{self, TrainOutcome, TrainingTask};
use crate::ground::files;
use crate::ground::folders;
use crate::session;

/// What to train, and where.
pub struct TrainJob {
    pub recipe: Recipe,
    pub folder: RunFolder,
    /// Wait until this run has ended.
    pub after: Option<RunFolder>,
    /// End after the first evaluation at this share of its steps, from 0 to 1; whole, where it is none.
    pub until: Option<f64>,
    pub folders: Folders,
    pub network: Network,
    pub process: Process,
}

/// Trains in the run folder, from its newest checkpoint where it has one. Whatever happens is in the folder's state
/// afterwards: done, stopped, or failed and why.
///
/// # Errors
/// Where another process trains there, or the run fails; the message is the one in the state.
pub fn execute(
    job: &TrainJob,
    listener: Box<dyn Listener>,
    progress: &mut dyn hub::PullProgress,
) -> Result<TrainOutcome> {
    let _lock = RunLock::take(&job.folder)?;
    files::remove_partial_files(job.folder.path());
    folders::recover_folder(&job.folder.adapter())?;
    let recipe = job.folder.recipe();
    let before = std::fs::read(&recipe).ok();
    files::write_atomically(&recipe, job.recipe.to_toml().as_bytes())?;
    let phase = if job.after.is_some() { Phase::Queued } else { Phase::Starting };
    let alerts = Alerts::of(&job.folders, &job.folder);
    let mut host = RunHost::start(&job.folder, phase, alerts.beside(listener))?;
    host.runs_in(job.process);
    host.ends_at(job.until);
    let outcome = train(job, &mut host, progress);
    let ended = host.end(match &outcome {
        Ok(TrainOutcome::Done) => RunEnding::Done,
        Ok(TrainOutcome::Stopped) => RunEnding::Stopped,
        Err(error) => RunEnding::Failed(format!("{error:#}")),
    });
    let after = runs::summarise(job.folder.path());
    after.iter().for_each(|run| alerts.ended(&run.state));
    // A run that can't go on is what it was.
    if let (Some(before), Some(_)) = (before, after.as_ref().and_then(|run| run.state.why_not_continued())) {
        files::write_atomically(&recipe, &before)?;
    }
    // Where the disk is full, neither can be written; what failed first counts.
    outcome.and_then(|outcome| ended.map(|()| outcome))
}

fn train(job: &TrainJob, host: &mut RunHost, progress: &mut dyn hub::PullProgress) -> Result<TrainOutcome> {
    if let Some(after) = &job.after {
        let ended = || runs::summarise(after.path()).is_none_or(|run| !Standing::is_live(run.standing));
        if !host.wait_for(ended) {
            return Ok(TrainOutcome::Stopped);
        }
    }
    let moment = began::moment(&job.folder)?;
    let mut doing = |doing: &str| {
        host.doing(doing);
        host.brake()
    };
    let prepared = prepare_at(&job.recipe, &job.folders, job.network, progress, &mut doing, Some(moment));
    if host.is_to_stop() {
        return Ok(TrainOutcome::Stopped);
    }
    let prepared = prepared?;
    began::note_base(&job.folder, &prepared.model, moment)?;
    note_data(&job.folder, &prepared.data)?;
    prepared.data.malformed.iter().for_each(|bad| tracing::warn!("left out: {bad}"));
    if let Some(told) = prepared.data.told_of_malformed() {
        host.leaves_out(&told);
    }
    warn(host, prepared.data.left_out.iter().chain(&prepared.data.warnings));
    host.doing("loading the weights");
    let place = place(&job.recipe)?;
    let weights = rollouts::weights(&job.recipe, &prepared.model, &place)?;
    let mut student = rollouts::student(&prepared.model, &job.recipe, (&place, weights.as_ref()))?;
    let mut sampler = sampler(&job.recipe, &prepared.model, &place, weights.as_ref())?;
    let mut rewarding = Rewarding::open(&job.recipe, &job.folders, &prepared, weights.as_ref())?;
    warn(host, rewarding.iter().flat_map(|rewarding| &rewarding.warnings));
    if host.is_to_stop() {
        return Ok(TrainOutcome::Stopped);
    }
    let Some(reference) = reference::of_run(job, &prepared, &mut *student, host)? else {
        return Ok(TrainOutcome::Stopped);
    };
    host.doing("trying the largest batch, without an update");
    let mut objective = match &mut rewarding {
        Some(rewarding) => rewarding.objective(&job.recipe, &prepared, &job.folder)?,
        None => reference.objective(&job.recipe, &prepared.data)?,
    };
    let task = TrainingTask {
        recipe: &job.recipe,
        folder: &job.folder,
        student: &mut *student,
        sampler: sampler.as_mut().map(|sampler| sampler as &mut dyn Sampler),
        adapter: prepared.adapter.clone(),
        objective: &mut *objective,
        truncated_fraction: prepared.data.truncated_fraction(),
        prompts: &prepared.data.prompts,
        save_adapter: &|adapter, folder| adapter::save(adapter, &prepared.model, folder),
    };
    let outcome = trainer::train(task, host as &mut dyn Host);
    drop(objective);
    for trouble in rewarding.iter().flat_map(Rewarding::troubles) {
        tracing::warn!("{trouble}");
    }
    let outcome = outcome?;
    described::describe(&job.folder, &prepared.model);
    Ok(outcome)
}

/// What draws sample answers, if the recipe asks for any: over the weights that are there, or its own.
fn sampler(
    recipe: &Recipe,
    model: &OpenModel,
    place: &ComputeDevice,
    weights: Option<&Arc<Loaded>>,
) -> Result<Option<ModelSampler>> {
    Ok(match (recipe.sample.sample_steps, weights) {
        (0, _) => None,
        (_, Some(weights)) => Some(ModelSampler::over(model, Arc::clone(weights))?),
        (_, None) => Some(ModelSampler::new(model, place)?),
    })
}

/// Says what a person should know before the first step.
fn warn<'a>(host: &mut RunHost, warnings: impl Iterator<Item = &'a String>) {
    for warning in warnings {
        tracing::warn!("{warning}");
        host.doing(&format!("warning: {warning}"));
    }
}

/// Writes down what the run sees, or checks that a run that goes on sees the same: otherwise its order of examples
/// would mean others.
fn note_data(folder: &RunFolder, data: &Dataset) -> Result<()> {
    let Some(before) = session::what_a_run_saw(folder.path()).context("read what this run saw before")?
    else {
        return session::note_what_a_run_sees(folder.path(), &data.seen)
            .context("write down what the run sees");
    };
    let changed = before.iter().zip(&data.seen).filter(|(old, new)| !old.is_of(new)).count();
    let (old, new) = (before.len(), data.seen.len());
    ensure!(
        changed == 0 && old == new,
        "the data is not what this run began with: {new} records instead of {old}, {changed} of them others; undo \
         the changes (`dojo runs data {name}` lists them) or start a new run",
        name = folder.name()
    );
    Ok(())
}

/// A model, its data and its first adapter: all that stands before the first step.
pub struct Prepared {
    pub model: OpenModel,
    pub data: Dataset,
    pub adapter: Adapter,
}

/// Opens the model (fetching it first where it isn't here), reads and encodes the examples, and makes the adapter.
/// `doing` is told what begins, and gives back what can end it.
///
/// # Errors
/// When it was ended. Where the model can't be had or opened, the data holds nothing to train on, or an adapter to be continued doesn't
/// fit the model.
pub fn prepare(
    recipe: &Recipe,
    folders: &Folders,
    network: Network,
    progress: &mut dyn hub::PullProgress,
    doing: &mut (dyn FnMut(&str) -> Brake + Send),
) -> Result<Prepared> {
    prepare_at(recipe, folders, network, progress, doing, None)
}

/// The same, with what time it is for the chat template; now, where it is none.
fn prepare_at(
    recipe: &Recipe,
    folders: &Folders,
    network: Network,
    progress: &mut dyn hub::PullProgress,
    doing: &mut (dyn FnMut(&str) -> Brake + Send),
    moment: Option<DateTime<FixedOffset>>,
) -> Result<Prepared> {
    // Before anything is fetched.
    place(recipe)?;
    let mut fetching = Fetching::new(progress, &recipe.model.base, doing);
    let files = hub::resolve(&folders.models(), &recipe.model.base, network, &mut fetching)?;
    let mut model = model::open(&files).with_context(|| format!("open the model {}", recipe.model.base))?;
    model.template.moment = moment;
    let (model, tokens) = adapter::with_tokens(recipe, model)?;
    let brake = doing("reading the examples");
    let mut data = data::read(recipe, &model, folders, &*brake)?;
    data.warnings.extend(model.notices.of_training().cloned());
    data.warnings.extend(rate_warning(recipe));
    let adapter = adapter::first(recipe, &model, &tokens)?;
    Ok(Prepared { model, data, adapter })
}

/// How the processor trains.
fn step_options(compute: &ComputePart) -> StepOptions {
    let &ComputePart { activation_memory, base_format: base, dtype, .. } = compute;
    let products = if dtype == Dtype::Bf16 { MatmulPrecision::Bf16 } else { MatmulPrecision::F32 };
    StepOptions { activation_memory, base, products }
}

/// The model as it is trained, where [`place`] found.
///
/// # Errors
/// Where a tensor is missing or damaged, or the device's memory is short.
pub fn student(model: &OpenModel, recipe: &Recipe, place: &ComputeDevice) -> Result<Box<dyn Student>> {
    Ok(match place {
        ComputeDevice::Cpu => Box::new(DecoderStudent::open(model, step_options(&recipe.compute))?),
        ComputeDevice::Device(device) => {
            let ComputePart { activation_memory, base_format: base, dtype, .. } = recipe.compute;
            tracing::info!("training on {} in {dtype:?}", device::describe(device));
            let options = DeviceOptions { activation_memory, base, dtype };
            Box::new(DeviceStudent::open(model, device, options)?)
        }
    })
}

/// Where a recipe trains; refuses what this build or machine has no part of.
///
/// # Errors
/// As said.
pub fn place(recipe: &Recipe) -> Result<ComputeDevice> {
    let name: DeviceName = recipe.compute.device.parse().map_err(anyhow::Error::msg)?;
    let place = device::choose(name)?;
    place.check(recipe.compute.dtype)?;
    Ok(place)
}
