//! Where a step's time goes.

use std::time::{Duration, Instant};

/// A part of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepPart {
    /// Frozen projections with their adapters, forward.
    Products,
    /// The same, backward, with the adapters' gradients.
    ProductsBackward,
    Attention,
    AttentionBackward,
    /// The output layer and the loss, both ways.
    CrossEntropy,
    /// Norms, rotation, gates, additions.
    Elementwise,
}

impl StepPart {
    pub const ALL: [Self; 6] = [
        Self::Products,
        Self::ProductsBackward,
        Self::Attention,
        Self::AttentionBackward,
        Self::CrossEntropy,
        Self::Elementwise,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::ProductsBackward => "products_backward",
            Self::Attention => "attention",
            Self::AttentionBackward => "attention_backward",
            Self::CrossEntropy => "cross_entropy",
            Self::Elementwise => "elementwise",
        }
    }
}

/// Time spent in each part.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    spent: [Duration; StepPart::ALL.len()],
}

impl Profile {
    pub fn seconds(&self, part: StepPart) -> f64 {
        self.spent[part as usize].as_secs_f64()
    }

    pub(super) fn add(&mut self, part: StepPart, since: Instant) {
        self.spent[part as usize] += since.elapsed();
    }
}
