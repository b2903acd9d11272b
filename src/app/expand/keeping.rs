//! What becomes of each example: compared with all that are there, and kept; or kept aside with the reason.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Map;

use super::making::{MadeExample, columns};
use crate::blueprint::{Blueprint, Seed};
use crate::data::check::NearIndex;
use crate::domain::coverage::CellName;
use crate::domain::filter::Filter;
use crate::domain::record::{Record, RecordId};
use crate::domain::view::SortOrder;
use crate::session::{ExpandedExample, ExpandedOutcome, Session};
use crate::teacher::expand::{Rejection, Written};

/// Records that are in memory at once while the index is filled.
const PAGE: usize = 4096;
/// The name under which near-duplicates are counted.
const NEAR: &str = "near-duplicate";

/// An example that was only looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PreviewedExample {
    #[serde(flatten)]
    pub cell: CellName,
    pub columns: Map<String, serde_json::Value>,
    pub question: String,
    pub answer: String,
    /// Why it would not be kept; with what was written in the answer's place.
    pub rejected: Option<String>,
}

/// Examples that were only looked at, with their places in the plan.
#[derive(Debug, Default)]
pub(super) struct Previewed(Vec<PreviewedExample>);

/// Where examples go.
pub(super) enum ExampleSink {
    Preview(Previewed),
    Session { change: Option<i64> },
}

/// Everything that an example meets before it is kept.
pub(super) struct KeptExamples<'s> {
    session: &'s mut Session,
    blueprint: &'s Blueprint,
    teacher: String,
    near: NearIndex,
    compared_with: u64,
    sink: ExampleSink,
    /// Answers that passed all checks but the comparison, and those of them that passed it too.
    compared: (u64, u64),
}

impl<'s> KeptExamples<'s> {
    /// Reads what is there already, to compare with.
    pub(super) fn new(
        session: &'s mut Session,
        blueprint: &'s Blueprint,
        teacher: String,
        sink: ExampleSink,
    ) -> Result<Self> {
        let near = all_answers(session, blueprint.near_duplicate)?;
        Ok(Self {
            session,
            blueprint,
            teacher,
            compared_with: near.len() as u64,
            near,
            sink,
            compared: (0, 0),
        })
    }

    pub(super) const fn compared_with(&self) -> u64 {
        self.compared_with
    }

    /// Of the answers that passed all other checks, the share that repeats none.
    pub(super) fn unique_share(&self) -> Option<f64> {
        let (all, unique) = self.compared;
        (all > 0).then(|| unique as f64 / all as f64)
    }

    pub(super) fn finish(self) -> Vec<PreviewedExample> {
        match self.sink {
            ExampleSink::Preview(Previewed(examples)) => examples,
            ExampleSink::Session { .. } => Vec::new(),
        }
    }

    /// Keeps an example that has passed all other checks; the reason if it was set aside.
    pub(super) fn keep(&mut self, seed: &Seed, outcome: MadeExample) -> Result<Option<String>> {
        let outcome = outcome.and_then(|(written, record)| self.compare(written, record));
        let reason = outcome.as_ref().err().map(|rejection| rejection.reason.clone());
        match &mut self.sink {
            ExampleSink::Preview(_) => self.show(seed, outcome),
            ExampleSink::Session { .. } => self.write(seed, outcome)?,
        }
        Ok(reason)
    }

    /// Against all answers that are there.
    fn compare(&mut self, written: Written, record: Record) -> MadeExample {
        self.compared.0 += 1;
        if let Some(near) = self.near.find(&written.answer) {
            let share = (near.likeness * 100.0).round();
            let other = match near.owner {
                UNKEPT => "an example before it".to_owned(),
                owner => format!("record {owner}"),
            };
            let reason = NEAR.to_owned();
            let words = format!("{share}% of its word triples are in {other}");
            return Err(Rejection { reason, words, raw: written.as_text() });
        }
        self.compared.1 += 1;
        Ok((written, record))
    }

    fn show(&mut self, seed: &Seed, outcome: MadeExample) {
        let (cell, columns) = (self.blueprint.cell_name(seed.cell), columns(self.blueprint, seed));
        let example = match outcome {
            Ok((Written { question, answer }, _)) => {
                self.near.add(UNKEPT, &answer);
                PreviewedExample { cell, columns, question, answer, rejected: None }
            }
            Err(Rejection { reason, words, raw }) => {
                let why = if words.is_empty() { reason } else { format!("{reason}: {words}") };
                PreviewedExample { cell, columns, question: String::new(), answer: raw, rejected: Some(why) }
            }
        };
        if let ExampleSink::Preview(Previewed(examples)) = &mut self.sink {
            examples.push(example);
        }
    }

    fn write(&mut self, seed: &Seed, outcome: MadeExample) -> Result<()> {
        let (answer, outcome) = match outcome {
            Ok((written, record)) => (Some(written.answer), ExpandedOutcome::Kept(Box::new(record))),
            Err(Rejection { reason, words, raw }) => (None, ExpandedOutcome::Rejected { reason, words, raw }),
        };
        let example = ExpandedExample {
            blueprint: self.blueprint.name.clone(),
            version: self.blueprint.version.clone(),
            cell: self.blueprint.cell_name(seed.cell),
            number: seed.number,
            teacher: self.teacher.clone(),
            outcome,
        };
        let ExampleSink::Session { change } = &mut self.sink else { return Ok(()) };
        let id = self.session.keep_expanded(change, example)?;
        if let (Some(id), Some(answer)) = (id, answer) {
            self.near.add(id, &answer);
        }
        Ok(())
    }
}

/// Stands for an example that has no number.
const UNKEPT: RecordId = RecordId(0);

/// The answers of all records, by what they say.
fn all_answers(session: &Session, threshold: f64) -> Result<NearIndex> {
    let mut near = NearIndex::new(threshold);
    let view =
        session.view(&Filter::Everything, SortOrder::default()).context("list the session's records")?;
    for ids in view.ids().chunks(PAGE) {
        let rows = session.rows(ids).context("read the session's records")?;
        let texts: Vec<(RecordId, String)> = rows
            .into_iter()
            .map(|row| {
                let answer = row.record.answer_shown();
                let text =
                    if answer.is_empty() { row.record.text.as_deref().unwrap_or_default() } else { &answer };
                (row.id, text.to_owned())
            })
            .collect();
        near.add_all(&texts);
    }
    Ok(near)
}
