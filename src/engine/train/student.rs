//! What the training loop asks of a model: losses and gradients over packed batches.

use anyhow::Result;

use super::course::{GoOn, TO_THE_END};
use crate::adapter::Adapter;
use crate::kernels::cross_entropy::RowLoss;
use dojo_core::domain::batch::PackedBatch;

/// How a loss goes with the negative log-likelihood of each target: its derivative by it.
pub enum LossSlope<'a> {
    /// The same for every target: that of a scaled sum.
    Same(f32),
    /// Told by the losses of all targets of the batch, in its order; one for each.
    Each(&'a mut (dyn FnMut(&[RowLoss]) -> Vec<f32> + Send)),
}

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
        (scale, dropout): (f32, Option<u64>),
        gradients: &mut [f32],
        go_on: GoOn<'_>,
    ) -> Result<Option<Losses>> {
        let slope = (LossSlope::Same(scale), dropout);
        Ok(self.backward_rows(adapter, batch, slope, gradients, go_on)?.map(|rows| Losses::of(&rows)))
    }

    /// Adds the gradient of any loss of the targets' log-likelihoods to `gradients`, and gives the losses of all trained
    /// positions, in the batch's order; nothing as soon as `go_on` says no.
    ///
    /// # Errors
    /// As [`Student::backward`].
    fn backward_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        slope_and_dropout: (LossSlope<'_>, Option<u64>),
        gradients: &mut [f32],
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>>;

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
    ) -> Result<Option<Losses>> {
        Ok(self.evaluate_rows(adapter, batch, go_on)?.map(|rows| Losses::of(&rows)))
    }

    /// The losses of all trained positions, in the batch's order, without gradients or dropout; nothing as soon as
    /// `go_on` says no.
    ///
    /// # Errors
    /// As [`Student::backward`].
    fn evaluate_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>>;

    /// What logits are divided by from now on, as a sampler divides them; 1 until it is told.
    fn set_temperature(&mut self, temperature: f32);

    /// Memory that training takes, in 10^9 bytes: what this process holds, or on a device that says so the most that was
    /// held there; 0 where nobody says.
    fn memory_gb(&self) -> f64 {
        dojo_core::ground::memory::resident_gb()
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

impl Losses {
    /// Their sums.
    #[must_use]
    pub fn of(rows: &[RowLoss]) -> Self {
        rows.iter().fold(Self::default(), |mut sum, row| {
            sum += Self {
                nll: f64::from(row.nll),
                entropy: f64::from(row.entropy),
                correct: usize::from(row.correct),
                tokens: 1,
            };
            sum
        })
    }
}

impl std::ops::AddAssign for Losses {
    fn add_assign(&mut self, other: Self) {
        self.nll += other.nll;
        self.entropy += other.entropy;
        self.correct += other.correct;
        self.tokens += other.tokens;
    }
}
