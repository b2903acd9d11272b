//! What the training loop asks of a model: losses and gradients over packed batches.

use anyhow::Result;

use super::course::{GoOn, TO_THE_END};
use crate::domain::batch::PackedBatch;
use crate::engine::adapter::Adapter;

/// A frozen model with a trained adapter. The loop owns the adapter's values and hands them in at each call, so that
/// optimizer, checkpoints and evaluation speak of one vector only.
pub trait Student {
    /// Adds the gradient of `scale * (summed negative log-likelihood of the targets)` to `gradients`, which has the
    /// form of `adapter.values`. `dropout` seeds the adapter's dropout; `None` leaves it out.
    ///
    /// # Errors
    /// Where the device fails or memory is short.
    fn backward(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        scale: f32,
        dropout: Option<u64>,
        gradients: &mut [f32],
    ) -> Result<Losses> {
        let losses = self.backward_while(adapter, batch, (scale, dropout), gradients, TO_THE_END);
        losses.map(Option::unwrap_or_default)
    }

    /// As [`Student::backward`], given up as soon as `go_on` says no: there are no losses then, and what was added to
    /// `gradients` is of no use.
    ///
    /// # Errors
    /// As [`Student::backward`].
    fn backward_while(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        scale_and_dropout: (f32, Option<u64>),
        gradients: &mut [f32],
        go_on: GoOn<'_>,
    ) -> Result<Option<Losses>>;

    /// The same losses without gradients or dropout.
    ///
    /// # Errors
    /// As [`Student::backward`].
    fn evaluate(&mut self, adapter: &Adapter, batch: &PackedBatch) -> Result<Losses> {
        self.evaluate_while(adapter, batch, TO_THE_END).map(Option::unwrap_or_default)
    }

    /// As [`Student::evaluate`], given up as soon as `go_on` says no.
    ///
    /// # Errors
    /// As [`Student::backward`].
    fn evaluate_while(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        go_on: GoOn<'_>,
    ) -> Result<Option<Losses>>;

    /// Memory that training takes, in 10^9 bytes: what this process holds, or on a device that says so the most that was
    /// held there; 0 where nobody says.
    fn memory_gb(&self) -> f64 {
        crate::ground::memory::resident_gb()
    }
}

/// Sums over a batch's trained positions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// Negative log-likelihood in nats.
    pub nll: f64,
    /// Entropy of the predicted distributions in nats.
    pub entropy: f64,
    /// Positions whose likeliest token was the target.
    pub correct: usize,
    /// Trained positions.
    pub tokens: usize,
}

impl std::ops::AddAssign for Losses {
    fn add_assign(&mut self, other: Self) {
        self.nll += other.nll;
        self.entropy += other.entropy;
        self.correct += other.correct;
        self.tokens += other.tokens;
    }
}
