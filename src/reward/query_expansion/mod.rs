//! How good an expansion of a search query is: keywords, sentences and a passage that keep the query's names and add
//! words of their own. The reward of QMD (Tobi Lütke, `tobi/qmd`, finetune), equal to it in every component.

mod entities;
pub(super) mod guarded;
mod normal;
mod only;
mod score;
mod text;
mod words;

pub use score::{QueryExpansionScore, score};

use std::sync::Arc;

use serde_json::Value;

use super::{Built, Making, Reward, RewardKind};
use crate::domain::record::Record;
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};
use crate::task::Task;

pub(super) const KIND: RewardKind = RewardKind {
    name: "query-expansion",
    about: "QMD's score of lex, vec and hyde lines: form, diversity, passage, quality, names kept",
    keys: &[],
    build: |making: &Making<'_>| Ok(Built::ready(QueryExpansion { task: Arc::clone(making.task) })),
};

struct QueryExpansion {
    task: Arc<Task>,
}

impl Reward for QueryExpansion {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        match query_of(&self.task, attempt.record) {
            Some(query) => outcome(score(&query, attempt.completion, detail)),
            None => RewardOutcome::does_not_apply("the record has no query"),
        }
    }
}

fn query_of(task: &Task, record: &Record) -> Option<String> {
    // An empty query is one too.
    let own = || record.fields.get("query").and_then(Value::as_str).map(Into::into);
    task.field(record, "query").or_else(own)
}

fn outcome(score: QueryExpansionScore) -> RewardOutcome {
    let points = [
        ("format", score.format),
        ("diversity", score.diversity),
        ("hyde", score.hyde),
        ("quality", score.quality),
        ("entity", score.entity),
        ("think_bonus", score.think_bonus),
    ];
    let mut components = vec![
        RewardComponent::number("percentage", score.percentage),
        RewardComponent::word("rating", score.rating),
    ];
    components.extend(points.map(|(name, points)| RewardComponent::number(name, points as f64)));
    RewardOutcome::Scored(RewardScore { value: score.score, components, deductions: score.deductions })
}
