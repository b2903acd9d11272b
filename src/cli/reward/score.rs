//! `dojo reward score`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{ColumnArguments, HelperArguments, RewardContext, complain_of, taken_told};
use crate::app::rewards::{BenchSource, bench_data};
use crate::domain::name::one_line;
use crate::domain::reward_scores::{DatasetScores, ScoredRecord, VersionComparison};
use crate::reward::bench::{compare, score_rows};

/// Arguments of `dojo reward score`.
#[derive(Args)]
pub(super) struct RewardScoreArguments {
    /// A task's name, or its file.
    task: String,
    /// A file of records, or a folder of them.
    data: PathBuf,
    #[command(flatten)]
    columns: ColumnArguments,
    /// Another version: a task's name or file, scored on the same completions.
    #[arg(long, value_name = "TASK")]
    against: Option<String>,
    /// How many of the worst and the best are shown.
    #[arg(long, default_value_t = 3)]
    show: usize,
    #[command(flatten)]
    helpers: HelperArguments,
}

pub(super) fn run(place: &RewardContext, arguments: &RewardScoreArguments) -> Result<ExitCode> {
    let task = place.task(&arguments.task)?;
    let columns = &arguments.columns;
    let source = BenchSource { data: Some(&arguments.data), map: &columns.map, wanted: columns.wanted() };
    let data = bench_data(&task, &source)?;
    let set = place.set(&task, &arguments.helpers)?;
    let scores = score_rows(&task, &set, &data.rows)?;
    let other = arguments.against.as_deref().map(|name| {
        let task = place.task(name)?;
        let set = place.set(&task, &arguments.helpers)?;
        let other = score_rows(&task, &set, &bench_data(&task, &source)?.rows)?;
        complain_of(&set);
        Ok::<_, anyhow::Error>((compare(&scores, &other)?, other))
    });
    let other = other.transpose()?;
    let (worst, best) = scores.extremes(arguments.show);
    let json = json!({
        "taken": data.taken, "scores": scores, "worst": worst, "best": best,
        "against": other.as_ref().map(|(comparison, other)| json!({
            "comparison": comparison,
            "scores": other,
            "changes": comparison.changes.iter().take(arguments.show).filter_map(|&index| {
                let (scored, other) = (scores.scored.get(index)?, other.scored.get(index)?);
                Some(json!({"place": scored.place, "completion": scored.completion, "score": scored.total.value,
                            "other": other.total.value}))
            }).collect::<Vec<_>>(),
        })),
    });
    place.print(&json, || {
        let mut out = taken_told(&data.taken) + &told(&scores);
        out += &listed("worst", &worst);
        out += &listed("best", &best);
        if let Some((comparison, other)) = &other {
            out += &compared(&scores, other, comparison, arguments.show);
        }
        out
    })?;
    complain_of(&set);
    Ok(ExitCode::SUCCESS)
}

fn told(scores: &DatasetScores) -> String {
    let mut out = format!(
        "{} of {} records scored under the task {}: mean {:.4}, standard deviation {:.4}, {:.4} to {:.4}\n",
        scores.records - scores.without_completion - scores.without_score,
        scores.records,
        scores.task,
        scores.mean,
        scores.standard_deviation,
        scores.lowest,
        scores.highest
    );
    if scores.without_completion > 0 {
        out += &format!("{} records have no completion\n", scores.without_completion);
    }
    let most = scores.histogram.iter().map(|step| step.count).max().unwrap_or(1).max(1);
    for step in &scores.histogram {
        let bar = "#".repeat((step.count * 40).div_ceil(most) as usize);
        out += &format!("{:8.3} to {:8.3}  {:7}  {bar}\n", step.from, step.to, step.count);
    }
    for reward in &scores.rewards {
        let mean = reward.mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.4}"));
        let (name, weight, applies) = (&reward.name, reward.weight, reward.applies);
        out += &format!("{name}: mean {mean}, weight {weight}, applies to {applies}\n");
        for (reason, count) in &reward.reasons {
            out += &format!("  does not apply to {count}: {reason}\n");
        }
    }
    out
}

/// Characters of a completion in a list.
const SHOWN: usize = 100;

fn brief(text: &str) -> String {
    one_line(text).chars().take(SHOWN).collect()
}

fn listed(what: &str, records: &[&ScoredRecord]) -> String {
    let mut out = format!("{what}:\n");
    for record in records {
        let value = record.total.value.unwrap_or_default();
        out += &format!("  {value:.4}  {}  {}\n", record.place, brief(&record.completion));
    }
    out
}

fn compared(
    scores: &DatasetScores,
    other: &DatasetScores,
    comparison: &VersionComparison,
    show: usize,
) -> String {
    let VersionComparison { mean, other_mean, higher, lower, same, one_sided, correlation, changes } =
        comparison;
    let correlation = correlation.map_or_else(|| "none".to_owned(), |value| format!("{value:.3}"));
    let mut out = format!(
        "against {}: mean {other_mean:.4} instead of {mean:.4}; {higher} higher, {lower} lower, {same} the same, \
         {one_sided} scored by one alone; correlation {correlation}\n",
        other.task
    );
    for &index in changes.iter().take(show) {
        let (Some(a), Some(b)) = (scores.scored.get(index), other.scored.get(index)) else { continue };
        let (value, new) = (a.total.value.unwrap_or_default(), b.total.value.unwrap_or_default());
        out += &format!("  {value:.4} -> {new:.4}  {}  {}\n", a.place, brief(&a.completion));
    }
    out
}
