//! Whether the completion's label is the record's, read as the task reads answers.

use std::sync::Arc;

use super::settings::{SettingKey, SettingKind};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};
use crate::task::Task;

pub(super) const KIND: RewardKind = RewardKind {
    name: "label",
    about: "1 if the task reads the true label out of the completion",
    keys: &[
        SettingKey {
            name: "wrong",
            kind: SettingKind::Number(-10.0, 10.0),
            default: Some("0.0"),
            help: "What another label is worth",
        },
        SettingKey {
            name: "unread",
            kind: SettingKind::Number(-10.0, 10.0),
            default: Some("0.0"),
            help: "What a completion is worth in which no label can be read",
        },
    ],
    build: |making: &Making<'_>| {
        Ok(Built::ready(LabelReward {
            task: Arc::clone(making.task),
            wrong: making.settings.need_number("wrong")?,
            unread: making.settings.need_number("unread")?,
        }))
    },
};

struct LabelReward {
    task: Arc<Task>,
    wrong: f64,
    unread: f64,
}

impl Reward for LabelReward {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        let Some(truth) = self.task.true_label(attempt.record) else {
            return RewardOutcome::does_not_apply("the record has no label");
        };
        let read = self.task.read(attempt.completion).label.filter(|label| !label.is_empty());
        let (value, why) = match &read {
            None => (self.unread, Some("no label can be read".to_owned())),
            Some(label) if self.task.same(label, &truth) => (1.0, None),
            Some(label) => (self.wrong, Some(format!("it says {label}, the label is {truth}"))),
        };
        let mut score = RewardScore { value, ..RewardScore::default() };
        if detail == ScoreDetail::Reasons {
            score.components = vec![
                RewardComponent::word("read", read.unwrap_or_else(|| "nothing".to_owned())),
                RewardComponent::word("label", truth),
            ];
            score.lost("label", value - 1.0, why);
        }
        RewardOutcome::Scored(score)
    }
}
