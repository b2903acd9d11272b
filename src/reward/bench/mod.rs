//! The bench: a reward tried, checked against expected scores, measured on a dataset, and attacked before it trains
//! anything. Knows no screen: the shell and the studio show what it finds.

mod audit;
mod check;
mod dataset;
mod panel;
mod samples;

pub use audit::{Audit, AuditRow, AuditVerdict, audit};
pub use check::{CheckReport, Difference, check_file};
pub use dataset::{DatasetScores, ScoredRecord, VersionComparison, compare, score_records};
pub use panel::Adversary;
pub use samples::samples;

use serde_json::Value;

use crate::data::mapping::Mapping;
use crate::domain::record::{Fields, Record};
use crate::task::Task;

/// A record of one row, as an import would read it; a row that an import can't use is its columns alone.
#[must_use]
pub fn record_of(row: Fields) -> Record {
    let read = Mapping::detect(std::slice::from_ref(&row)).apply(&row);
    let mut record = read.unwrap_or_default();
    if record.label.is_none() {
        record.label = row.get("label").filter(|label| label.is_string() || label.is_number()).map(plain);
    }
    Record { fields: row, ..record }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Columns that hold a model's answer rather than the one to learn, best first.
const COMPLETIONS: [&str; 4] = ["completion", "expansion", "response", "generation"];

/// What a row says was answered: a column of that meaning, else the record's own answer.
#[must_use]
pub fn completion_of(task: &Task, record: &Record, column: Option<&str>) -> Option<String> {
    if let Some(column) = column {
        return task.field(record, column);
    }
    let cell = |name: &&str| record.fields.get(*name)?.as_str().map(str::to_owned);
    COMPLETIONS.iter().find_map(cell).or_else(|| task.answer_to_learn(record).ok().flatten())
}
