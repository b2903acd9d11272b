//! What the training loop asks of a model: losses and gradients over packed batches.

use anyhow::Result;

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
    ) -> Result<Losses>;

    /// As [`Student::backward`] with dropout, to see whether the batch goes through: what is added to `gradients` is of
    /// no use. Given up as soon as `go_on` says no, if the student can be interrupted; there are no losses then.
    ///
    /// # Errors
    /// As [`Student::backward`].
    fn rehearse(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        gradients: &mut [f32],
        _go_on: &dyn Fn() -> bool,
    ) -> Result<Option<Losses>> {
        self.backward(adapter, batch, 1.0, Some(0), gradients).map(Some)
    }

    /// The same losses without gradients or dropout.
    ///
    /// # Errors
    /// As [`Student::backward`].
    fn evaluate(&mut self, adapter: &Adapter, batch: &PackedBatch) -> Result<Losses>;

    /// Memory that training takes, in 10^9 bytes: what this process holds, or on a device that says so the most that was
    /// held there; 0 where nobody says.
    fn memory_gb(&self) -> f64 {
        super::memory::resident_gb()
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
