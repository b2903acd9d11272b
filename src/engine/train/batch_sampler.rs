//! Which examples each step reads: a pure function of the seed and the step, so that any step can be found again.

use anyhow::Result;

use dojo_core::data::pack::{self, PackSettings};
use dojo_core::domain::recipe::{Packing, Recipe};

/// The order of the examples over a run.
#[derive(Debug, Clone)]
pub struct BatchSampler {
    /// Tokens of each example.
    lengths: Vec<usize>,
    settings: PackSettings,
    accumulation: usize,
    /// Steps on the same examples.
    repeats: u64,
    /// Micro-batches in an epoch; every epoch has as many.
    batches: usize,
    /// The last epoch asked for, and its micro-batches.
    current: (u64, Vec<Vec<usize>>),
}

impl BatchSampler {
    /// # Errors
    /// Where there are no examples, or one is longer than `longest` tokens.
    pub fn new(lengths: Vec<usize>, longest: usize, recipe: &Recipe) -> Result<Self> {
        let settings = PackSettings {
            max_length: longest,
            packing: recipe.data.packing,
            batch_size: match &recipe.grpo {
                Some(grpo) => grpo.prompts_per_step,
                None => recipe.train.per_device_train_batch_size,
            },
            seed: recipe.train.seed,
        };
        let first = pack::plan(&lengths, &settings, 0)?;
        let accumulation = recipe.train.gradient_accumulation_steps.max(1);
        let repeats = recipe.grpo.as_ref().map_or(1, |grpo| grpo.num_iterations.max(1));
        Ok(Self { lengths, settings, accumulation, repeats, batches: first.len(), current: (0, first) })
    }

    /// Optimizer steps in an epoch; the last one may be smaller, as in transformers.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.div_ceil(self.accumulation).max(1) as u64 * self.repeats
    }

    /// Optimizer steps in the run.
    #[must_use]
    pub fn total_steps(&self, recipe: &Recipe) -> u64 {
        match u64::try_from(recipe.train.max_steps) {
            Ok(steps) if steps > 0 => steps,
            _ => (recipe.train.num_train_epochs * self.steps_per_epoch() as f64).ceil() as u64,
        }
    }

    /// How many epochs a number of steps is.
    #[must_use]
    pub fn epoch(&self, steps: u64) -> f64 {
        steps as f64 / self.steps_per_epoch() as f64
    }

    /// The micro-batches of a step (counted from 0), each a list of example indices.
    ///
    /// # Errors
    /// As [`BatchSampler::new`].
    pub fn micro_batches(&mut self, step: u64) -> Result<Vec<Vec<usize>>> {
        let steps = self.steps_per_epoch();
        let (epoch, step_in_epoch) = (step / steps, (step % steps / self.repeats) as usize);
        if self.current.0 != epoch {
            self.current = (epoch, pack::plan(&self.lengths, &self.settings, epoch)?);
        }
        let batches = self.current.1.iter().skip(step_in_epoch * self.accumulation);
        Ok(batches.take(self.accumulation).cloned().collect())
    }

    /// As many of the longest examples as make the largest micro-batch that any epoch can hold.
    #[must_use]
    pub fn largest(&self) -> Vec<usize> {
        let mut longest: Vec<usize> = (0..self.lengths.len()).collect();
        longest.sort_by_key(|&example| (std::cmp::Reverse(self.lengths.get(example)), example));
        match self.settings.packing {
            Packing::Off => longest.truncate(self.settings.batch_size),
            Packing::Bfd => {
                longest = pack::longest(&self.current.1, &self.lengths).unwrap_or_default().to_vec();
            }
        }
        longest
    }
}
