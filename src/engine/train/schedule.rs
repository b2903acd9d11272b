//! The learning rate over a run, by the formulas of transformers' `get_*_schedule_with_warmup`.

use dojo_core::domain::recipe::{Scheduler, TrainPart};

/// What the highest learning rate is multiplied by at each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    pub kind: Scheduler,
    pub warmup_steps: u64,
    pub total_steps: u64,
}

impl Schedule {
    #[must_use]
    pub const fn new(train: &TrainPart, total_steps: u64) -> Self {
        Self { kind: train.lr_scheduler_type, warmup_steps: train.warmup_steps, total_steps }
    }

    /// The factor at a step, counted from 0: the first step of a warm-up has factor 0, as in transformers.
    #[must_use]
    pub fn factor(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return step as f64 / self.warmup_steps as f64;
        }
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let progress = (step - self.warmup_steps) as f64 / decay_steps;
        match self.kind {
            Scheduler::Constant => 1.0,
            Scheduler::Linear => (1.0 - progress).max(0.0),
            Scheduler::Cosine => (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0),
        }
    }
}
