//! What is asked and answered, a JSON object a line.
//!
//! Asked: `{"id": 1, "prompts": […], "completions": […], "columns": {"answer": […], …}}`, lists as long as the batch.
//! Answered: `{"id": 1, "rewards": [0.5, null], "log_extra": {"column": […]}, "log_metrics": {"name": 0.1}}`; null says that
//! the reward does not apply, and all but `rewards` may be missing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::message::{Message, Role};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore};
use crate::task::Task;

/// How prompts and completions are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wording {
    Texts,
    /// Lists of messages, as TRL gives them for conversations.
    Messages,
}

/// The line that asks about a batch.
///
/// # Errors
/// Where a record becomes no prompt.
pub(super) fn question(
    task: &Task,
    attempts: &[Attempt<'_>],
    wording: Wording,
    id: u64,
) -> Result<String, String> {
    let mut prompts = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let turns = task.prompt(attempt.record).map_err(|error| format!("was not asked: {error:#}"))?;
        prompts.push(match wording {
            Wording::Messages => json!(turns),
            Wording::Texts => json!(as_text(&turns)),
        });
    }
    let completion = |attempt: &Attempt<'_>| match wording {
        Wording::Messages => json!([Message::new(Role::Assistant, attempt.completion)]),
        Wording::Texts => json!(attempt.completion),
    };
    let completions: Vec<Value> = attempts.iter().map(completion).collect();
    let asked =
        json!({"id": id, "prompts": prompts, "completions": completions, "columns": columns(attempts)});
    Ok(format!("{asked}\n"))
}

/// A prompt of one turn is its text; several are joined.
fn as_text(turns: &[Message]) -> String {
    turns.iter().map(|turn| turn.content.as_str()).collect::<Vec<_>>().join("\n\n")
}

/// The records' columns, each as long as the batch, null where a record has none.
fn columns(attempts: &[Attempt<'_>]) -> Map<String, Value> {
    let mut columns = Map::new();
    for name in attempts.iter().flat_map(|attempt| attempt.record.fields.keys()) {
        // TRL hands these over by their own names.
        let is_own = ["prompt", "prompts", "completion", "completions"].contains(&name.as_str());
        if is_own || columns.contains_key(name) {
            continue;
        }
        let cells =
            attempts.iter().map(|attempt| attempt.record.fields.get(name).cloned().unwrap_or_default());
        columns.insert(name.clone(), Value::Array(cells.collect()));
    }
    columns
}

/// An answer, read.
#[derive(Debug)]
pub(super) struct CommandOutcomes {
    pub(super) outcomes: Vec<RewardOutcome>,
    pub(super) metrics: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct CommandAnswer {
    id: Option<u64>,
    rewards: Vec<Value>,
    #[serde(default)]
    log_extra: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    log_metrics: BTreeMap<String, Value>,
}

/// Reads the answer to a batch of `count` completions.
///
/// # Errors
/// One sentence without its subject, where it can't be used.
pub(super) fn read(line: &str, id: u64, count: usize) -> Result<CommandOutcomes, String> {
    let answer: CommandAnswer = parse(line)?;
    if let Some(other) = answer.id.filter(|other| *other != id) {
        return Err(format!("answered question {other} instead of {id}"));
    }
    if answer.rewards.len() != count {
        let plural = if count == 1 { "" } else { "s" };
        return Err(format!("gave {} rewards for {count} completion{plural}", answer.rewards.len()));
    }
    let mut outcomes = Vec::with_capacity(count);
    for (index, reward) in answer.rewards.iter().enumerate() {
        outcomes.push(match outcome(reward)? {
            RewardOutcome::Scored(mut score) => {
                score.components = components(&answer.log_extra, index);
                RewardOutcome::Scored(score)
            }
            other @ RewardOutcome::DoesNotApply { .. } => other,
        });
    }
    let numbers = answer.log_metrics.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?)));
    Ok(CommandOutcomes { outcomes, metrics: numbers.collect() })
}

/// Numbers that JSON does not have, as Python writes them.
static NO_NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"([\[,:]\s*)(NaN|-?Infinity)").ok());

fn parse(line: &str) -> Result<CommandAnswer, String> {
    let wrong = |error: &serde_json::Error| {
        format!("answered with something that can't be read ({error}): {:?}", beginning(line))
    };
    serde_json::from_str(line).or_else(|error| {
        let mended = NO_NUMBER.as_ref().map(|pattern| pattern.replace_all(line, "$1\"$2\""));
        mended.and_then(|line| serde_json::from_str(&line).ok()).ok_or_else(|| wrong(&error))
    })
}

fn beginning(line: &str) -> String {
    const SHOWN: usize = 80;
    let text: String = line.trim().chars().take(SHOWN).collect();
    if line.trim().chars().count() > SHOWN { format!("{text}…") } else { text }
}

fn outcome(reward: &Value) -> Result<RewardOutcome, String> {
    match reward {
        Value::Null => Ok(RewardOutcome::does_not_apply("the command says nothing of it")),
        Value::Number(number) => {
            let value = number.as_f64().filter(|number| number.is_finite());
            let value = value.ok_or_else(|| format!("gave {number}, which is no usable number"))?;
            Ok(RewardOutcome::Scored(RewardScore { value, ..RewardScore::default() }))
        }
        Value::String(text) if text.parse::<f64>().is_ok_and(|number| !number.is_finite()) => {
            Ok(RewardOutcome::does_not_apply(format!("the command gave {text}, which is no usable number")))
        }
        Value::String(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(format!("gave {reward} as a reward, which is no number"))
        }
    }
}

/// What it logs of one completion.
fn components(logged: &BTreeMap<String, Vec<Value>>, index: usize) -> Vec<RewardComponent> {
    let of_column = |(name, values): (&String, &Vec<Value>)| match values.get(index)? {
        Value::Null => None,
        Value::Number(number) => Some(RewardComponent::number(name.clone(), number.as_f64()?)),
        Value::String(text) => Some(RewardComponent::word(name.clone(), text.clone())),
        other => Some(RewardComponent::word(name.clone(), other.to_string())),
    };
    logged.iter().filter_map(of_column).collect()
}
