//! The bench: a reward tried, checked against expected scores, measured on a dataset, and attacked before it trains
//! anything. Knows no screen: the shell and the studio show what it finds.

mod audit;
mod check;
mod columns;
mod dataset;
mod panel;
mod samples;

pub use audit::{Audit, AuditRow, AuditVerdict, LackingReward, audit};
pub use check::{CheckReport, Difference, check_file};
pub use columns::{BenchColumns, BenchRow, CompletionWanted};
pub use dataset::{compare, correlation, score_rows, score_rows_while};
pub use panel::Adversary;
pub use samples::samples;

use serde_json::Value;

use crate::data::mapping::Mapping;
use crate::domain::record::{Fields, Record};

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
