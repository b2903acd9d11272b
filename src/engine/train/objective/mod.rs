//! What a run learns from: its items, how they are laid into batches, what the loss goes by, and which figures it
//! gives. The loop knows no more of a method than this.

mod preference;
mod preference_loss;
mod reference;
mod sums;
mod supervised;

use crate::kernels::cross_entropy::RowLoss;
use dojo_core::domain::batch::PackedBatch;

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
}
