//! What a run learns from: its items, how they are laid into batches, what the loss goes by, and which figures it
//! gives. The loop knows no more of a method than this.

mod grpo;
mod preference;
mod preference_loss;
mod reference;
mod sums;
mod supervised;

use anyhow::Result;

use super::course::GoOn;
use super::student::Student;
use crate::adapter::Adapter;
use crate::kernels::cross_entropy::RowLoss;
use dojo_core::domain::batch::PackedBatch;
use dojo_core::domain::run::MetricLine;

pub use grpo::{
    Advantages, CompletionLoss, CompletionTerms, DrawOrder, Drawn, GroupRelative, RewardValue,
    RolloutSampler, advantages, completion_loss, token_weights,
};

pub use preference::{Preferences, fingerprint as preference_fingerprint};
pub use preference_loss::{PairLoss, PairScores, pair_loss};
pub use reference::{ReferencePair, reference_log_probabilities};
pub use sums::MetricSums;
pub use supervised::Supervised;

/// Which items are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemPart {
    Train,
    HeldOut,
}

/// What the means of a step, or of an evaluation, are taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepShare {
    /// Examples, or pairs.
    pub items: usize,
    /// Tokens that a negative log-likelihood is learnt of.
    pub tokens: usize,
}

impl std::ops::AddAssign for StepShare {
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.tokens += other.tokens;
    }
}

/// A batch's part of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// The derivative of the step's loss by each row's negative log-likelihood, in the batch's order.
    pub slopes: Vec<f32>,
    pub sums: MetricSums,
}

/// What a method is handed that makes what it learns from.
pub struct Making<'a> {
    /// Steps done.
    pub step: u64,
    pub adapter: &'a Adapter,
    pub student: &'a mut dyn Student,
    /// Asked between parts whether the run goes on.
    pub tick: &'a mut dyn FnMut() -> Result<bool>,
    /// The same within a pass.
    pub brake: GoOn<'a>,
}

/// What came of looking at the held-out items.
#[derive(Debug, Clone, PartialEq)]
pub enum Examination {
    /// Nothing: the items' loss says it.
    ByLoss,
    /// Figures by their names.
    Done(MetricLine),
    /// The run is to stop.
    Stopped,
}

/// A method of training, over its items.
pub trait Objective: Sync {
    /// Tokens of each training item.
    fn lengths(&self) -> Vec<usize>;

    /// How many items are held out.
    fn held_out(&self) -> usize;

    /// Tokens that a batch's item may have at most, for a recipe's `max_length`.
    fn longest(&self, max_length: usize) -> usize;

    /// Tells one list of training items from another.
    fn fingerprint(&self) -> u64;

    /// Items laid end to end. Numbers of none are passed over.
    fn batch(&self, part: ItemPart, items: &[usize]) -> PackedBatch;

    /// What the items add to the share of a step.
    fn share(&self, part: ItemPart, items: &[usize]) -> StepShare;

    /// The slope of all rows, where it is the same for all of them.
    fn same_slope(&self, share: StepShare) -> Option<f32>;

    /// Slopes and figures of a batch of these items, from its rows' losses.
    fn weigh(&self, part: ItemPart, items: &[usize], rows: &[RowLoss], share: StepShare) -> Weighed;

    /// The largest batch that there may be; `items` are those of the most tokens.
    fn largest(&self, items: &[usize]) -> PackedBatch {
        self.batch(ItemPart::Train, items)
    }

    /// Makes what a step learns from, of these items in micro-batches: its own micro-batches. Nothing if the run is to stop.
    ///
    /// # Errors
    /// When it can't be made.
    fn make(&mut self, batches: Vec<Vec<usize>>, making: &mut Making<'_>) -> Result<Option<Vec<Vec<usize>>>> {
        let _ = making;
        Ok(Some(batches))
    }

    /// Told of a batch that was learnt from.
    fn after_batch(&mut self, items: &[usize], rows: &[RowLoss], sums: &MetricSums) {
        let _ = (items, rows, sums);
    }

    /// Adds a step's further figures; its passes took so many seconds.
    fn figures(&mut self, seconds: f64, line: &mut MetricLine) {
        let _ = (seconds, line);
    }

    /// Looks at the held-out items in another way than by their loss.
    ///
    /// # Errors
    /// When it can't be done.
    fn examine(&mut self, making: &mut Making<'_>) -> Result<Examination> {
        let _ = making;
        Ok(Examination::ByLoss)
    }

    /// What a checkpoint after so many steps has to keep besides.
    ///
    /// # Errors
    /// When it can't be written.
    fn to_keep(&self, step: u64) -> Result<Option<Vec<u8>>> {
        let _ = step;
        Ok(None)
    }

    /// Goes on from what a checkpoint kept.
    ///
    /// # Errors
    /// When it can't be read.
    fn take_up(&mut self, kept: Option<&[u8]>) -> Result<()> {
        let _ = kept;
        Ok(())
    }
}
