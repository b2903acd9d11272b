//! Sentence BLEU against a text, 0 to 1. Against the input and with a negative weight it keeps a paraphrase from copying
//! (iBLEU, Sun and Zhou 2012).

use super::against::{AGAINST, Against};
use super::text::bleu;
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardOutcome, ScoreDetail};

pub(super) const KIND: RewardKind = RewardKind {
    name: "bleu",
    about: "sacreBLEU's sentence BLEU against the reference, over 100",
    keys: &[AGAINST],
    build: |making: &Making<'_>| {
        Ok(Built::ready(Bleu { against: Against::new(making.task, &making.settings) }))
    },
};

struct Bleu {
    against: Against,
}

impl Reward for Bleu {
    fn score(&self, attempt: &Attempt<'_>, _: ScoreDetail) -> RewardOutcome {
        match self.against.text(attempt.record) {
            Ok(other) => RewardOutcome::of(bleu::sentence(attempt.completion, &other) / 100.0),
            Err(outcome) => outcome,
        }
    }
}
