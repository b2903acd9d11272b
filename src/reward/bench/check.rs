//! Whether a reward gives the scores that a file expects: rows with what was asked, a completion, the score, and any
//! components by their names.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::{BenchColumns, BenchRow, CompletionWanted};
use crate::domain::record::Fields;
use crate::domain::reward::{
    Attempt, CompletionScorer, ComponentValue, RewardOutcome, RewardTotal, ScoreDetail,
};
use crate::reward::RewardSet;
use crate::task::Task;

/// How far a file's scores were met.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CheckReport {
    /// What was taken from which column.
    pub taken: Vec<String>,
    pub rows: u64,
    /// Rows of which every expected value was met.
    pub agree: u64,
    /// What was compared, with how many rows expect it.
    pub compared: Vec<(String, u64)>,
    /// The first that differ.
    pub differences: Vec<Difference>,
}

/// One expected value that was not met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub line: usize,
    pub component: String,
    pub expected: Value,
    /// Null if the reward says nothing of it.
    pub given: Value,
}

/// Differences that a report keeps.
const SHOWN: usize = 20;
/// The columns that name the whole score.
const SCORES: [&str; 2] = ["score", "reward"];

impl CheckReport {
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.rows > 0 && self.agree == self.rows
    }
}

/// Scores every row of a JSONL file and compares. Numbers may differ by `tolerance`; `map` says of columns what their names
/// don't.
///
/// # Errors
/// Where the file can't be read, a line is no JSON object, a row has no completion, or no row expects anything.
pub fn check_file(
    task: &Task,
    set: &RewardSet,
    path: &Path,
    map: &[String],
    tolerance: f64,
) -> Result<CheckReport> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let (mut numbers, mut rows): (Vec<usize>, Vec<Fields>) = (Vec::new(), Vec::new());
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let row = serde_json::from_str(line)
            .with_context(|| format!("{}:{number}: the line is no JSON object", path.display()))?;
        numbers.push(number);
        rows.push(row);
    }
    ensure!(!rows.is_empty(), "{} holds no row", path.display());
    let columns = BenchColumns::find(task, &rows, map, CompletionWanted::FromColumn)
        .with_context(|| format!("read {}", path.display()))?;
    let asked: Vec<BenchRow> = rows.iter().map(|row| columns.row(row, &[])).collect();
    let mut attempts = Vec::with_capacity(rows.len());
    for (row, number) in asked.iter().zip(&numbers) {
        let completion = row.completion.as_deref();
        let completion = completion
            .with_context(|| format!("{}:{number}: the row holds no completion", path.display()))?;
        attempts.push(Attempt { record: &row.record, completion });
    }
    let totals = set.score(&attempts, ScoreDetail::Numbers);
    let mut report = CheckReport { taken: columns.told(), ..CheckReport::default() };
    for ((number, row), total) in numbers.iter().zip(&rows).zip(&totals) {
        report.add(*number, row, total, tolerance);
    }
    ensure!(
        !report.compared.is_empty(),
        "{}: no row expects a score: give each a column \"score\", and columns named as the components",
        path.display()
    );
    Ok(report)
}

impl CheckReport {
    fn add(&mut self, line: usize, row: &Fields, total: &RewardTotal, tolerance: f64) {
        self.rows += 1;
        let (mut compared, mut met) = (0, true);
        let columns =
            row.iter().chain(row.get("components").and_then(Value::as_object).into_iter().flatten());
        for (name, expected) in columns {
            let Some(given) = given(total, name) else { continue };
            compared += 1;
            self.count(name);
            if !agree(expected, &given, tolerance) {
                met = false;
                if self.differences.len() < SHOWN {
                    let (component, expected) = (name.clone(), expected.clone());
                    self.differences.push(Difference { line, component, expected, given });
                }
            }
        }
        self.agree += u64::from(met && compared > 0);
    }

    fn count(&mut self, name: &str) {
        match self.compared.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => self.compared.push((name.to_owned(), 1)),
        }
    }
}

/// What a total says under a name: the whole, a reward, or a component of one.
fn given(total: &RewardTotal, name: &str) -> Option<Value> {
    if SCORES.contains(&name) {
        return Some(total.value.map_or(Value::Null, Value::from));
    }
    if let Some(part) = total.parts.iter().find(|part| part.name == name) {
        return Some(part.outcome.value().map_or(Value::Null, Value::from));
    }
    let component = total.parts.iter().find_map(|part| match &part.outcome {
        RewardOutcome::Scored(score) => score.component(name),
        RewardOutcome::DoesNotApply { .. } => None,
    })?;
    Some(match component {
        ComponentValue::Number(number) => Value::from(*number),
        ComponentValue::Word(word) => Value::from(word.as_ref()),
    })
}

fn agree(expected: &Value, given: &Value, tolerance: f64) -> bool {
    match (expected.as_f64(), given.as_f64()) {
        (Some(expected), Some(given)) => (expected - given).abs() <= tolerance,
        _ => expected == given,
    }
}
