//! `dojo reward check`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{HelperArguments, RewardContext, complain_of, taken_told};
use crate::reward::bench::{CheckReport, check_file};

/// Arguments of `dojo reward check`.
#[derive(Args)]
pub(super) struct RewardCheckArguments {
    /// JSON lines: the record's columns, a completion, "score", and any component by its name.
    file: PathBuf,
    /// The task whose rewards are checked.
    #[arg(long, default_value = "query-expansion")]
    task: String,
    /// What a column is, as part=column, such as completion=answer.
    #[arg(long = "map", value_name = "PART=COLUMN")]
    map: Vec<String>,
    /// How far a number may be off.
    #[arg(long, default_value_t = 0.0)]
    tolerance: f64,
    #[command(flatten)]
    helpers: HelperArguments,
}

pub(super) fn run(place: &RewardContext, arguments: &RewardCheckArguments) -> Result<ExitCode> {
    let task = place.task(&arguments.task)?;
    let set = place.set(&task, &arguments.helpers)?;
    let report = check_file(&task, &set, &arguments.file, &arguments.map, arguments.tolerance)?;
    place.print(&json!({"task": task.name, "met": report.is_met(), "report": report}), || told(&report))?;
    complain_of(&set);
    Ok(if report.is_met() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn told(report: &CheckReport) -> String {
    let compared: Vec<String> =
        report.compared.iter().map(|(name, count)| format!("{name} ({count})")).collect();
    let mut out = format!(
        "{} of {} rows agree\ncompared, with how many rows expect it: {}\n{}",
        report.agree,
        report.rows,
        compared.join(", "),
        taken_told(&report.taken)
    );
    for difference in &report.differences {
        out += &format!(
            "line {}: {} is {}, expected {}\n",
            difference.line, difference.component, difference.given, difference.expected
        );
    }
    out
}
