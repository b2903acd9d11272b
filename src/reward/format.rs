//! Whether a completion keeps its form: the task's own, a JSON schema, tags, a number of steps. Each that is asked for
//! counts the same; of several tags, each counts its share.

use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, ensure};
use regex::Regex;

use super::settings::{SettingKey, SettingKind};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};
use crate::task::{Schema, Task};

pub(super) const KIND: RewardKind = RewardKind {
    name: "format",
    about: "The share of what is asked of the form that is kept: the task's own form, a schema, tags, steps",
    keys: &[
        SettingKey {
            name: "form",
            kind: SettingKind::Flag,
            default: None,
            help: "Ask for the task's own answer form; true unless something else is asked for",
        },
        SettingKey {
            name: "schema",
            kind: SettingKind::Table,
            default: None,
            help: "A JSON schema that the completion has to fit, with the keywords that answer.schema knows",
        },
        SettingKey {
            name: "tags",
            kind: SettingKind::Texts,
            default: None,
            help: "Tags such as \"think\" and \"answer\": each once, with something in it, in this order",
        },
        SettingKey {
            name: "steps",
            kind: SettingKind::Whole(1, 1000),
            default: None,
            help: "How many steps (\"step 1: …\") there have to be, numbered from 1",
        },
    ],
    build: |making: &Making<'_>| FormatReward::make(making).map(Built::ready),
};

struct FormatReward {
    task: Arc<Task>,
    form: bool,
    schema: Option<Schema>,
    tags: Vec<(String, String)>,
    steps: Option<usize>,
}

impl FormatReward {
    fn make(making: &Making<'_>) -> Result<Self> {
        let settings = &making.settings;
        let schema = settings.value("schema").map(|schema| Schema::parse(&schema)).transpose();
        let schema = schema.with_context(|| format!("read rewards.{}.schema", settings.name()))?;
        let names = settings.texts("tags");
        for name in &names {
            let plain =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-|".contains(c));
            ensure!(
                plain,
                "rewards.{}.tags names {name:?}: write the name alone, as \"think\"",
                settings.name()
            );
        }
        let tags: Vec<(String, String)> =
            names.iter().map(|name| (format!("<{name}>"), format!("</{name}>"))).collect();
        let steps = settings.whole("steps");
        let others = schema.is_some() || !tags.is_empty() || steps.is_some();
        let form = if settings.value("form").is_some() { settings.flag("form") } else { !others };
        ensure!(form || others, "rewards.{} asks for nothing", settings.name());
        Ok(Self { task: Arc::clone(making.task), form, schema, tags, steps })
    }
}

impl Reward for FormatReward {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        let text = attempt.completion;
        let mut parts: Vec<(&'static str, f64, Vec<String>)> = Vec::new();
        if self.form {
            let problems = self.task.read(text).problems;
            parts.push(("form", kept(&problems), problems));
        }
        if let Some(schema) = &self.schema {
            let problems = match serde_json::from_str(text.trim()) {
                Ok(value) => schema.problems(&value),
                Err(error) => vec![format!("it is not JSON: {error}")],
            };
            parts.push(("schema", kept(&problems), problems));
        }
        if !self.tags.is_empty() {
            let problems = tag_problems(text, &self.tags);
            let share = 1.0 - problems.len() as f64 / self.tags.len() as f64;
            parts.push(("tags", share, problems));
        }
        if let Some(count) = self.steps {
            let problems = step_problem(text, count);
            parts.push(("steps", kept(&problems), problems));
        }
        let value = parts.iter().map(|(_, value, _)| value).sum::<f64>() / parts.len() as f64;
        let mut score = RewardScore { value, ..RewardScore::default() };
        for (name, value, problems) in parts {
            score.components.push(RewardComponent::number(name, value));
            if detail == ScoreDetail::Reasons && !problems.is_empty() {
                score.lost(name, value - 1.0, Some(problems.join("; ")));
            }
        }
        RewardOutcome::Scored(score)
    }
}

fn kept(problems: &[String]) -> f64 {
    if problems.is_empty() { 1.0 } else { 0.0 }
}

/// One sentence at most for each tag: missing, twice, empty, or out of order.
fn tag_problems(text: &str, tags: &[(String, String)]) -> Vec<String> {
    let mut after = 0;
    let mut problems = Vec::new();
    for (open, close) in tags {
        let once = text.matches(open.as_str()).count() == 1 && text.matches(close.as_str()).count() == 1;
        let place = text.find(open.as_str()).zip(text.find(close.as_str()));
        match place.filter(|_| once) {
            None => problems.push(format!("{open} and {close} are not there once each")),
            Some((start, _)) if start < after => problems.push(format!("{open} comes too early")),
            Some((start, end)) if !text.get(start + open.len()..end).is_some_and(says) => {
                problems.push(format!("{open} holds nothing"));
            }
            Some((_, end)) => after = end + close.len(),
        }
    }
    problems
}

fn says(inside: &str) -> bool {
    !inside.trim().is_empty()
}

static STEP: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)\bstep\s+(\d{1,4})\s*[:.)]").ok());

/// Steps are numbered from 1, each says something, and there are as many as asked.
fn step_problem(text: &str, count: usize) -> Vec<String> {
    let found = STEP.iter().flat_map(|step| step.captures_iter(text));
    let found: Vec<(usize, usize, usize)> = found
        .filter_map(|step| {
            let whole = step.get(0)?;
            Some((step.get(1)?.as_str().parse().ok()?, whole.start(), whole.end()))
        })
        .collect();
    let numbers: Vec<usize> = found.iter().map(|(number, _, _)| *number).collect();
    if numbers != (1..=count).collect::<Vec<_>>() {
        return vec![match numbers.as_slice() {
            [] => format!("no steps; {count} are asked for"),
            _ => format!("steps {numbers:?}; 1 to {count} are asked for"),
        }];
    }
    let ends = found.iter().skip(1).map(|(_, start, _)| *start).chain([text.len()]);
    let silent = found.iter().zip(ends).find(|((_, _, begin), end)| {
        !text.get(*begin..*end).unwrap_or_default().chars().any(char::is_alphanumeric)
    });
    silent.map(|((number, _, _), _)| format!("step {number} says nothing")).into_iter().collect()
}
