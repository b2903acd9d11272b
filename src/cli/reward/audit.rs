//! `dojo reward audit`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::{HelperArguments, RewardContext, complain_of, taken_told};
use crate::app::rewards::{BenchSource, bench_data};
use crate::reward::bench::{Audit, AuditVerdict, CompletionWanted, audit};

/// Arguments of `dojo reward audit`.
#[derive(Args)]
pub(super) struct AuditArguments {
    /// A task's name, or its file.
    task: String,
    /// A file or folder of records with reference answers; a shipped task has samples of its own.
    data: Option<PathBuf>,
    /// What a column is, as part=column, such as prompt=question or reference=gold.
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
    let (data, map) = (arguments.data.as_deref(), arguments.map.as_slice());
    let data = bench_data(&task, &BenchSource { data, map, wanted: CompletionWanted::Elsewhere })?;
    let records: Vec<_> = data.rows.into_iter().map(|row| row.record).collect();
    let set = place.set(&task, &arguments.helpers)?;
    let found = audit(&task, &set, &records, arguments.records)?;
    place.print(&found, || taken_told(&data.taken) + &told(&found))?;
    complain_of(&set);
    Ok(if found.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// In the place of a reward that does not apply.
const NOT_APPLYING: &str = "n/a";

fn told(audit: &Audit) -> String {
    let highest = audit.highest.map_or_else(String::new, |highest| format!(", at most {highest:.2}"));
    let mut out = format!("task {}, {} records{highest}\n", audit.task, audit.records);
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let part =
        |value: Option<f64>| value.map_or_else(|| NOT_APPLYING.to_owned(), |value| format!("{value:.2}"));
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
            .map(|(value, width)| format!("  {:>width$}", part(*value)))
            .collect();
        let parts = parts.concat();
        let verdict = match row.verdict {
            AuditVerdict::Fine => "",
            AuditVerdict::Cheats => "  CHEATS",
            AuditVerdict::NotTried => "  not tried",
            AuditVerdict::NotJudged => "  not judged",
        };
        out += &format!("{:24}  {:>6}  {share:>6}{parts}{verdict}\n", row.adversary.name(), number(row.mean));
    }
    if audit.rows.iter().flat_map(|row| &row.rewards).any(Option::is_none) {
        out += &format!("{NOT_APPLYING}: the reward does not apply, and does not count\n");
    }
    if audit.problems.is_empty() {
        out += "nothing on this panel cheats the reward\n";
    }
    for problem in &audit.problems {
        out += &format!("{problem}\n");
    }
    out
}
