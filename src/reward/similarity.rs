//! How near the meaning of a completion is to that of another text, by sentence embeddings: the cosine, at least 0.

use std::sync::Arc;

use super::against::{AGAINST, Against, is_copy};
use super::helpers::SentenceVectors;
use super::settings::{SettingKey, SettingKind};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardOutcome, RewardScore, ScoreDetail};

pub(super) const COPY: SettingKey = SettingKey {
    name: "copy",
    kind: SettingKind::Number(-10.0, 10.0),
    default: None,
    help: "What a completion is worth that has the other text's words as they are; else it counts as any",
};

pub(super) const KIND: RewardKind = RewardKind {
    name: "similarity",
    about: "Cosine of the sentence embeddings of the completion and the reference",
    keys: &[AGAINST, COPY],
    build: |making: &Making<'_>| {
        let Some(vectors) = making.helpers.vectors.clone() else {
            return Ok(Built::Lacks("it needs a model for embeddings: name one with --embedder".to_owned()));
        };
        let copy = making.settings.number("copy");
        Ok(Built::ready(Similarity { against: Against::new(making.task, &making.settings), vectors, copy }))
    },
};

struct Similarity {
    against: Against,
    vectors: Arc<dyn SentenceVectors>,
    copy: Option<f64>,
}

impl Reward for Similarity {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        one_of(self.score_batch(std::slice::from_ref(attempt), detail))
    }

    fn score_batch(&self, attempts: &[Attempt<'_>], detail: ScoreDetail) -> Vec<RewardOutcome> {
        let others: Vec<Result<String, RewardOutcome>> =
            attempts.iter().map(|attempt| self.against.text(attempt.record)).collect();
        // Each text once, however many completions it is compared with.
        let mut texts: Vec<&str> = attempts
            .iter()
            .zip(&others)
            .filter_map(|(attempt, other)| Some([attempt.completion, other.as_ref().ok()?.as_str()]))
            .flatten()
            .filter(|text| !text.trim().is_empty())
            .collect();
        texts.sort_unstable();
        texts.dedup();
        let vectors = match self.vectors.vectors(&texts) {
            Ok(vectors) => vectors,
            Err(error) => {
                let why = format!("the embeddings of {} failed: {error:#}", self.vectors.name());
                return vec![RewardOutcome::does_not_apply(why); attempts.len()];
            }
        };
        let vector = |text: &str| texts.binary_search(&text).ok().and_then(|index| vectors.get(index));
        let outcome = |(attempt, other): (&Attempt<'_>, &Result<String, RewardOutcome>)| match other {
            Ok(other) => {
                let near = vector(attempt.completion).zip(vector(other)).map(|(a, b)| cosine(a, b));
                self.outcome(attempt.completion, other, near.unwrap_or_default(), detail)
            }
            Err(outcome) => outcome.clone(),
        };
        attempts.iter().zip(&others).map(outcome).collect()
    }
}

impl Similarity {
    fn outcome(&self, completion: &str, other: &str, near: f64, detail: ScoreDetail) -> RewardOutcome {
        let near = near.max(0.0);
        match self.copy.filter(|_| is_copy(completion, other)) {
            Some(value) => RewardOutcome::Scored(copied(value, near, detail)),
            None => RewardOutcome::of(near),
        }
    }
}

/// The score of a copy.
pub(super) fn copied(value: f64, instead_of: f64, detail: ScoreDetail) -> RewardScore {
    let mut score = RewardScore { value, ..RewardScore::default() };
    let why = (detail == ScoreDetail::Reasons).then(|| "it copies the other text".to_owned());
    score.lost("copy", value - instead_of, why);
    score
}

/// The only outcome of a batch of one.
pub(super) fn one_of(mut outcomes: Vec<RewardOutcome>) -> RewardOutcome {
    outcomes.pop().unwrap_or_else(|| RewardOutcome::does_not_apply("nothing was said of it"))
}

/// Of vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
