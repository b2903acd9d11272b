//! From an order to what is asked: each task with each prompt on each choice of records, its metrics, and what scores.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::items::{ItemSource, drawn, ensure_any};
use crate::app::rewards::{self, HelperNames};
use crate::app::train::described;
use crate::config::Folders;
use crate::domain::evaluation::{EvaluationItem, EvaluationOrder, EvaluationPart, OWN_PROMPT};
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;
use crate::domain::reward::RewardUse;
use crate::eval::scoring::reference;
use crate::eval::{EvalMetric, MetricNeed};
use crate::reward::RewardSet;
use crate::task::{self, OtherPrompt, Task};

/// One task with one prompt on one choice of records.
pub(super) struct PlannedPart {
    pub(super) task: Arc<Task>,
    pub(super) prompt: String,
    pub(super) data: String,
    pub(super) filter: String,
    pub(super) records: Vec<Record>,
    /// In the order of the records.
    pub(super) questions: Vec<PlannedQuestion>,
    pub(super) metrics: Vec<EvalMetric>,
    pub(super) scorer: Option<RewardSet>,
    /// Labels with the texts that are compared for them.
    pub(super) choices: Vec<(String, String)>,
}

/// What is asked of a record.
pub(super) struct PlannedQuestion {
    pub(super) messages: Vec<Message>,
    pub(super) reference: Option<String>,
    pub(super) version: String,
}

/// All parts, and what a person should know of how they were read.
pub(super) struct EvaluationPlan {
    pub(super) parts: Vec<PlannedPart>,
    pub(super) notes: Vec<String>,
}

/// Reads everything that an order names but the models.
///
/// # Errors
/// If a task, prompt, metric or source is wrong, or a part has no items; the sentence names it.
pub(super) fn plan(folders: &Folders, order: &EvaluationOrder) -> Result<EvaluationPlan> {
    ensure!(!order.models.is_empty(), "name a model by --model; several are compared");
    ensure!(!order.tasks.is_empty(), "name a task by --task: `dojo task` lists them");
    ensure!(!order.data.is_empty(), "name the records by --data: a file, a session, or set:reviewed");
    ensure!(
        order.data.len() == 1 || order.data.len() == order.tasks.len(),
        "{} sources of records for {} tasks: name one for all of them, or one for each in the same order",
        order.data.len(),
        order.tasks.len()
    );
    ensure!(order.max_new_tokens > 0, "the longest answer has 0 tokens, and must have at least 1");
    let prompts = prompts(&order.prompts)?;
    let all = [String::new()];
    let filters = if order.filters.is_empty() { &all[..] } else { &order.filters };
    let mut plan = EvaluationPlan { parts: Vec::new(), notes: Vec::new() };
    for (at, name) in order.tasks.iter().enumerate() {
        let found = task::find(name, order.session.as_deref())?;
        let source = order.data.get(at).or(order.data.first()).map_or("", String::as_str);
        let metrics = metrics(order, &found)?;
        for filter in filters {
            let records = records(folders, order, (&found, source, filter), &mut plan.notes)?;
            for (prompt, template) in &prompts {
                let part = part(folders, order, (&found, template.as_ref()), &records, &metrics)?;
                let part = PlannedPart {
                    prompt: prompt.clone(),
                    data: shown(source),
                    filter: filter.clone(),
                    ..part
                };
                plan.notes.extend(left_out(&part, records.len()));
                plan.parts.push(part);
            }
        }
    }
    plan.notes.dedup();
    Ok(plan)
}

fn shown(source: &str) -> String {
    let path = Path::new(source);
    if path.is_absolute() { described::short(path) } else { source.to_owned() }
}

fn records(
    folders: &Folders,
    order: &EvaluationOrder,
    (task, source, filter): (&Task, &str, &str),
    notes: &mut Vec<String>,
) -> Result<Vec<Record>> {
    let reading = ItemSource { folders, session: order.session.as_deref(), map: &order.map };
    let read = reading.read(task, source, filter)?;
    ensure_any(&read.records, &shown(source), filter)?;
    let all = read.records.len();
    let records = drawn(read.records, order.limit, order.seed);
    notes.extend(read.notes);
    if records.len() < all {
        let (kept, seed) = (records.len(), order.seed);
        notes.push(format!("{kept} of {all} records of {} are drawn by the seed {seed}", shown(source)));
    }
    Ok(records)
}

/// The prompts by their names; the task's own has no template.
fn prompts(files: &[String]) -> Result<Vec<(String, Option<OtherPrompt>)>> {
    if files.is_empty() {
        return Ok(vec![(OWN_PROMPT.to_owned(), None)]);
    }
    let read = |file: &String| {
        if file == OWN_PROMPT {
            return Ok((OWN_PROMPT.to_owned(), None));
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("read the prompt {file}"))?;
        let prompt = OtherPrompt::parse(&text).with_context(|| format!("read the prompt {file}"))?;
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, Some(prompt)))
    };
    files.iter().map(read).collect()
}

fn metrics(order: &EvaluationOrder, task: &Task) -> Result<Vec<EvalMetric>> {
    let named = if order.metrics.is_empty() { &task.metrics } else { &order.metrics };
    ensure!(!named.is_empty(), "the task {} names no metrics: say which by --metric", task.name);
    let mut metrics: Vec<EvalMetric> = Vec::new();
    let judge = order.judge.as_ref().map(|_| "reward:judge".to_owned());
    for name in named.iter().chain(&judge) {
        let metric = EvalMetric::parse(name)?;
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    if order.metrics.is_empty() && metrics.iter().any(|metric| metric.name() == "accuracy") {
        metrics.push(EvalMetric::parse("unparsable")?);
    }
    Ok(metrics)
}

fn part(
    folders: &Folders,
    order: &EvaluationOrder,
    (task, template): (&Task, Option<&OtherPrompt>),
    records: &[Record],
    metrics: &[EvalMetric],
) -> Result<PlannedPart> {
    let task = Arc::new(with_rewards(task, metrics)?);
    let (mut kept, mut questions) = (Vec::new(), Vec::new());
    let mut first_reason = None;
    for record in records {
        let asked = match template {
            Some(template) => task.prompt_by(template, record),
            None => task.prompt(record),
        };
        match asked {
            Ok(messages) => {
                let reference = reference(&task, record);
                let version = version(&json!([record.fields, record.label, reference, messages]));
                questions.push(PlannedQuestion { messages, reference, version });
                kept.push(record.clone());
            }
            Err(error) => _ = first_reason.get_or_insert_with(|| format!("{error:#}")),
        }
    }
    ensure!(
        !kept.is_empty(),
        "no record becomes a prompt of the task {}: {}",
        task.name,
        first_reason.unwrap_or_default()
    );
    let scorer = metrics.iter().any(|metric| matches!(metric, EvalMetric::Reward(_)));
    let names =
        HelperNames { embedder: order.embedder.as_deref(), judge: order.judge.as_deref(), tokenizer: None };
    let scorer = scorer.then(|| rewards::set(folders, &task, &names)).transpose()?;
    let asks = metrics.iter().any(|metric| metric.asks() == MetricNeed::Choices);
    let choices = if asks { choices(order, &task)? } else { Vec::new() };
    Ok(PlannedPart {
        prompt: String::new(),
        data: String::new(),
        filter: String::new(),
        records: kept,
        questions,
        metrics: metrics.to_vec(),
        scorer,
        choices,
        task,
    })
}

/// The task with the rewards that the metrics name; what isn't its own has no weight in the sum.
fn with_rewards(task: &Task, metrics: &[EvalMetric]) -> Result<Task> {
    let mut task = task.clone();
    for metric in metrics {
        match metric {
            EvalMetric::Reward(None) => {
                ensure!(!task.rewards.is_empty(), "the task {} names no rewards", task.name);
            }
            EvalMetric::Reward(Some(name)) if !task.rewards.iter().any(|row| row.name == *name) => {
                crate::reward::kind(name)?;
                task.rewards.push(RewardUse {
                    name: name.clone(),
                    reward: name.clone(),
                    weight: 0.0,
                    settings: serde_json::Map::new(),
                });
            }
            EvalMetric::Reward(Some(_)) | EvalMetric::Known(_) => {}
        }
    }
    Ok(task)
}

/// The text that is compared for each label: the label itself, unless a person says another one.
fn choices(order: &EvaluationOrder, task: &Task) -> Result<Vec<(String, String)>> {
    let mut choices: Vec<(String, String)> =
        task.labels().into_iter().map(|label| (label.to_owned(), label.to_owned())).collect();
    for named in &order.choices {
        let (label, text) = named
            .split_once('=')
            .with_context(|| format!("{named:?} is no choice: write LABEL=TEXT, such as \"1=yes\""))?;
        ensure!(!text.is_empty(), "{named:?} has no text for the label");
        let label = task.canonical(label);
        match choices.iter_mut().find(|(known, _)| *known == label) {
            Some((_, own)) => text.clone_into(own),
            None if task.labels().is_empty() => choices.push((label, text.to_owned())),
            None => anyhow::bail!(
                "{label:?} is no label of the task {}; it has {}",
                task.name,
                task.labels().join(", ")
            ),
        }
    }
    ensure!(
        choices.len() > 1,
        "the task {} names no labels to choose from: name them by --choice LABEL=TEXT",
        task.name
    );
    Ok(choices)
}

fn left_out(part: &PlannedPart, all: usize) -> Option<String> {
    let missing = all - part.records.len();
    (missing > 0).then(|| {
        format!("{missing} of {all} records become no prompt of the task {} and are left out", part.task.name)
    })
}

/// The beginning of a SHA-256.
pub(super) fn version(of: &serde_json::Value) -> String {
    let hash = Sha256::digest(of.to_string().as_bytes());
    hash.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl PlannedPart {
    /// As the report has it, without results.
    pub(super) fn described(&self) -> EvaluationPart {
        let asked: Vec<&[Message]> = self.questions.iter().map(|one| one.messages.as_slice()).collect();
        let items: Vec<&str> = self.questions.iter().map(|one| one.version.as_str()).collect();
        EvaluationPart {
            task: self.task.name.clone(),
            prompt: self.prompt.clone(),
            prompt_version: version(&json!(asked)),
            data: self.data.clone(),
            data_version: version(&json!(items)),
            filter: self.filter.clone(),
            items: self.records.len() as u64,
            metrics: self.metrics.iter().filter(|metric| !metric.is_table()).map(EvalMetric::name).collect(),
            ..EvaluationPart::default()
        }
    }

    /// Its items, as the part of that number.
    pub(super) fn items(&self, part: usize) -> impl Iterator<Item = EvaluationItem> {
        self.records.iter().zip(&self.questions).map(move |(record, question)| {
            let asked = question.messages.iter().rfind(|turn| turn.role == Role::User);
            EvaluationItem {
                part,
                place: described::short(Path::new(&record.place())),
                version: question.version.clone(),
                prompt: asked.map(|turn| turn.content.clone()).unwrap_or_default(),
                truth: self.task.true_label(record),
                reference: question.reference.clone(),
            }
        })
    }

    /// How often a model is asked something.
    pub(super) fn questions_of(&self, need: MetricNeed) -> usize {
        let asks = self.metrics.iter().any(|metric| metric.asks() == need);
        if asks { self.questions.len() } else { 0 }
    }
}
