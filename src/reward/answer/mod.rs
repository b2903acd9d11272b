//! Whether the completion's final answer is the record's: the same number, or the same text once both are written alike.

mod extract;
mod normalise;

pub use extract::{Place, extract};
pub use normalise::{normalised, number};

use std::sync::Arc;

use super::settings::{SettingKey, SettingKind};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::record::Record;
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};
use crate::task::Task;

pub(super) const KIND: RewardKind = RewardKind {
    name: "answer",
    about: "1 if the final answer is the reference's: after ####, in \\boxed{}, or after \"the answer is\"",
    keys: &[
        SettingKey {
            name: "from",
            kind: SettingKind::Choice(&["any", "hashes", "boxed", "said", "last-number"]),
            default: Some("\"any\""),
            help: "Where the completion has to have it; any looks in this order",
        },
        SettingKey {
            name: "compare",
            kind: SettingKind::Choice(&["either", "number", "text"]),
            default: Some("\"either\""),
            help: "As numbers, as texts, or as numbers if both are",
        },
        SettingKey {
            name: "reference",
            kind: SettingKind::Text,
            default: None,
            help: "The field that holds the reference; else the record's label, or its own answer",
        },
    ],
    build: |making: &Making<'_>| Ok(Built::ready(AnswerReward::make(making))),
};

struct AnswerReward {
    task: Arc<Task>,
    from: Option<Place>,
    compare: AnswerComparison,
    reference: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerComparison {
    Either,
    Number,
    Text,
}

impl AnswerReward {
    fn make(making: &Making<'_>) -> Self {
        let settings = &making.settings;
        let from = settings.text("from").unwrap_or_default();
        let compare = match settings.text("compare").as_deref() {
            Some("number") => AnswerComparison::Number,
            Some("text") => AnswerComparison::Text,
            Some(_) | None => AnswerComparison::Either,
        };
        Self {
            task: Arc::clone(making.task),
            from: Place::from_name(&from),
            compare,
            reference: settings.text("reference"),
        }
    }

    /// The record's own final answer.
    fn truth(&self, record: &Record) -> Option<String> {
        let whole = match &self.reference {
            Some(field) => self.task.field(record, field)?,
            None => match self.task.true_label(record) {
                Some(label) => return Some(label),
                None => self.task.answer_to_learn(record).ok()??,
            },
        };
        // A reference is often the answer alone.
        Some(extract(&whole, None).filter(|_| whole.len() > 40 || whole.contains("####")).unwrap_or(whole))
    }

    fn same(&self, answer: &str, truth: &str) -> bool {
        let numbers = number(answer).zip(number(truth));
        let same_number = numbers.map(|(a, b)| (a - b).abs() <= (1e-9 * a.abs().max(b.abs())).max(1e-6));
        let same_text = || normalised(answer) == normalised(truth);
        match self.compare {
            AnswerComparison::Number => same_number.unwrap_or_default(),
            AnswerComparison::Text => same_text(),
            AnswerComparison::Either => same_number.unwrap_or_else(same_text),
        }
    }
}

impl Reward for AnswerReward {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        let Some(truth) = self.truth(attempt.record) else {
            return RewardOutcome::does_not_apply("the record has no reference answer");
        };
        let found = extract(attempt.completion, self.from);
        let right = found.as_deref().is_some_and(|answer| self.same(answer, &truth));
        let mut score = RewardScore { value: f64::from(right), ..RewardScore::default() };
        if detail == ScoreDetail::Reasons {
            let why = match &found {
                None => Some("no final answer can be read".to_owned()),
                Some(answer) if !right => Some(format!("it answers {answer}, the reference is {truth}")),
                Some(_) => None,
            };
            score.components = vec![
                RewardComponent::word("read", found.unwrap_or_else(|| "nothing".to_owned())),
                RewardComponent::word("reference", truth),
            ];
            score.lost("answer", -1.0, why);
        }
        RewardOutcome::Scored(score)
    }
}
