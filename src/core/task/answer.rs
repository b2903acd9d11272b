//! What a model answered, read back.

use regex::{Captures, Regex};
use serde::Serialize;
use serde_json::Value;

use super::json::{Quality, find};
use super::{AnswerForm, Task};

/// An answer, taken apart.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TaskAnswer {
    /// As the task names labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought: Option<String>,
    /// The whole value, where the answer is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Its lines that have the form, where the answer is lines.
    #[serde(skip)]
    pub lines: Vec<TypedAnswerLine>,
    /// How it departs from the form that was asked for; nothing, if it does not.
    pub problems: Vec<String>,
}

/// A line of an answer, as the pattern's groups `kind` and `text` take it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedAnswerLine {
    pub kind: String,
    pub text: String,
}

impl TaskAnswer {
    /// Whether it has the form that was asked for.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Task {
    /// Reads an answer. What can be read is read, also where the form is not kept.
    #[must_use]
    pub fn read(&self, text: &str) -> TaskAnswer {
        match &self.form {
            AnswerForm::Text => plain(text),
            AnswerForm::Lines(pattern) => lines(pattern, text),
            AnswerForm::Pattern { pattern, fallbacks } => self.by_pattern(pattern, fallbacks, text),
            AnswerForm::Json { .. } => self.json(text),
        }
    }

    fn by_pattern(&self, pattern: &Regex, fallbacks: &[Regex], text: &str) -> TaskAnswer {
        let text = text.trim();
        let group =
            |found: &Captures<'_>, name: &str| found.name(name).map(|part| part.as_str().trim().to_owned());
        let take = |found: &Captures<'_>, problems: Vec<String>| TaskAnswer {
            label: group(found, "label").map(|label| self.canonical(&label)),
            thought: group(found, "thought"),
            value: None,
            lines: Vec::new(),
            problems,
        };
        if let Some(found) = pattern.captures(text) {
            return take(&found, Vec::new());
        }
        let problem = vec!["it has not the form that was asked for".to_owned()];
        let last = fallbacks.iter().find_map(|fallback| fallback.captures_iter(text).last());
        last.map_or_else(
            || TaskAnswer { problems: problem.clone(), ..TaskAnswer::default() },
            |found| take(&found, problem.clone()),
        )
    }

    fn json(&self, text: &str) -> TaskAnswer {
        let AnswerForm::Json { schema, label, thought } = &self.form else { return TaskAnswer::default() };
        let Some((value, quality)) = find(text) else {
            return TaskAnswer { problems: vec!["it holds no JSON object".into()], ..TaskAnswer::default() };
        };
        let mut problems = match quality {
            Quality::Clean => Vec::new(),
            Quality::AmongWords => vec!["words stand around the JSON".to_owned()],
            Quality::Mended => vec!["the JSON is damaged".to_owned()],
        };
        problems.extend(schema.problems(&value));
        let member = |name: &Option<String>| {
            value.get(name.as_deref()?).filter(|member| !member.is_null()).map(written)
        };
        TaskAnswer {
            label: member(label).map(|label| self.canonical(&label)),
            thought: member(thought),
            lines: Vec::new(),
            problems,
            value: Some(value),
        }
    }
}

fn plain(text: &str) -> TaskAnswer {
    let empty = text.trim().is_empty();
    let problems = if empty { vec!["it is empty".to_owned()] } else { Vec::new() };
    TaskAnswer { problems, ..TaskAnswer::default() }
}

fn lines(pattern: &Regex, text: &str) -> TaskAnswer {
    let mut answer = TaskAnswer::default();
    for (line, number) in text.trim().lines().zip(1..) {
        let Some(found) = pattern.captures(line) else {
            answer.problems.push(format!("line {number} has not the form that was asked for"));
            continue;
        };
        let group =
            |name: &str| found.name(name).map_or_else(String::new, |part| part.as_str().trim().to_owned());
        answer.lines.push(TypedAnswerLine { kind: group("kind"), text: group("text") });
    }
    if text.trim().is_empty() {
        answer.problems.push("it is empty".into());
    }
    answer
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
