//! ROUGE against a text.

use super::against::{AGAINST, Against};
use super::settings::{SettingKey, SettingKind};
use super::text::rouge::{RougeKind, Stems, f_measure};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardOutcome, ScoreDetail};

pub(super) const KIND: RewardKind = RewardKind {
    name: "rouge",
    about: "rouge_score's F-measure against the reference",
    keys: &[
        AGAINST,
        SettingKey {
            name: "variant",
            kind: SettingKind::Choice(&["rouge-1", "rouge-2", "rouge-l"]),
            default: Some("\"rouge-l\""),
            help: "Words, pairs of words, or the longest common subsequence",
        },
        SettingKey {
            name: "stems",
            kind: SettingKind::Flag,
            default: Some("false"),
            help: "Compare words by their stems",
        },
    ],
    build: |making: &Making<'_>| Ok(Built::ready(Rouge::make(making))),
};

struct Rouge {
    against: Against,
    kind: RougeKind,
    stems: Stems,
}

impl Rouge {
    fn make(making: &Making<'_>) -> Self {
        let kind = match making.settings.text("variant").as_deref() {
            Some("rouge-1") => RougeKind::Ngrams(1),
            Some("rouge-2") => RougeKind::Ngrams(2),
            Some(_) | None => RougeKind::Longest,
        };
        let stems = if making.settings.flag("stems") { Stems::Compared } else { Stems::Ignored };
        Self { against: Against::new(making.task, &making.settings), kind, stems }
    }
}

impl Reward for Rouge {
    fn score(&self, attempt: &Attempt<'_>, _: ScoreDetail) -> RewardOutcome {
        match self.against.text(attempt.record) {
            Ok(other) => RewardOutcome::of(f_measure(self.kind, self.stems, attempt.completion, &other)),
            Err(outcome) => outcome,
        }
    }
}
