//! The tools that read the session: `runs`, `metrics` and `records`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value, json};

use super::arguments::{MetricsArguments, NoArguments, RecordsArguments};
use super::desk::McpDesk;
use super::tools::ToolAnswer;
use crate::app::runs;
use crate::domain::filter::parse;
use crate::domain::view::SortOrder;

/// Metric lines of one answer at most.
const MOST_LINES: usize = 10_000;
/// Records of one answer at most.
const MOST_RECORDS: usize = 100;

pub(super) fn runs(desk: &mut McpDesk, _: &NoArguments) -> Result<ToolAnswer> {
    let all = runs::list_runs(&desk.folders)?;
    let lines: Vec<String> = all
        .iter()
        .map(|run| {
            let state = &run.state;
            let loss =
                state.best_eval_loss.map_or_else(String::new, |loss| format!(", best eval loss {loss:.4}"));
            format!(
                "{}: {}, step {} of {}{loss}",
                run.name,
                run.standing.name(),
                state.step,
                state.total_steps
            )
        })
        .collect();
    let row = |run: &runs::RunSummary| json!({ "name": run.name, "session": run.session(), "standing": run.standing, "state": run.state });
    let text = if lines.is_empty() { "no runs yet".to_owned() } else { lines.join("\n") };
    Ok(ToolAnswer { text, value: json!({ "runs": all.iter().map(row).collect::<Vec<_>>() }) })
}

pub(super) fn metrics(desk: &mut McpDesk, arguments: &MetricsArguments) -> Result<ToolAnswer> {
    ensure!((1..=MOST_LINES).contains(&arguments.last), "last is from 1 to {MOST_LINES}");
    let run = runs::find_run(&desk.folders, &arguments.run)?;
    let path = run.folder.path().join("metrics.jsonl");
    let file = File::open(&path).with_context(|| format!("read the metrics of {}", run.name))?;
    let mut last: VecDeque<Value> = VecDeque::with_capacity(arguments.last.min(1024));
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("read {}", path.display()))?;
        // The last line may be in the writing.
        let Ok(fields) = serde_json::from_str::<Map<String, Value>>(&line) else { continue };
        let wanted =
            |name: &String| arguments.names.is_empty() || name == "step" || arguments.names.contains(name);
        let kept: Map<String, Value> = fields.into_iter().filter(|(name, _)| wanted(name)).collect();
        let says = arguments.names.is_empty() || kept.len() > usize::from(kept.contains_key("step"));
        if says {
            if last.len() == arguments.last {
                last.pop_front();
            }
            last.push_back(Value::Object(kept));
        }
    }
    let text = last.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let text = if text.is_empty() { format!("{} has no such metrics yet", run.name) } else { text };
    Ok(ToolAnswer { text, value: json!({ "run": run.name, "metrics": last }) })
}

pub(super) fn records(desk: &mut McpDesk, arguments: &RecordsArguments) -> Result<ToolAnswer> {
    ensure!((1..=MOST_RECORDS).contains(&arguments.limit), "limit is from 1 to {MOST_RECORDS}");
    let session = desk.session()?;
    let filter = parse(&arguments.filter)
        .map_err(|error| anyhow!("the filter can't be read\n{}", error.pointed(&arguments.filter)))?;
    let view = session.view(&filter, SortOrder::default())?;
    let until = arguments.after.saturating_add(arguments.limit);
    let rows = view.rows(&session, arguments.after..until)?;
    let values: Vec<Value> = rows.iter().map(|row| json!({ "id": row.id, "record": row.record })).collect();
    let text = format!(
        "{} of {} records\n{}",
        values.len(),
        view.len(),
        values.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
    );
    Ok(ToolAnswer { text, value: json!({ "total": view.len(), "records": values }) })
}
