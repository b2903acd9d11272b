//! `dojo reward audit`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::{HelperArguments, RewardContext, complain_of, records};
use crate::reward::bench::{Audit, AuditVerdict, audit};

/// Arguments of `dojo reward audit`.
#[derive(Args)]
pub(super) struct AuditArguments {
    /// A task's name, or its file.
    task: String,
    /// A file or folder of records with reference answers; a shipped task has samples of its own.
    data: Option<PathBuf>,
    /// What a column is: part=column, such as prompt=question.
    #[arg(long = "map", value_name = "PART=COLUMN")]
    map: Vec<String>,
    /// Records at most.
    #[arg(long, default_value_t = 200)]
    records: usize,
    #[command(flatten)]
    helpers: HelperArguments,
}

pub(super) fn run(place: &RewardContext, arguments: &AuditArguments) -> Result<ExitCode> {
    let task = place.task(&arguments.task)?;
    let records = records(&task, arguments.data.as_ref(), &arguments.map)?;
    let set = place.set(&task, &arguments.helpers)?;
    let found = audit(&task, &set, &records, arguments.records)?;
    place.print(&found, || told(&found))?;
    complain_of(&set);
    Ok(if found.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn told(audit: &Audit) -> String {
    let highest = audit.highest.map_or_else(String::new, |highest| format!(", at most {highest:.2}"));
    let mut out = format!("task {}, {} records{highest}\n", audit.task, audit.records);
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let widths: Vec<usize> = audit.rewards.iter().map(|name| name.len().max(5)).collect();
    let heads: Vec<String> =
        audit.rewards.iter().zip(&widths).map(|(name, width)| format!("  {name:>width$}")).collect();
    let heads = heads.concat();
    out += &format!("{:24}  {:>6}  {:>6}{heads}\n", "", "mean", "share");
    for row in &audit.rows {
        let share = row.share.map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0));
        let parts: Vec<String> = row
            .rewards
            .iter()
            .zip(&widths)
            .map(|(value, width)| format!("  {:>width$}", number(*value)))
            .collect();
        let parts = parts.concat();
        let verdict = match row.verdict {
            AuditVerdict::Fine => "",
            AuditVerdict::Cheats => "  CHEATS",
            AuditVerdict::NotTried => "  not tried",
        };
        out += &format!("{:24}  {:>6}  {share:>6}{parts}{verdict}\n", row.adversary.name(), number(row.mean));
    }
    if audit.problems.is_empty() {
        out += "nothing on this panel cheats the reward\n";
    }
    for problem in &audit.problems {
        out += &format!("{problem}\n");
    }
    out
}
