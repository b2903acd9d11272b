//! A few records of each shipped task, so that its rewards can be tried and audited without data.

use super::record_of;
use crate::domain::record::{Provenance, Record};

const QUERIES: &str = include_str!("../../../sessions/query-expansion/data.jsonl");
const SAMPLES: [(&str, &str); 5] = [
    ("math", include_str!("../../../assets/tasks/samples/math.jsonl")),
    ("nli-cot", include_str!("../../../assets/tasks/samples/nli-cot.jsonl")),
    ("paraphrase", include_str!("../../../assets/tasks/samples/paraphrase.jsonl")),
    ("query-expansion", QUERIES),
    ("query-expansion-guarded", QUERIES),
];

/// The samples of a shipped task; none for others.
#[must_use]
pub fn samples(task: &str) -> Vec<Record> {
    let Some((name, text)) = SAMPLES.iter().find(|(name, _)| *name == task) else { return Vec::new() };
    let record = |(line, number): (&str, u64)| {
        let row = serde_json::from_str(line).ok()?;
        let provenance =
            Provenance { source: format!("sample {name}"), line: number, ..Provenance::default() };
        Some(Record { provenance, ..record_of(row) })
    };
    text.lines().zip(1..).filter_map(record).collect()
}
