//! `dojo reward try`.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::{HelperArguments, RewardContext, complain_of};
use crate::app::rewards;
use crate::domain::record::Record;
use crate::domain::reward::{Attempt, CompletionScorer, RewardOutcome, RewardPart, RewardTotal, ScoreDetail};
use crate::reward::bench::completion_of;
use crate::task::Task;

/// Arguments of `dojo reward try`.
#[derive(Args)]
pub(super) struct TryArguments {
    /// A task's name, or its file.
    task: String,
    /// The record: a JSON object, or `FILE` or `FILE:N` for the N-th record of a file; else the task's first sample.
    #[arg(long)]
    record: Option<String>,
    /// The completion; - reads it from standard input; else the record's own.
    #[arg(long, allow_hyphen_values = true)]
    completion: Option<String>,
    #[command(flatten)]
    helpers: HelperArguments,
}

pub(super) fn run(place: &RewardContext, arguments: &TryArguments) -> Result<ExitCode> {
    let task = place.task(&arguments.task)?;
    let set = place.set(&task, &arguments.helpers)?;
    let record = rewards::record(&task, arguments.record.as_deref())?;
    let completion = completion(&task, &record, arguments.completion.as_deref())?;
    let attempt = Attempt { record: &record, completion: &completion };
    let total = set.score(&[attempt], ScoreDetail::Reasons).pop().context("score the completion")?;
    place.print(&json!({"task": task.name, "completion": completion, "total": total}), || told(&total))?;
    complain_of(&set);
    Ok(ExitCode::SUCCESS)
}

fn completion(task: &Task, record: &Record, given: Option<&str>) -> Result<String> {
    match given {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("read the completion from standard input")?;
            Ok(text)
        }
        Some(text) => Ok(text.to_owned()),
        None => completion_of(task, record, None)
            .with_context(|| format!("{}: it has no completion: give one with --completion", record.place())),
    }
}

/// A total for people: each reward, its components, and what each lost.
pub(super) fn told(total: &RewardTotal) -> String {
    let value =
        total.value.map_or_else(|| "none: no reward applies".to_owned(), |value| format!("{value:.4}"));
    let parts: String = total.parts.iter().map(part_told).collect();
    format!("total {value}\n{parts}")
}

fn part_told(part: &RewardPart) -> String {
    let RewardPart { name, weight, outcome } = part;
    let score = match outcome {
        RewardOutcome::Scored(score) => score,
        RewardOutcome::DoesNotApply { does_not_apply } => {
            return format!("{name}: does not apply: {does_not_apply}\n");
        }
    };
    let mut out = format!("{name}: {:.4} (weight {weight})\n", score.value);
    let width = score.components.iter().map(|component| component.name.len()).max().unwrap_or_default();
    for component in &score.components {
        out += &format!("  {:width$}  {}\n", component.name, component.value);
    }
    for lost in &score.deductions {
        out += &format!("  {:+} {}: {}\n", rounded(lost.points), lost.component, lost.why);
    }
    out
}

fn rounded(points: f64) -> f64 {
    (points * 1000.0).round() / 1000.0
}
