//! Direct preference optimisation (Rafailov et al. 2023) and its kin: pairs of a chosen and a rejected answer, laid end
//! to end without padding, against log-probabilities of a reference that were computed once.

use super::{ItemPart, MetricSums, Objective, PairScores, ReferencePair, StepShare, Weighed, pair_loss};
use crate::kernels::cross_entropy::RowLoss;
use crate::train::trainer;
use dojo_core::domain::batch::{PackedBatch, TokenPair};
use dojo_core::domain::recipe::{DpoPart, PreferenceLoss};

/// Pairs to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Preferences<'a> {
    pub train: &'a [TokenPair],
    /// May be empty.
    pub eval: &'a [TokenPair],
    /// Of each training pair.
    pub train_reference: &'a [ReferencePair],
    /// Of each held-out pair.
    pub eval_reference: &'a [ReferencePair],
    pub dpo: &'a DpoPart,
}

/// What a batch's rows say of a pair.
#[derive(Debug, Clone, Copy, Default)]
struct PairRows {
    log_probabilities: [f64; 2],
    entropy: f64,
    /// Of the chosen answer.
    correct: usize,
}

impl<'a> Preferences<'a> {
    fn pairs(&self, part: ItemPart, items: &[usize]) -> impl Iterator<Item = (&'a TokenPair, ReferencePair)> {
        let (pairs, reference) = match part {
            ItemPart::Train => (self.train, self.train_reference),
            ItemPart::HeldOut => (self.eval, self.eval_reference),
        };
        items.iter().filter_map(|&item| Some((pairs.get(item)?, *reference.get(item)?)))
    }

    /// Loss and derivatives of a pair, all losses weighed; that of the tokens apart.
    fn of_pair(&self, scores: &PairScores) -> (f64, [f64; 2]) {
        let (mut loss, mut by_policy) = (0.0, [0.0; 2]);
        for (&kind, weight) in self.dpo.loss_type.kinds().iter().zip(self.dpo.weights()) {
            let one = pair_loss(kind, scores, self.dpo.beta, self.dpo.label_smoothing);
            loss += weight * one.loss;
            by_policy[0] += weight * one.by_policy[0];
            by_policy[1] += weight * one.by_policy[1];
        }
        (loss, by_policy)
    }

    /// The weight of the chosen answers' own likelihood.
    fn sft_weight(&self) -> f64 {
        let kinds = self.dpo.loss_type.kinds().iter().zip(self.dpo.weights());
        kinds.filter(|(kind, _)| **kind == PreferenceLoss::Sft).map(|(_, weight)| weight).sum()
    }
}

impl Objective for Preferences<'_> {
    fn lengths(&self) -> Vec<usize> {
        self.train.iter().map(TokenPair::tokens).collect()
    }

    fn held_out(&self) -> usize {
        self.eval.len()
    }

    fn longest(&self, max_length: usize) -> usize {
        2 * max_length
    }

    fn fingerprint(&self) -> u64 {
        fingerprint(self.train)
    }

    fn batch(&self, part: ItemPart, items: &[usize]) -> PackedBatch {
        let answers = self.pairs(part, items).flat_map(|(pair, _)| [&pair.chosen, &pair.rejected]);
        PackedBatch::pack_sharing(&answers.collect::<Vec<_>>())
    }

    fn share(&self, part: ItemPart, items: &[usize]) -> StepShare {
        let tokens = self.pairs(part, items).map(|(pair, _)| pair.chosen.targets()).sum();
        StepShare { items: items.len(), tokens }
    }

    fn same_slope(&self, _: StepShare) -> Option<f32> {
        None
    }

    fn weigh(&self, part: ItemPart, items: &[usize], rows: &[RowLoss], share: StepShare) -> Weighed {
        let (pairs, tokens) = (share.items.max(1) as f64, share.tokens.max(1) as f64);
        let sft = self.sft_weight();
        let (mut slopes, mut sums) = (Vec::with_capacity(rows.len()), MetricSums::default());
        let mut rest = rows;
        for (pair, reference) in self.pairs(part, items) {
            let lengths = [pair.chosen.targets(), pair.rejected.targets()];
            let found = take(&mut rest, lengths);
            let scores =
                PairScores { policy: found.log_probabilities, reference: reference.0, tokens: lengths };
            let (loss, by_policy) = self.of_pair(&scores);
            let own = -found.log_probabilities[0];
            // A log-probability falls as the negative log-likelihood rises.
            let of_answers = by_policy.map(|slope| -slope / pairs);
            slopes.extend(std::iter::repeat_n((of_answers[0] + sft / tokens) as f32, lengths[0]));
            slopes.extend(std::iter::repeat_n(of_answers[1] as f32, lengths[1]));
            sums.add("loss", loss + sft * own * pairs / tokens, 1.0);
            self.note(&mut sums, &scores, &found);
        }
        Weighed { slopes, sums }
    }
}

impl Preferences<'_> {
    fn note(&self, sums: &mut MetricSums, scores: &PairScores, found: &PairRows) {
        let [chosen, rejected] = scores.ratios().map(|ratio| self.dpo.beta * ratio);
        let [of_chosen, of_rejected] = scores.tokens.map(|tokens| tokens as f64);
        sums.add("entropy", found.entropy, of_chosen + of_rejected);
        sums.add("mean_token_accuracy", found.correct as f64, of_chosen);
        sums.add("logps/chosen", scores.policy[0], 1.0);
        sums.add("logps/rejected", scores.policy[1], 1.0);
        sums.add("rewards/chosen", chosen, 1.0);
        sums.add("rewards/rejected", rejected, 1.0);
        sums.add("rewards/margins", chosen - rejected, 1.0);
        sums.add("rewards/accuracies", f64::from(u8::from(chosen > rejected)), 1.0);
    }
}

/// The rows of the next pair.
fn take(rest: &mut &[RowLoss], lengths: [usize; 2]) -> PairRows {
    let mut found = PairRows::default();
    for (side, length) in lengths.into_iter().enumerate() {
        let (rows, after) = rest.split_at(length.min(rest.len()));
        *rest = after;
        for row in rows {
            found.log_probabilities[side] -= f64::from(row.nll);
            found.entropy += f64::from(row.entropy);
            found.correct += usize::from(side == 0 && row.correct);
        }
    }
    found
}

/// Tells one list of pairs from another: by all of their answers.
#[must_use]
pub fn fingerprint(pairs: &[TokenPair]) -> u64 {
    trainer::fingerprint(pairs.iter().flat_map(|pair| [&pair.chosen, &pair.rejected]))
}
