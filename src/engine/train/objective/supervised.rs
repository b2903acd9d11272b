//! Supervised training: the mean negative log-likelihood of all trained tokens of a step, as transformers'
//! `num_items_in_batch` has it.

use super::{ItemPart, MetricSums, Objective, StepShare, Weighed};
use crate::kernels::cross_entropy::RowLoss;
use crate::train::student::Losses;
use crate::train::trainer::fingerprint;
use dojo_core::domain::batch::{PackedBatch, TokenExample};

/// Answers to learn.
#[derive(Debug, Clone, Copy)]
pub struct Supervised<'a> {
    pub train: &'a [TokenExample],
    /// May be empty.
    pub eval: &'a [TokenExample],
}

impl<'a> Supervised<'a> {
    fn examples(&self, part: ItemPart, items: &[usize]) -> impl Iterator<Item = &'a TokenExample> {
        let all = match part {
            ItemPart::Train => self.train,
            ItemPart::HeldOut => self.eval,
        };
        items.iter().filter_map(|&item| all.get(item))
    }
}

impl Objective for Supervised<'_> {
    fn lengths(&self) -> Vec<usize> {
        self.train.iter().map(|example| example.tokens.len()).collect()
    }

    fn held_out(&self) -> usize {
        self.eval.len()
    }

    fn longest(&self, max_length: usize) -> usize {
        max_length
    }

    fn fingerprint(&self) -> u64 {
        fingerprint(self.train)
    }

    fn batch(&self, part: ItemPart, items: &[usize]) -> PackedBatch {
        PackedBatch::pack(self.examples(part, items))
    }

    fn share(&self, part: ItemPart, items: &[usize]) -> StepShare {
        let tokens = self.examples(part, items).map(TokenExample::targets).sum();
        StepShare { items: items.len(), tokens }
    }

    fn same_slope(&self, share: StepShare) -> Option<f32> {
        Some((1.0 / share.tokens.max(1) as f64) as f32)
    }

    fn weigh(&self, _: ItemPart, _: &[usize], rows: &[RowLoss], share: StepShare) -> Weighed {
        let losses = Losses::of(rows);
        let tokens = losses.tokens as f64;
        let mut sums = MetricSums::default();
        sums.add("loss", losses.nll, tokens);
        sums.add("entropy", losses.entropy, tokens);
        sums.add("mean_token_accuracy", losses.correct as f64, tokens);
        Weighed { slopes: vec![self.same_slope(share).unwrap_or_default(); rows.len()], sums }
    }
}
