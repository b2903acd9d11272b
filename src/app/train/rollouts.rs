//! What a run on rewards takes besides: one copy of the weights for sampling and training, rewards on threads of their
//! own, and what the model is kept near.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use super::items::TokenItems;
use super::{Prepared, prompts, reference};
use crate::app::rewards::{self, HelperNames};
use crate::config::Folders;
use crate::domain::recipe::{BaseFormat, GrpoPart, Recipe, ReferenceModel};
use crate::domain::reward::RewardUse;
use crate::domain::run::RunFolder;
use crate::engine::adapter::Adapter;
use crate::engine::device::ComputeDevice;
use crate::engine::generate::{
    Completion, Finish, GenerateRequest, Limits, Loaded, LogProbabilityOf, Precision, Sampling, complete_each,
};
use crate::engine::kernels::quant::WeightFormat;
use crate::engine::model::OpenModel;
use crate::engine::train::objective::{DrawOrder, Drawn, GroupRelative, Objective, RolloutSampler};
use crate::engine::train::step::DecoderStudent;
use crate::engine::train::student::Student;
use crate::reward::{COMMAND, RewardSet};
use crate::task::Task;

/// The weights that both sample and train, for a recipe on rewards.
///
/// # Errors
/// Where a tensor is missing or damaged, or memory is short.
pub(super) fn weights(
    recipe: &Recipe,
    model: &OpenModel,
    place: &ComputeDevice,
) -> Result<Option<Arc<Loaded>>> {
    if recipe.grpo.is_none() {
        return Ok(None);
    }
    let exact = recipe.compute.base_format == BaseFormat::F32 || is_plain(model)?;
    let precision = if exact { Precision::Exact } else { Precision::Stored };
    Loaded::new(model, precision, place).map(|loaded| Some(Arc::new(loaded)))
}

/// Whether the file's weights are plain numbers, and not quantised.
fn is_plain(model: &OpenModel) -> Result<bool> {
    let shape = [model.config.query_width(), model.config.hidden];
    let first = model.weights.stored("model.layers.0.self_attn.q_proj.weight", &shape)?;
    Ok(WeightFormat::of(first.format).is_some_and(WeightFormat::is_dense))
}

/// The model as it is trained, over those weights; on a device it has its own.
///
/// # Errors
/// As [`super::student`].
pub(super) fn student(
    model: &OpenModel,
    recipe: &Recipe,
    (place, weights): (&ComputeDevice, Option<&Arc<Loaded>>),
) -> Result<Box<dyn Student>> {
    let Some(view) = weights.and_then(|weights| weights.view()) else {
        return super::student(model, recipe, place);
    };
    let options = super::step_options(&recipe.compute);
    Ok(Box::new(DecoderStudent::over(&model.name, &model.config, &view, options)?))
}

/// All that a run on rewards has besides data, model and adapter.
pub(super) struct Rewarding {
    sampler: ModelRoller,
    scorer: RewardSet,
    reference: Adapter,
    /// What a person should know of its rewards.
    pub(super) warnings: Vec<String>,
}

/// Threads that score.
const SCORING: usize = 2;

impl Rewarding {
    /// Opens it, if the recipe is on rewards.
    ///
    /// # Errors
    /// Where a reward is wrong or can't say anything, or the reference can't be made.
    pub(super) fn open(
        recipe: &Recipe,
        folders: &Folders,
        prepared: &Prepared,
        weights: Option<&Arc<Loaded>>,
    ) -> Result<Option<Self>> {
        let (Some(grpo), Some(weights)) = (&recipe.grpo, weights) else { return Ok(None) };
        let (scorer, warnings) = scorer(recipe, grpo, folders)?;
        // With beta 0 it is asked for nothing.
        let kept_near = if grpo.beta > 0.0 { grpo.reference } else { ReferenceModel::Start };
        Ok(Some(Self {
            sampler: ModelRoller { weights: Arc::clone(weights), part: grpo.clone() },
            scorer,
            reference: reference::adapter_of(recipe, prepared, kept_near)?,
            warnings,
        }))
    }

    /// What the run learns.
    ///
    /// # Errors
    /// Where the data was read for another method.
    pub(super) fn objective<'a>(
        &'a mut self,
        recipe: &'a Recipe,
        prepared: &'a Prepared,
        folder: &'a RunFolder,
    ) -> Result<Box<dyn Objective + 'a>> {
        let (Some(grpo), TokenItems::Prompts(train)) = (&recipe.grpo, &prepared.data.train) else {
            bail!("the data was not read for method = {:?}", recipe.method.name());
        };
        let held_out = match &prepared.data.eval {
            TokenItems::Prompts(eval) => eval.as_slice(),
            TokenItems::Answers(_) | TokenItems::Pairs(_) => &[],
        };
        let with = (&mut self.sampler as &mut dyn RolloutSampler, &self.scorer as _);
        let reference = self.reference.clone();
        Ok(Box::new(GroupRelative::new((train, held_out), (recipe, grpo), with, reference, folder)))
    }

    /// What went wrong with rewards, by name, with how often.
    pub(super) fn troubles(&self) -> Vec<String> {
        let troubles = self.scorer.troubles().into_iter();
        troubles.map(|(name, what, count)| format!("the reward {name}: {what} ({count} times)")).collect()
    }
}

fn scorer(recipe: &Recipe, grpo: &GrpoPart, folders: &Folders) -> Result<(RewardSet, Vec<String>)> {
    let task = prompts::task(recipe, grpo)?;
    let rewards = rows(recipe, &task)?;
    let mut of_recipe = Task::clone(&task);
    of_recipe.rewards = rewards;
    let task = Arc::new(of_recipe);
    let names = HelperNames {
        embedder: grpo.embedder.as_deref(),
        judge: grpo.judge.as_deref(),
        tokenizer: Some(&recipe.model.base),
    };
    let set = rewards::set_on_own_threads(folders, &task, &names, SCORING)?;
    let told: Vec<String> =
        set.lacking().map(|(name, what)| format!("the reward {name} does not apply: {what}")).collect();
    ensure!(told.len() < task.rewards.len(), "no reward can say anything: {}", told.join("; "));
    Ok((set, told))
}

/// The recipe's table over that of its task: a name with a weight alone has the task's settings.
fn rows(recipe: &Recipe, task: &Task) -> Result<Vec<RewardUse>> {
    let Some(table) = &recipe.rewards else {
        ensure!(
            !task.rewards.is_empty(),
            "the task {} names no rewards: write a table [rewards] in the recipe, such as `length = 1.0`",
            task.name
        );
        return Ok(task.rewards.clone());
    };
    let row = |row: &RewardUse| {
        let of_task = task.rewards.iter().find(|of_task| of_task.name == row.name);
        match of_task.filter(|_| row.settings.is_empty() && row.reward == row.name) {
            Some(of_task) => Ok(RewardUse { weight: row.weight, ..of_task.clone() }),
            None if row.reward == COMMAND => bail!(
                "rewards.{} names a command: put it into a task's file, whose commands `dojo trust` shows, and name that \
                 file in grpo.task",
                row.name
            ),
            None => Ok(row.clone()),
        }
    };
    table.rows().iter().map(row).collect()
}

/// Draws completions over the weights that train.
pub(super) struct ModelRoller {
    pub(super) weights: Arc<Loaded>,
    pub(super) part: GrpoPart,
}

impl ModelRoller {
    fn request(&self, order: &DrawOrder<'_>) -> GenerateRequest {
        let part = &self.part;
        let mut request = GenerateRequest::new(order.prompt.to_vec(), part.max_completion_length);
        request.choices = order.completions;
        request.sampling = Sampling {
            temperature: part.temperature as f32,
            top_p: part.top_p as f32,
            top_k: part.top_k,
            min_p: part.min_p as f32,
            repetition_penalty: part.repetition_penalty as f32,
            seed: order.seed,
            log_probabilities: Some(0),
            log_probabilities_of: LogProbabilityOf::Tempered,
            ..Sampling::default()
        };
        request
    }
}

impl RolloutSampler for ModelRoller {
    fn draw(
        &mut self,
        adapter: &Adapter,
        orders: &[DrawOrder<'_>],
        done: &mut dyn FnMut(usize, Vec<Drawn>),
        tick: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<bool> {
        // A generator of its own each time: between rollouts its memory and threads belong to training.
        let mut generator = self.weights.generator(Limits::default())?;
        let id = generator.add_adapter(adapter)?;
        let requests =
            orders.iter().map(|order| GenerateRequest { adapter: Some(id), ..self.request(order) });
        let (mut stopped, mut failed) = (false, None);
        let mut whole = |at: usize, completions: &[Completion]| {
            let fault = completions.iter().find_map(|one| match one.why {
                Finish::Failed(fault) => Some(fault),
                _ => None,
            });
            failed = failed.or(fault);
            done(at, completions.iter().map(drawn).collect());
        };
        let mut each = |_| {
            stopped = !tick()?;
            ensure!(!stopped, "stopped on request");
            Ok(())
        };
        let ended = complete_each(&mut generator, requests.collect(), &mut whole, &mut each);
        if stopped {
            return Ok(false);
        }
        ended.context("draw completions")?;
        match failed {
            Some(fault) => bail!("draw completions: {}", fault.sentence()),
            None => Ok(true),
        }
    }
}

fn drawn(completion: &Completion) -> Drawn {
    Drawn {
        tokens: completion.tokens.clone(),
        log_probabilities: completion.log_probabilities.clone(),
        text: completion.text.clone(),
        cut: matches!(completion.why, Finish::Length | Finish::Context),
    }
}
