//! Whether two texts say the same: a judge of natural language inference finds that each follows from the other.

use std::sync::Arc;

use super::against::{AGAINST, Against, is_copy};
use super::helpers::{Entailment, EntailmentJudge};
use super::settings::{SettingKey, SettingKind};
use super::similarity::{COPY, copied, one_of};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};

pub(super) const KIND: RewardKind = RewardKind {
    name: "logical-equivalence",
    about: "The smaller of a judge's two probabilities that each of the two texts follows from the other",
    keys: &[
        AGAINST,
        COPY,
        SettingKey {
            name: "threshold",
            kind: SettingKind::Number(0.0, 1.0),
            default: None,
            help: "From this probability on it is 1, below it 0; without it the probability itself counts",
        },
    ],
    build: |making: &Making<'_>| {
        let Some(judge) = making.helpers.entailment.clone() else {
            return Ok(Built::Lacks("it needs a judge of entailment: name one with --judge".to_owned()));
        };
        Ok(Built::ready(LogicalEquivalence {
            against: Against::new(making.task, &making.settings),
            judge,
            copy: making.settings.number("copy"),
            threshold: making.settings.number("threshold"),
        }))
    },
};

struct LogicalEquivalence {
    against: Against,
    judge: Arc<dyn EntailmentJudge>,
    copy: Option<f64>,
    threshold: Option<f64>,
}

/// What has to be asked about an attempt.
enum EquivalenceQuestion {
    /// Nothing: this is the outcome.
    Known(RewardOutcome),
    /// The other text, in both directions.
    Pair(String),
}

impl Reward for LogicalEquivalence {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        one_of(self.score_batch(std::slice::from_ref(attempt), detail))
    }

    fn score_batch(&self, attempts: &[Attempt<'_>], detail: ScoreDetail) -> Vec<RewardOutcome> {
        let asked: Vec<EquivalenceQuestion> =
            attempts.iter().map(|attempt| self.asked(attempt, detail)).collect();
        let pairs: Vec<(&str, &str)> = attempts
            .iter()
            .zip(&asked)
            .filter_map(|(attempt, asked)| match asked {
                EquivalenceQuestion::Pair(other) => {
                    Some([(other.as_str(), attempt.completion), (attempt.completion, other.as_str())])
                }
                EquivalenceQuestion::Known(_) => None,
            })
            .flatten()
            .collect();
        let mut answers = self.judge.judge(&pairs).into_iter();
        asked
            .into_iter()
            .map(|asked| match asked {
                EquivalenceQuestion::Known(outcome) => outcome,
                EquivalenceQuestion::Pair(_) => match (answers.next(), answers.next()) {
                    (Some(Ok(forward)), Some(Ok(backward))) => self.outcome(forward, backward, detail),
                    (Some(Err(error)), _) | (_, Some(Err(error))) => RewardOutcome::does_not_apply(format!(
                        "the judge {} gave no answer: {error:#}",
                        self.judge.name()
                    )),
                    _ => RewardOutcome::does_not_apply("the judge gave no answer"),
                },
            })
            .collect()
    }
}

impl LogicalEquivalence {
    fn asked(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> EquivalenceQuestion {
        let other = match self.against.text(attempt.record) {
            Ok(other) => other,
            Err(outcome) => return EquivalenceQuestion::Known(outcome),
        };
        if attempt.completion.trim().is_empty() {
            let mut score = RewardScore::default();
            score.lost(
                "forward",
                -1.0,
                (detail == ScoreDetail::Reasons).then(|| "it says nothing".to_owned()),
            );
            return EquivalenceQuestion::Known(RewardOutcome::Scored(score));
        }
        match self.copy.filter(|_| is_copy(attempt.completion, &other)) {
            Some(value) => EquivalenceQuestion::Known(RewardOutcome::Scored(copied(value, 1.0, detail))),
            None => EquivalenceQuestion::Pair(other),
        }
    }

    fn outcome(&self, forward: Entailment, backward: Entailment, detail: ScoreDetail) -> RewardOutcome {
        let smaller = forward.probability.min(backward.probability);
        let value = match self.threshold {
            Some(threshold) => f64::from(smaller >= threshold),
            None => smaller,
        };
        let components = vec![
            RewardComponent::number("forward", forward.probability),
            RewardComponent::number("backward", backward.probability),
        ];
        let mut score = RewardScore { value, components, deductions: Vec::new() };
        if detail == ScoreDetail::Reasons {
            for (name, way, found) in [
                ("forward", "the completion does not follow", forward),
                ("backward", "it says less", backward),
            ] {
                let lost = found.probability - 1.0;
                let why = if found.why.is_empty() { way.to_owned() } else { format!("{way}: {}", found.why) };
                score.lost(name, lost, (lost < 0.0).then_some(why));
            }
        }
        RewardOutcome::Scored(score)
    }
}
