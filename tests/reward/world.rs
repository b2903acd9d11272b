//! Tasks, records and sets of rewards for the tests of `src/reward`.

use std::sync::Arc;

use dojo_studio::domain::record::Record;
use dojo_studio::domain::reward::{
    Attempt, CompletionScorer, ComponentValue, RewardOutcome, RewardScore, RewardTotal, RewardUse,
    ScoreDetail,
};
use dojo_studio::reward::bench::record_of;
use dojo_studio::reward::helpers::Helpers;
use dojo_studio::reward::{RewardSet, Threads};
use dojo_studio::task::{Task, find};
use serde_json::Value;

pub(crate) fn task(name: &str) -> Arc<Task> {
    Arc::new(find(name, None).expect("a shipped task"))
}

pub(crate) fn row(row: Value) -> Record {
    record_of(row.as_object().expect("an object").clone())
}

pub(crate) fn try_set(task: &Arc<Task>, table: Value, helpers: &Helpers) -> anyhow::Result<RewardSet> {
    let rows = RewardUse::table(&table).map_err(anyhow::Error::msg)?;
    RewardSet::new(task, &rows, helpers, Threads::Shared)
}

pub(crate) fn set(task: &Arc<Task>, table: Value) -> RewardSet {
    try_set(task, table, &Helpers::default()).expect("a set of rewards")
}

pub(crate) fn refusal(task: &Arc<Task>, table: Value) -> String {
    format!("{:#}", try_set(task, table, &Helpers::default()).err().expect("refused"))
}

pub(crate) fn total(set: &RewardSet, record: &Record, completion: &str) -> RewardTotal {
    set.score(&[Attempt { record, completion }], ScoreDetail::Reasons).remove(0)
}

/// What the first reward of a set says.
pub(crate) fn outcome(set: &RewardSet, record: &Record, completion: &str) -> RewardOutcome {
    total(set, record, completion).parts.remove(0).outcome
}

pub(crate) fn score(set: &RewardSet, record: &Record, completion: &str) -> RewardScore {
    match outcome(set, record, completion) {
        RewardOutcome::Scored(score) => score,
        RewardOutcome::DoesNotApply { does_not_apply } => panic!("does not apply: {does_not_apply}"),
    }
}

pub(crate) fn reason(set: &RewardSet, record: &Record, completion: &str) -> String {
    match outcome(set, record, completion) {
        RewardOutcome::Scored(score) => panic!("it applies: {score:?}"),
        RewardOutcome::DoesNotApply { does_not_apply } => does_not_apply,
    }
}

pub(crate) fn number(score: &RewardScore, component: &str) -> f64 {
    match score.component(component) {
        Some(ComponentValue::Number(number)) => *number,
        other => panic!("{component} is {other:?}"),
    }
}

pub(crate) fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}
