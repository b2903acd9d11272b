//! The training loop: steps, and between them evaluation, samples and checkpoints. Knows no model, no terminal and no
//! clock but for measuring. What is not done yet at a step is done first after a resume, so that a run killed at any
//! moment leaves the same lines behind as one that was not.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::batch_sampler::BatchSampler;
use super::checkpoint::{self, SaveAdapter, TrainerState};
use super::host::{Brake, Host, HostRequest, Sampler, TrainEvent};
use super::metrics::{LinesFile, number};
use super::objective::{ItemPart, MetricSums, Objective, StepShare};
use super::optimizer::{self, AdamW, Update};
use super::parameter_groups::ParameterGroups;
use super::schedule::Schedule;
use super::student::{LossSlope, Student};
use crate::adapter::Adapter;
use dojo_core::domain::batch::TokenExample;
use dojo_core::domain::recipe::Recipe;
use dojo_core::domain::run::{MetricLine, RunFolder};
use dojo_core::ground::hash::Fnv;
use dojo_core::ground::random;

/// All that a run needs.
pub struct TrainingTask<'a> {
    pub recipe: &'a Recipe,
    pub folder: &'a RunFolder,
    pub student: &'a mut dyn Student,
    /// Where there is none, no samples are drawn.
    pub sampler: Option<&'a mut dyn Sampler>,
    /// As it is before the first step.
    pub adapter: Adapter,
    /// What is learnt, and from what.
    pub objective: &'a mut dyn Objective,
    /// The share of all examples that were cut at the length limit; the first step's metrics say it.
    pub truncated_fraction: f64,
    /// What to ask for samples.
    pub prompts: &'a [String],
    pub save_adapter: SaveAdapter<'a>,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainOutcome {
    Done,
    /// Someone asked for it; the run can be resumed.
    Stopped,
}

/// Trains, from the newest checkpoint in the run folder if there is one, else from the start.
///
/// # Errors
/// Where there is nothing to train on, the device fails, a file can't be written, or the loss is no longer a number;
/// checkpoints saved before stay as they are.
pub fn train(task: TrainingTask<'_>, host: &mut dyn Host) -> Result<TrainOutcome> {
    let mut trainer = Trainer::new(task)?;
    let (step, total_steps) = (trainer.state.step, trainer.total_steps);
    let best_eval_loss = trainer.state.best.map(|best| best.eval_loss);
    host.report(&TrainEvent::Began { step, total_steps, best_eval_loss });
    let outcome = match trainer.rehearse(host)? {
        Flow::GoOn => trainer.run(host)?,
        Flow::Stop => TrainOutcome::Stopped,
    };
    trainer.save(host)?;
    // Without a step there is nothing to it: it would answer as the base model does.
    if trainer.state.step > 0 {
        trainer.save_adapter(host)?;
    }
    Ok(outcome)
}

/// Tells one list of examples from another (FNV-1a over tokens and mask).
#[must_use]
pub fn fingerprint<'a>(examples: impl IntoIterator<Item = &'a TokenExample>) -> u64 {
    let mut hash = Fnv::default();
    for example in examples {
        hash.add(example.tokens.len() as u64);
        let words = example.tokens.iter().zip(&example.trained);
        words.for_each(|(&token, &trained)| hash.add(u64::from(token) << 1 | u64::from(trained)));
    }
    hash.finish()
}

/// Whether to go on after something that can be broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    GoOn,
    Stop,
}

/// A run in progress.
pub(super) struct Trainer<'a> {
    pub(super) task: TrainingTask<'a>,
    pub(super) order: BatchSampler,
    schedule: Schedule,
    pub(super) total_steps: u64,
    pub(super) optimizer: AdamW,
    gradients: Vec<f32>,
    pub(super) state: TrainerState,
    /// The state of the newest checkpoint.
    pub(super) saved: Option<TrainerState>,
    pub(super) metrics: LinesFile,
    pub(super) samples: LinesFile,
    /// Seconds a step takes, lately.
    pace: Option<f64>,
}

impl<'a> Trainer<'a> {
    fn new(mut task: TrainingTask<'a>) -> Result<Self> {
        let (recipe, folder) = (task.recipe, task.folder);
        let longest = task.objective.longest(recipe.data.max_length);
        let order = BatchSampler::new(task.objective.lengths(), longest, recipe)?;
        let total_steps = order.total_steps(recipe);
        let groups = ParameterGroups::new(&recipe.train, &task.adapter)?;
        let mut optimizer = AdamW::new(&recipe.train, task.adapter.values.len(), groups);
        let examples = task.objective.fingerprint();
        let saved = checkpoint::load_newest(folder, &mut task.adapter, &mut optimizer)?;
        if let Some(state) = &saved
            && state.examples != examples
        {
            bail!("the training examples are not those that {} began with; start a new run", folder.name());
        }
        if let Some(state) = &saved {
            task.objective.take_up(checkpoint::kept(folder, state.step)?.as_deref())?;
        }
        let state = saved.clone().unwrap_or_else(|| TrainerState::fresh(recipe.train.seed, examples));
        Ok(Self {
            schedule: Schedule::new(&recipe.train, total_steps),
            gradients: vec![0.0; task.adapter.values.len()],
            metrics: LinesFile::open(&folder.metrics(), state.metrics_bytes)?,
            samples: LinesFile::open(&folder.samples(), state.samples_bytes)?,
            task,
            order,
            total_steps,
            optimizer,
            state,
            saved,
            pace: None,
        })
    }

    fn run(&mut self, host: &mut dyn Host) -> Result<TrainOutcome> {
        loop {
            if self.do_what_is_due(host)? == Flow::Stop {
                return Ok(TrainOutcome::Stopped);
            }
            if self.state.step >= self.total_steps {
                return Ok(TrainOutcome::Done);
            }
            if self.is_stalled() {
                host.report(&TrainEvent::StoppedEarly { step: self.state.step });
                return Ok(TrainOutcome::Done);
            }
            if self.tick(host)? == Flow::Stop {
                return Ok(TrainOutcome::Stopped);
            }
            if self.step(host)? == Flow::Stop {
                return Ok(TrainOutcome::Stopped);
            }
        }
    }

    /// Early stopping: too many evaluations without a better loss.
    fn is_stalled(&self) -> bool {
        let patience = self.task.recipe.eval.early_stopping_patience;
        patience > 0 && self.state.evaluations_without_gain >= patience
    }

    pub(super) fn tick(&mut self, host: &mut dyn Host) -> Result<Flow> {
        loop {
            match host.tick()? {
                HostRequest::GoOn => return Ok(Flow::GoOn),
                // At once, also halfway through an evaluation: the run may be paused there, and stay so for long.
                HostRequest::Checkpoint => self.save(host)?,
                HostRequest::Stop => return Ok(Flow::Stop),
            }
        }
    }

    /// Runs the largest batch without an update, so that a shortage of memory shows now and not in an hour.
    /// On a slow machine that takes minutes: asked to stop, it need not come to its end.
    fn rehearse(&mut self, host: &mut dyn Host) -> Result<Flow> {
        if self.state.step >= self.total_steps {
            return Ok(Flow::GoOn);
        }
        let batch = self.task.objective.largest(&self.order.largest());
        let start = Instant::now();
        let TrainingTask { student, adapter, .. } = &mut self.task;
        let brake = host.brake();
        let rehearsed = student.backward_while(adapter, &batch, (1.0, Some(0)), &mut self.gradients, &*brake);
        let losses = rehearsed.with_context(|| {
            format!(
                "try the largest batch, {} tokens (a smaller per_device_train_batch_size or max_length needs less memory)",
                batch.unshared_tokens()
            )
        })?;
        if losses.is_none() {
            return Ok(Flow::Stop);
        }
        let seconds = start.elapsed().as_secs_f64();
        let tokens = batch.unshared_tokens();
        host.report(&TrainEvent::Rehearsed { tokens, seconds, memory_gb: student.memory_gb() });
        Ok(Flow::GoOn)
    }

    /// Where the run is to end in the middle of a step, it ends as it was before it.
    fn step(&mut self, host: &mut dyn Host) -> Result<Flow> {
        let start = Instant::now();
        let step = self.state.step;
        let micro_batches = self.order.micro_batches(step)?;
        let Some(micro_batches) = self.make(micro_batches, host)? else { return Ok(Flow::Stop) };
        let passes = Instant::now();
        let Some((sums, tokens)) = self.accumulate(&micro_batches, &host.brake())? else {
            return Ok(Flow::Stop);
        };
        let passes = passes.elapsed().as_secs_f64();
        let norm = optimizer::norm(&self.gradients);
        let learning_rate = self.task.recipe.train.learning_rate * self.schedule.factor(step);
        self.state.step += 1;
        self.state.epoch = self.order.epoch(self.state.step);
        self.state.num_tokens += tokens as u64;
        let loss = sums.mean("loss");
        if loss.is_finite() && norm.is_finite() {
            let limit = self.task.recipe.train.max_grad_norm;
            let update = Update { learning_rate, gradient_factor: optimizer::clip_factor(norm, limit) };
            self.optimizer.update(&mut self.task.adapter.values, &self.gradients, update);
        }
        let seconds = start.elapsed().as_secs_f64();
        let mut line = loss_line("", self.state.step, self.state.epoch, &sums);
        line.insert("grad_norm".to_owned(), number(norm));
        line.insert("learning_rate".to_owned(), number(learning_rate));
        line.insert("num_tokens".to_owned(), json!(self.state.num_tokens));
        line.insert("tokens_per_second".to_owned(), number(rounded(tokens as f64 / seconds, 10.0)));
        line.insert("step_time".to_owned(), number(rounded(seconds, 1e6)));
        line.insert("memory_gb".to_owned(), number(rounded(self.task.student.memory_gb(), 1e3)));
        self.task.objective.figures(passes, &mut line);
        if self.state.step == 1 {
            line.insert("truncated_fraction".to_owned(), number(self.task.truncated_fraction));
        }
        self.log(&line)?;
        if !(loss.is_finite() && norm.is_finite()) {
            return Err(self.diverged(loss, norm));
        }
        let seconds_left = self.seconds_left(seconds);
        host.report(&TrainEvent::Stepped { line: &line, seconds_left });
        Ok(Flow::GoOn)
    }

    /// The gradient of the step's loss; its figures, and how many tokens were read.
    fn accumulate(
        &mut self,
        micro_batches: &[Vec<usize>],
        brake: &Brake,
    ) -> Result<Option<(MetricSums, usize)>> {
        let TrainingTask { student, adapter, recipe, objective, .. } = &mut self.task;
        let mut share = StepShare::default();
        micro_batches.iter().for_each(|items| share += objective.share(ItemPart::Train, items));
        let dropout = recipe.lora.lora_dropout > 0.0;
        self.gradients.fill(0.0);
        let (mut sums, mut tokens) = (MetricSums::default(), 0);
        for (index, items) in micro_batches.iter().enumerate() {
            let batch = objective.batch(ItemPart::Train, items);
            tokens += batch.unshared_tokens();
            let seed = random::combine(&[recipe.train.seed, self.state.step, index as u64]);
            let known: &dyn Objective = &**objective;
            let mut slopes = |rows: &[_]| known.weigh(ItemPart::Train, items, rows, share).slopes;
            let slope = match known.same_slope(share) {
                Some(slope) => LossSlope::Same(slope),
                None => LossSlope::Each(&mut slopes),
            };
            let slope = (slope, dropout.then_some(seed));
            match student.backward_rows(adapter, &batch, slope, &mut self.gradients, &**brake)? {
                Some(rows) => {
                    let own = objective.weigh(ItemPart::Train, items, &rows, share).sums;
                    objective.after_batch(items, &rows, &own);
                    sums += own;
                }
                None => return Ok(None),
            }
        }
        Ok(Some((sums, tokens)))
    }

    /// Appends a line to `metrics.jsonl`.
    pub(super) fn log(&mut self, line: &MetricLine) -> Result<()> {
        self.metrics.append(line)?;
        self.state.metrics_bytes = self.metrics.length();
        Ok(())
    }

    fn diverged(&self, loss: f64, norm: f64) -> anyhow::Error {
        let what = if loss.is_finite() { ("gradient norm", norm) } else { ("loss", loss) };
        let kept = match &self.saved {
            Some(state) => format!("the checkpoint of step {} is intact", state.step),
            None => "there is no checkpoint yet".to_owned(),
        };
        anyhow::anyhow!(
            "the {} is {} at step {}: training has diverged ({kept}); lower train.learning_rate, now {}",
            what.0,
            what.1,
            self.state.step,
            self.task.recipe.train.learning_rate
        )
    }

    fn seconds_left(&mut self, seconds: f64) -> f64 {
        let pace = self.pace.map_or(seconds, |pace| 0.9 * pace + 0.1 * seconds);
        self.pace = Some(pace);
        pace * self.total_steps.saturating_sub(self.state.step) as f64
    }
}

/// A line with the names that training and evaluation share.
pub(super) fn loss_line(prefix: &str, step: u64, epoch: f64, sums: &MetricSums) -> MetricLine {
    let mut line = MetricLine::new();
    line.insert("step".to_owned(), json!(step));
    line.insert("epoch".to_owned(), number(epoch));
    sums.write(prefix, &mut line);
    line
}

/// Measured numbers are not worth more digits.
fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit
}
