//! `dojo reward try`.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use super::{ColumnArguments, HelperArguments, RewardContext, complain_of, taken_told};
use crate::app::rewards::{self, BenchSource};
use crate::domain::reward::{Attempt, CompletionScorer, RewardOutcome, RewardPart, RewardTotal, ScoreDetail};
use crate::reward::bench::CompletionWanted;

/// Arguments of `dojo reward try`.
#[derive(Args)]
pub(super) struct TryArguments {
    /// A task's name, or its file.
    task: String,
    /// The record: a JSON object, or `FILE` or `FILE:N` for the N-th record of a file; else the task's first sample.
    #[arg(long)]
    record: Option<String>,
    /// The completion; - reads it from standard input; else that of the record's column.
    #[arg(long, allow_hyphen_values = true)]
    completion: Option<String>,
    #[command(flatten)]
    columns: ColumnArguments,
    #[command(flatten)]
    helpers: HelperArguments,
}

pub(super) fn run(place: &RewardContext, arguments: &TryArguments) -> Result<ExitCode> {
    let task = place.task(&arguments.task)?;
    let set = place.set(&task, &arguments.helpers)?;
    let given = arguments.completion.as_deref().map(given).transpose()?;
    let columns = &arguments.columns;
    ensure!(
        given.is_none() || !columns.reference_answers,
        "--completion and --reference-answers both say what is scored; keep one of them"
    );
    let wanted = if given.is_some() { CompletionWanted::Elsewhere } else { columns.wanted() };
    let source = BenchSource { data: None, map: &columns.map, wanted };
    let mut data = rewards::bench_row(&task, arguments.record.as_deref(), &source)?;
    let row = data.rows.pop().context("read the record")?;
    let completion = given.or(row.completion).with_context(|| {
        format!("{}: it has no completion: give one with --completion", row.record.place())
    })?;
    let attempt = Attempt { record: &row.record, completion: &completion };
    let total = set.score(&[attempt], ScoreDetail::Reasons).pop().context("score the completion")?;
    let json = json!({"task": task.name, "taken": data.taken, "completion": completion, "total": total});
    place.print(&json, || told(&total) + &taken_told(&data.taken))?;
    complain_of(&set);
    Ok(ExitCode::SUCCESS)
}

fn given(completion: &str) -> Result<String> {
    if completion != "-" {
        return Ok(completion.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("read the completion from standard input")?;
    Ok(text)
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
