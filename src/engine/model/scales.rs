//! What a model multiplies by, as its layers are computed here.

use anyhow::{Result, ensure};

/// The factors of a [`ModelConfig`](super::config::ModelConfig), and its norms' epsilon.
pub(super) struct Scaled {
    pub embedding: f32,
    pub attention: f32,
    pub logits: f32,
    pub norm_epsilon: f32,
}

impl Scaled {
    pub(super) const fn usual(norm_epsilon: f32, attention: f32) -> Self {
        Self { embedding: 1.0, attention, logits: 1.0, norm_epsilon }
    }
}

/// The factors that a file names (Granite).
pub(super) struct Multipliers {
    pub embedding: f32,
    /// Of what a block adds to the residual stream.
    pub residual: f32,
    pub attention: f32,
    /// What logits are divided by.
    pub logits: f32,
}

impl Multipliers {
    /// The same numbers without a factor inside the layers: the residual stream is held divided by it. Every norm that
    /// reads the stream makes the same of it with an epsilon divided by the factor's square.
    ///
    /// # Errors
    /// If a factor isn't a positive number.
    pub(super) fn scaled(&self, norm_epsilon: f32) -> Result<Scaled> {
        for (name, factor) in [
            ("embedding", self.embedding),
            ("residual", self.residual),
            ("attention", self.attention),
            ("logits", self.logits),
        ] {
            ensure!(factor.is_finite() && factor > 0.0, "its multiplier of the {name} is {factor}");
        }
        Ok(Scaled {
            embedding: self.embedding / self.residual,
            attention: self.attention,
            logits: 1.0 / self.logits,
            norm_epsilon: norm_epsilon / (self.residual * self.residual),
        })
    }
}
