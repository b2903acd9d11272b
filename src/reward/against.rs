//! What a completion is compared with: the record's own answer, or one of the task's fields.

use std::sync::Arc;

use super::settings::{RewardSettings, SettingKey, SettingKind};
use crate::domain::record::Record;
use crate::domain::reward::RewardOutcome;
use crate::task::Task;

pub(super) const AGAINST: SettingKey = SettingKey {
    name: "against",
    kind: SettingKind::Text,
    default: None,
    help: "The task's field or the column to compare with; else the record's own answer",
};

/// Where the other text comes from.
pub(super) struct Against {
    task: Arc<Task>,
    field: Option<String>,
}

impl Against {
    pub(super) fn new(task: &Arc<Task>, settings: &RewardSettings<'_>) -> Self {
        Self { task: Arc::clone(task), field: settings.text("against") }
    }

    /// The other text, or why there is none.
    pub(super) fn text(&self, record: &Record) -> Result<String, RewardOutcome> {
        let found = match &self.field {
            Some(field) => self.task.field(record, field),
            None => self.task.answer_to_learn(record).ok().flatten(),
        };
        found.filter(|text| !text.trim().is_empty()).ok_or_else(|| {
            RewardOutcome::does_not_apply(match &self.field {
                Some(field) => format!("the record has no {field}"),
                None => "the record has no reference answer".to_owned(),
            })
        })
    }
}

/// Whether two texts have the same words in the same order, whatever their case and signs.
pub(super) fn is_copy(a: &str, b: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    words(a) == words(b)
}
