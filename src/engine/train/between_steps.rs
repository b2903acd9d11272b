//! What is due between steps: evaluation, samples, checkpoints, the final adapter. The state records what is done, so
//! that each is done once, whatever stopped the run in between.

use anyhow::{Context, Result};

use super::checkpoint::{self, Best, Content};
use super::host::{Host, HostRequest, TrainEvent};
use super::objective::{ItemPart, MetricSums};
use super::trainer::{Flow, Trainer, loss_line};
use dojo_core::domain::run::Sample;
use dojo_core::ground::{files, folders};

impl Trainer<'_> {
    /// Does what is due at the present step.
    pub(super) fn do_what_is_due(&mut self, host: &mut dyn Host) -> Result<Flow> {
        if self.evaluation_is_due() && self.evaluate(host)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        while self.sample_is_due() {
            if self.sample(host)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        let step = self.state.step;
        let best_now = self.state.best.is_some_and(|best| best.step == step);
        if step > 0 && (best_now || is_multiple(step, self.task.recipe.save.save_steps)) {
            self.save(host)?;
        }
        Ok(Flow::GoOn)
    }

    fn evaluation_is_due(&self) -> bool {
        let (step, eval) = (self.state.step, &self.task.recipe.eval);
        let every = if eval.eval_steps > 0 { eval.eval_steps } else { self.order.steps_per_epoch() };
        let due =
            if step == 0 { eval.eval_on_start } else { is_multiple(step, every) || step >= self.total_steps };
        due && self.task.objective.held_out() > 0 && self.state.evaluated != Some(step)
    }

    fn sample_is_due(&self) -> bool {
        let (step, every) = (self.state.step, self.task.recipe.sample.sample_steps);
        let due = every > 0 && (is_multiple(step, every) || step >= self.total_steps);
        due && self.task.sampler.is_some() && self.state.sampled != Some(step)
    }

    /// The loss over all held-out examples.
    fn evaluate(&mut self, host: &mut dyn Host) -> Result<Flow> {
        let mut sums = MetricSums::default();
        let size = self.task.recipe.eval.per_device_eval_batch_size.max(1);
        if let Some(flow) = self.examine(host)? {
            return Ok(flow);
        }
        let items: Vec<usize> = (0..self.task.objective.held_out()).collect();
        let share = self.task.objective.share(ItemPart::HeldOut, &items);
        let total = items.len().div_ceil(size);
        for (done, items) in items.chunks(size).enumerate() {
            if self.tick(host)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
            host.report(&TrainEvent::Evaluating { done, total });
            let batch = self.task.objective.batch(ItemPart::HeldOut, items);
            let brake = host.brake();
            match self.task.student.evaluate_rows(&self.task.adapter, &batch, &*brake)? {
                Some(rows) => sums += self.task.objective.weigh(ItemPart::HeldOut, items, &rows, share).sums,
                None => return Ok(Flow::Stop),
            }
        }
        let (step, loss) = (self.state.step, sums.mean("loss"));
        let line = loss_line("eval_", step, self.state.epoch, &sums);
        self.log(&line)?;
        self.state.evaluated = Some(step);
        let threshold = self.task.recipe.eval.early_stopping_threshold;
        // The model before the first step is not a result of the run.
        let lower = self.state.best.is_none_or(|best| loss < best.loss() - threshold);
        let better = step > 0 && loss.is_finite() && lower;
        if better {
            self.state.best = Some(Best::new(step, loss));
            self.state.evaluations_without_gain = 0;
        } else if step > 0 {
            self.state.evaluations_without_gain += 1;
        }
        host.report(&TrainEvent::Evaluated { line: &line, best: better });
        Ok(Flow::GoOn)
    }

    /// Asks all prompts, then writes all answers: broken off in between, none is written. A checkpoint asked for on the
    /// way is saved at once, and the samples stay due.
    fn sample(&mut self, host: &mut dyn Host) -> Result<Flow> {
        let Some(sampler) = self.task.sampler.as_deref_mut() else { return Ok(Flow::GoOn) };
        let mut answers = Vec::new();
        for prompt in self.task.prompts {
            let mut request = HostRequest::GoOn;
            let mut go_on = || {
                request = host.tick()?;
                Ok(request == HostRequest::GoOn)
            };
            let length = self.task.recipe.sample.max_new_tokens;
            let answer = sampler.answer(&self.task.adapter, prompt, length, &mut go_on);
            match answer.context("draw a sample answer")? {
                Some(completion) => {
                    answers.push(Sample { step: self.state.step, prompt: prompt.clone(), completion });
                }
                None if request == HostRequest::Checkpoint => {
                    self.save(host)?;
                    return Ok(Flow::GoOn);
                }
                None => return Ok(Flow::Stop),
            }
        }
        for sample in &answers {
            self.samples.append(sample)?;
            host.report(&TrainEvent::Sampled(sample));
        }
        self.state.samples_bytes = self.samples.length();
        self.state.sampled = Some(self.state.step);
        Ok(Flow::GoOn)
    }

    /// Saves a checkpoint, unless the newest one is of this very state.
    pub(super) fn save(&mut self, host: &mut dyn Host) -> Result<()> {
        if self.saved.as_ref() == Some(&self.state) {
            return Ok(());
        }
        self.metrics.flush()?;
        self.samples.flush()?;
        let keep = self.task.recipe.save.save_total_limit;
        let content = Content {
            state: &self.state,
            adapter: &self.task.adapter,
            optimizer: &self.optimizer,
            save_adapter: self.task.save_adapter,
            kept: self.task.objective.to_keep(self.state.step)?,
        };
        checkpoint::save(self.task.folder, &content, keep)?;
        self.saved = Some(self.state.clone());
        host.report(&TrainEvent::Saved { step: self.state.step });
        Ok(())
    }

    /// Writes `adapter/`: the last values, or the best ones where the recipe says so.
    pub(super) fn save_adapter(&mut self, host: &mut dyn Host) -> Result<()> {
        let folder = self.task.folder;
        let best = self.state.best.filter(|_| self.task.recipe.save.load_best_model_at_end);
        if let Some(best) = best.filter(|best| best.step != self.state.step) {
            // Nothing of the last values is touched where these can't be read.
            if let Err(error) = checkpoint::load_adapter(folder, best.step, &mut self.task.adapter) {
                host.report(&TrainEvent::BestLost { step: best.step, why: &format!("{error:#}") });
            }
        }
        let place = folder.adapter();
        let partial = folders::partial_folder(&place);
        files::remove_if_there(&partial)?;
        (self.task.save_adapter)(&self.task.adapter, &partial)?;
        folders::replace_folder(&partial, &place)
    }
}

/// A period of 0 never comes round.
const fn is_multiple(step: u64, period: u64) -> bool {
    period > 0 && step.is_multiple_of(period)
}
