//! AdamW and the clipping of gradients, over flat vectors, the same to the bit whatever the threads do.

use rayon::prelude::*;

use super::parameter_groups::{ParameterGroup, ParameterGroups};
use dojo_core::domain::recipe::TrainPart;

/// Numbers that one task updates. Fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 16_384;

/// AdamW (Loshchilov and Hutter 2019) in PyTorch's form: decoupled decay, bias correction, epsilon added to the
/// corrected root.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
    /// Running mean of the gradients, PyTorch's `exp_avg`.
    pub mean: Vec<f32>,
    /// Running mean of their squares, PyTorch's `exp_avg_sq`.
    pub square: Vec<f32>,
    /// Updates so far.
    pub steps: u64,
    groups: ParameterGroups,
}

/// What one update needs to know beside the gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    pub learning_rate: f64,
    /// Gradients are multiplied by this first: [`clip_factor`].
    pub gradient_factor: f32,
}

impl AdamW {
    /// A fresh optimizer for this many trained numbers.
    #[must_use]
    pub fn new(train: &TrainPart, numbers: usize, groups: ParameterGroups) -> Self {
        Self {
            beta1: train.adam_beta1,
            beta2: train.adam_beta2,
            epsilon: train.adam_epsilon,
            weight_decay: train.weight_decay,
            mean: vec![0.0; numbers],
            square: vec![0.0; numbers],
            steps: 0,
            groups,
        }
    }

    /// One update in a single pass over values, gradients and both means.
    pub fn update(&mut self, values: &mut [f32], gradients: &[f32], update: Update) {
        self.steps += 1;
        let correction1 = 1.0 - self.beta1.powf(self.steps as f64);
        let correction2 = 1.0 - self.beta2.powf(self.steps as f64);
        let (groups, decay) = (&self.groups, self.weight_decay);
        let constants = |group: ParameterGroup| {
            let rate = update.learning_rate * f64::from(group.factor);
            let decay = if group.decays { decay } else { 0.0 };
            Constants {
                gradient_factor: update.gradient_factor,
                keep: (1.0 - rate * decay) as f32,
                mean_weight: (1.0 - self.beta1) as f32,
                square_keep: self.beta2 as f32,
                square_weight: (1.0 - self.beta2) as f32,
                root_divisor: correction2.sqrt() as f32,
                epsilon: self.epsilon as f32,
                step: (rate / correction1) as f32,
            }
        };
        let chunks = values.par_chunks_mut(CHUNK).zip(gradients.par_chunks(CHUNK));
        let means = self.mean.par_chunks_mut(CHUNK).zip(self.square.par_chunks_mut(CHUNK));
        chunks.zip(means).enumerate().for_each(|(index, ((values, gradients), (mean, square)))| {
            let start = index * CHUNK;
            for (piece, group) in groups.pieces(start..start + values.len()) {
                let piece = piece.start - start..piece.end - start;
                let state = (&mut mean[piece.clone()], &mut square[piece.clone()]);
                constants(group).apply(&mut values[piece.clone()], &gradients[piece], state);
            }
        });
    }
}

/// One step's scalars, rounded once as PyTorch rounds them.
struct Constants {
    gradient_factor: f32,
    keep: f32,
    mean_weight: f32,
    square_keep: f32,
    square_weight: f32,
    root_divisor: f32,
    epsilon: f32,
    step: f32,
}

impl Constants {
    fn apply(&self, values: &mut [f32], gradients: &[f32], (mean, square): (&mut [f32], &mut [f32])) {
        let state = mean.iter_mut().zip(square);
        for ((value, gradient), (mean, square)) in values.iter_mut().zip(gradients).zip(state) {
            let gradient = gradient * self.gradient_factor;
            *mean += self.mean_weight * (gradient - *mean);
            *square = *square * self.square_keep + self.square_weight * (gradient * gradient);
            let denominator = square.sqrt() / self.root_divisor + self.epsilon;
            *value = *value * self.keep - self.step * (*mean / denominator);
        }
    }
}

/// The Euclidean norm of all gradients: f64 sums over fixed chunks, added in order.
#[must_use]
pub fn norm(gradients: &[f32]) -> f64 {
    let square = |&gradient: &f32| f64::from(gradient) * f64::from(gradient);
    let sums: Vec<f64> =
        gradients.par_chunks(CHUNK).map(|chunk| chunk.iter().map(square).sum::<f64>()).collect();
    sums.iter().sum::<f64>().sqrt()
}

/// What clipping multiplies gradients by: PyTorch's `max_norm / (norm + 1e-6)`, at most 1. A limit of 0 never clips.
#[must_use]
pub fn clip_factor(norm: f64, limit: f64) -> f32 {
    if limit > 0.0 { (limit / (norm + 1e-6)).min(1.0) as f32 } else { 1.0 }
}
