//! A task's file: found by name, read and checked once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use minijinja::Environment;
use regex::Regex;
use serde::Deserialize;

use super::schema::Schema;
use crate::domain::reward::RewardUse;

/// The shipped tasks.
const BUILT_IN: [(&str, &str); 6] = [
    ("chat", include_str!("../../../assets/tasks/chat.toml")),
    ("math", include_str!("../../../assets/tasks/math.toml")),
    ("nli-cot", include_str!("../../../assets/tasks/nli-cot.toml")),
    ("paraphrase", include_str!("../../../assets/tasks/paraphrase.toml")),
    ("query-expansion", include_str!("../../../assets/tasks/query-expansion.toml")),
    ("query-expansion-guarded", include_str!("../../../assets/tasks/query-expansion-guarded.toml")),
];

/// A task, checked: its templates compile, its patterns and its schema are ones that can be used.
#[derive(Debug, Clone)]
pub struct Task {
    pub name: String,
    pub about: String,
    /// Variables, and the columns that give them, best first.
    pub fields: BTreeMap<String, Vec<String>>,
    pub(super) templates: Option<Environment<'static>>,
    pub(super) has_system: bool,
    pub(super) has_answer: bool,
    /// Only records with these labels have an answer to learn; with none named, all have.
    pub(super) answer_if_label: Vec<String>,
    pub(super) form: AnswerForm,
    pub(super) compare: Compare,
    /// Label -> the other names that it has, in lower case.
    pub(super) label_names: BTreeMap<String, Vec<String>>,
    pub(super) reference: Option<Regex>,
    pub metrics: Vec<String>,
    /// Checked for their form; which rewards there are and which keys they have, `reward` knows.
    pub rewards: Vec<RewardUse>,
    /// The file, where the task is not a shipped one.
    pub file: Option<PathBuf>,
}

/// What an answer has to look like.
#[derive(Debug, Clone)]
pub enum AnswerForm {
    /// Any text.
    Text,
    /// The whole answer matches; the groups `label` and `thought` are read.
    Pattern { pattern: Regex, fallbacks: Vec<Regex> },
    /// Every line matches.
    Lines(Regex),
    /// A JSON value of a schema; label and thought are members of it.
    Json { schema: Schema, label: Option<String>, thought: Option<String> },
}

/// When two labels are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compare {
    /// The same name, or names of the same label.
    #[default]
    Label,
    /// The same number.
    Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskToml {
    #[serde(default)]
    about: String,
    #[serde(default)]
    fields: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    prompt: PromptToml,
    answer: AnswerToml,
    #[serde(default)]
    labels: LabelsToml,
    #[serde(default)]
    score: ScoreToml,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PromptToml {
    system: Option<String>,
    user: Option<String>,
    answer: Option<String>,
    #[serde(default)]
    answer_if_label: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerToml {
    form: String,
    pattern: Option<String>,
    #[serde(default)]
    fallbacks: Vec<String>,
    schema: Option<serde_json::Value>,
    label: Option<String>,
    thought: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct LabelsToml {
    #[serde(default)]
    compare: Compare,
    #[serde(default)]
    names: BTreeMap<String, Vec<String>>,
    reference: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ScoreToml {
    #[serde(default)]
    metrics: Vec<String>,
    #[serde(default)]
    rewards: serde_json::Value,
}

/// The task of that name or path. A name means the session's own `tasks/NAME.toml` before a shipped task.
///
/// # Errors
/// Where there is no such task, or its file is wrong; the message names the key.
pub fn find(name: &str, session: Option<&Path>) -> Result<Task> {
    let own =
        session.map(|folder| folder.join("tasks").join(format!("{name}.toml"))).filter(|path| path.is_file());
    let path = own.or_else(|| Path::new(name).extension().map(|_| Path::new(name).to_owned()));
    if let Some(path) = path {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("read the task {}", path.display()))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let task = Task::parse(&stem, &text).with_context(|| format!("read the task {}", path.display()))?;
        return Ok(Task { file: Some(path), ..task });
    }
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((name, text)) => Task::parse(name, text).with_context(|| format!("read the task {name}")),
        None => bail!("there is no task {name:?}; there are {}", names(session).join(", ")),
    }
}

/// All tasks: the shipped ones and the session's own.
#[must_use]
pub fn names(session: Option<&Path>) -> Vec<String> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    let entries = session.and_then(|folder| std::fs::read_dir(folder.join("tasks")).ok());
    let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let own = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    names.extend(own.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())));
    names.sort_unstable();
    names.dedup();
    names
}

impl Task {
    /// The members of an answer that is JSON: those that it has to have, its label and its thought.
    #[must_use]
    pub fn answer_members(&self) -> Vec<&str> {
        let AnswerForm::Json { schema, label, thought } = &self.form else { return Vec::new() };
        let mut members: Vec<&str> = schema.required().iter().map(String::as_str).collect();
        for own in [thought, label].into_iter().flatten() {
            if !members.contains(&own.as_str()) {
                members.push(own);
            }
        }
        members
    }

    /// Reads a task's file.
    ///
    /// # Errors
    /// Where a key is unknown or a template, pattern or schema can't be used.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let toml: TaskToml = toml::from_str(text)?;
        let form = form(toml.answer)?;
        ensure!(
            toml.prompt.user.is_some() || (toml.prompt.answer.is_none() && toml.prompt.system.is_none()),
            "prompt.user is missing, without which prompt.answer and prompt.system mean nothing"
        );
        let reference =
            toml.labels.reference.as_deref().map(|text| pattern("labels.reference", text)).transpose()?;
        for name in &toml.score.metrics {
            let plain = !name.is_empty()
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            ensure!(plain, "score names {name:?}; names are lower-case letters, digits and hyphens");
        }
        let rewards = match &toml.score.rewards {
            serde_json::Value::Null => Vec::new(),
            table => RewardUse::table(table).map_err(anyhow::Error::msg).context("read score.rewards")?,
        };
        Ok(Self {
            name: name.to_owned(),
            about: toml.about,
            has_system: toml.prompt.system.is_some(),
            has_answer: toml.prompt.answer.is_some(),
            answer_if_label: toml.prompt.answer_if_label.clone(),
            templates: templates(toml.prompt)?,
            fields: toml.fields,
            form,
            compare: toml.labels.compare,
            label_names: toml
                .labels
                .names
                .into_iter()
                .map(|(label, names)| (label, names.iter().map(|name| name.to_lowercase()).collect()))
                .collect(),
            reference,
            metrics: toml.score.metrics,
            rewards,
            file: None,
        })
    }
}

/// What a prompt's templates know besides their variables.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // A misspelt variable is an error and not an empty text.
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_filter("tojson", super::prompt::plain_json);
    environment
}

fn templates(prompt: PromptToml) -> Result<Option<Environment<'static>>> {
    let Some(user) = prompt.user else { return Ok(None) };
    let mut environment = environment();
    let named = [("user", Some(user)), ("system", prompt.system), ("answer", prompt.answer)];
    for (name, text) in named {
        if let Some(text) = text {
            environment.add_template_owned(name, text).with_context(|| format!("compile prompt.{name}"))?;
        }
    }
    Ok(Some(environment))
}

fn form(answer: AnswerToml) -> Result<AnswerForm> {
    let needed = || answer.pattern.as_deref().context("answer.pattern is missing");
    match answer.form.as_str() {
        "text" => Ok(AnswerForm::Text),
        "lines" => Ok(AnswerForm::Lines(pattern("answer.pattern", needed()?)?)),
        "pattern" => Ok(AnswerForm::Pattern {
            pattern: pattern("answer.pattern", needed()?)?,
            fallbacks: answer
                .fallbacks
                .iter()
                .map(|text| pattern("answer.fallbacks", text))
                .collect::<Result<_>>()?,
        }),
        "json" => {
            let schema = answer.schema.context("answer.schema is missing")?;
            let schema = Schema::parse(&schema).context("read answer.schema")?;
            Ok(AnswerForm::Json { schema, label: answer.label, thought: answer.thought })
        }
        other => bail!("answer.form is {other:?}; it must be text, pattern, lines or json"),
    }
}

fn pattern(key: &str, text: &str) -> Result<Regex> {
    Regex::new(text).with_context(|| format!("read {key}"))
}
