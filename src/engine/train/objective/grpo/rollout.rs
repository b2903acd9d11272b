//! What is learnt from until the next completions are drawn, and how it is kept in a checkpoint.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::loss::{CompletionLoss, CompletionTerms, completion_loss};
use crate::kernels::cross_entropy::RowLoss;
use dojo_core::domain::batch::{PackedBatch, TokenExample};
use dojo_core::domain::recipe::GrpoPart;

/// Completions and what they are worth.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rollout {
    /// Which of a run, counted from 0; none before the first.
    pub(super) number: Option<u64>,
    pub(super) rolled: Vec<Rolled>,
}

/// Groups that a micro-batch of so many completions has parts of, at most: each group's prompt is computed once.
pub(super) fn most_groups(part: &GrpoPart, size: usize) -> usize {
    (size.div_ceil(part.num_generations.max(1)) + 1).min(part.prompts_per_step.max(1))
}

/// One completion. Numbers are kept to the bit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rolled {
    /// Of the prompt and the completion.
    pub(super) tokens: Vec<u32>,
    pub(super) prompt_tokens: usize,
    #[serde(with = "bits")]
    pub(super) advantage: f64,
    /// What its summed loss is multiplied by.
    #[serde(with = "bits")]
    pub(super) weight: f64,
    /// Log-probabilities of its tokens: as they were drawn, before the first step on them (empty until then), and of the
    /// reference (empty without one).
    #[serde(with = "bits_of_each")]
    pub(super) sampled: Vec<f32>,
    #[serde(with = "bits_of_each")]
    pub(super) old: Vec<f32>,
    #[serde(with = "bits_of_each")]
    pub(super) reference: Vec<f32>,
}

impl Rollout {
    /// Those of which anything is learnt, so many together. Where the advantage is 0 and nothing is kept near a reference,
    /// the loss and its gradient are 0: they are not computed.
    pub(super) fn micro_batches(&self, part: &GrpoPart, size: usize) -> Vec<Vec<usize>> {
        let teaches =
            |rolled: &Rolled| rolled.weight > 0.0 && (part.beta > 0.0 || rolled.advantage.abs() > 0.0);
        let learnt = self.rolled.iter().enumerate().filter(|(_, rolled)| teaches(rolled));
        let mut learnt: Vec<usize> = learnt.map(|(at, _)| at).collect();
        // A step without any still says how the model stands.
        if learnt.is_empty() && !self.rolled.is_empty() {
            learnt.push(0);
        }
        let group = |at: usize| at / part.num_generations.max(1);
        let mut batches: Vec<Vec<usize>> = Vec::new();
        let mut groups = 0;
        for at in learnt {
            match batches.last_mut() {
                Some(batch)
                    if batch.last().is_some_and(|&last| group(last) == group(at)) && batch.len() < size =>
                {
                    batch.push(at);
                }
                Some(batch) if batch.len() < size && groups < most_groups(part, size) => {
                    groups += 1;
                    batch.push(at);
                }
                _ => {
                    groups = 1;
                    batches.push(vec![at]);
                }
            }
        }
        batches
    }

    pub(super) fn batch(&self, items: &[usize]) -> PackedBatch {
        let examples: Vec<TokenExample> =
            items.iter().filter_map(|&item| Some(self.rolled.get(item)?.example())).collect();
        PackedBatch::pack_sharing(&examples.iter().collect::<Vec<_>>())
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).context("write the completions of an unfinished iteration as JSON")
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).context("read the completions that the checkpoint keeps")
    }
}

impl Rolled {
    pub(super) fn length(&self) -> usize {
        self.tokens.len().saturating_sub(self.prompt_tokens)
    }

    fn example(&self) -> TokenExample {
        TokenExample::of_completion(self.tokens.clone(), self.prompt_tokens)
    }

    /// Its loss, from its rows.
    pub(super) fn loss(&self, part: &GrpoPart, rows: &[RowLoss]) -> CompletionLoss {
        let policy: Vec<f64> = rows.iter().map(|row| -f64::from(row.nll)).collect();
        let wide = |numbers: &[f32]| numbers.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let (old, reference) = (wide(&self.old), wide(&self.reference));
        let old = if old.is_empty() { &policy } else { &old };
        completion_loss(
            part,
            &CompletionTerms { policy: &policy, old, reference: &reference, advantage: self.advantage },
        )
    }
}

mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        number.to_bits().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

mod bits_of_each {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(numbers: &[f32], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(numbers.iter().map(|number| number.to_bits()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
        Ok(Vec::<u32>::deserialize(from)?.into_iter().map(f32::from_bits).collect())
    }
}
