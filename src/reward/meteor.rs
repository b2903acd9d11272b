//! METEOR without synonyms against a text.

use super::against::{AGAINST, Against};
use super::text::meteor::meteor;
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardOutcome, ScoreDetail};

pub(super) const KIND: RewardKind = RewardKind {
    name: "meteor",
    about: "NLTK's METEOR without synonyms against the reference",
    keys: &[AGAINST],
    build: |making: &Making<'_>| {
        Ok(Built::ready(Meteor { against: Against::new(making.task, &making.settings) }))
    },
};

struct Meteor {
    against: Against,
}

impl Reward for Meteor {
    fn score(&self, attempt: &Attempt<'_>, _: ScoreDetail) -> RewardOutcome {
        match self.against.text(attempt.record) {
            Ok(other) => RewardOutcome::of(meteor(attempt.completion, &other)),
            Err(outcome) => outcome,
        }
    }
}
