//! Thoughts and reflections from files: one JSON object a line with the record's own fields and `thought_process`,
//! `predicted_label`, `true_label`; for reflections also `error_analysis` and `improved_thought_process`.

use std::collections::HashMap;

use serde_json::Value;

use super::review_rows::{contradiction, label, rows, says, string, truth, verdict};
use super::{Importer, Prepared, Result, Session};
use crate::data::hash::row_hash;
use crate::data::mapping::finds_answer_wrong;
use crate::data::rows::parse_row;
use crate::domain::record::{Fields, Provenance, Record, RecordId};
use crate::domain::reflection::Reflection;
use crate::domain::thought::{Thought, ThoughtId, estimated_tokens};

/// What a file brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brought {
    /// Rows that were read, also those that were there before.
    pub rows: u64,
    /// Records that the session didn't have yet.
    pub records: u64,
    /// Lines that can't be used: the line's number, from 1, and why.
    pub skipped: Vec<(u64, String)>,
    /// Lines that were read and give nothing to train on: the line's number, from 1, and why.
    pub told: Vec<(u64, String)>,
}

/// The correction's label, beside the student's.
const IMPROVED: &str = "improved_label";

const NO_TRUTH: &str = "neither the row (`true_label`) nor its record has a true label: it is read, and nothing of it is trained on";

/// Fields of a row that are not the record's.
const OWN: [&str; 21] = [
    "id",
    "label",
    "split",
    "thought_process",
    "predicted_label",
    "improved_label",
    "true_label",
    "correct",
    "chat_history",
    "reprompt_counts",
    "error_analysis",
    "improved_thought_process",
    "model",
    "student",
    "teacher",
    "verdict",
    "score",
    "tokens",
    "comment",
    "reviewer",
    "prompt",
];

impl Session {
    /// Brings thoughts in. Records that the session doesn't have are added, with their labels.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn import_thoughts(&mut self, name: &str, text: &str) -> Result<Brought> {
        let mut brought = Brought::default();
        let rows = rows(text, &mut brought, &["thought_process", "predicted_label"]);
        let records = self.records_of(name, &rows, &mut brought)?;
        let mut thoughts = Vec::with_capacity(rows.len());
        for ((line, row), &record) in rows.iter().zip(&records) {
            if let Some(why) = self.contradicted(row, record)? {
                brought.skipped.push((*line, why));
                continue;
            }
            let truth = self.truth_of(row, record)?;
            let thought = thought(row, record, truth, &label(row, "predicted_label"));
            // What finds a wrong thought wrong says what its label says.
            if let Some(told) = finds_answer_wrong(row).filter(|_| thought.is_right() == Some(true)) {
                let why = format!("it is left out: {told}, and its `predicted_label` is the true label");
                brought.skipped.push((*line, why));
                continue;
            }
            if thought.truth.is_none() {
                brought.told.push((*line, NO_TRUTH.to_owned()));
            }
            thoughts.push(thought);
        }
        self.add_thoughts(&thoughts)?;
        brought.skipped.sort();
        brought.rows = thoughts.len() as u64;
        Ok(brought)
    }

    /// Brings reflections in, with the thoughts that they correct where those aren't there yet.
    ///
    /// Files disagree about `predicted_label`: with an `improved_label` beside it, it is the student's; alone, it is the
    /// corrected thought's, and the student's is that of the thought with the same text.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn import_reflections(&mut self, name: &str, text: &str) -> Result<Brought> {
        let mut brought = Brought::default();
        let needed = ["thought_process", "predicted_label", "error_analysis", "improved_thought_process"];
        let rows = rows(text, &mut brought, &needed);
        let records = self.records_of(name, &rows, &mut brought)?;
        let known: HashMap<(RecordId, String), ThoughtId> =
            self.thoughts()?.into_iter().map(|(id, thought)| ((thought.record, thought.text), id)).collect();
        let mut reflections = Vec::with_capacity(rows.len());
        for ((line, row), &record) in rows.iter().zip(&records) {
            if let Some(why) = self.contradicted(row, record)? {
                brought.skipped.push((*line, why));
                continue;
            }
            let truth = self.truth_of(row, record)?;
            let id = match known.get(&(record, string(row, "thought_process"))) {
                Some(&id) => id,
                None => match self.students_label(row, truth.as_deref())? {
                    Ok(students) => {
                        let ids = self.add_thoughts(&[thought(row, record, truth.clone(), &students)])?;
                        ids.first().copied().unwrap_or(ThoughtId(0))
                    }
                    Err(why) => {
                        brought.skipped.push((*line, why));
                        continue;
                    }
                },
            };
            brought.told.extend(unlearnt(row, truth.as_deref()).map(|why| (*line, why)));
            reflections.push(reflection(row, record, id));
        }
        self.add_reflections(&reflections)?;
        brought.skipped.sort();
        brought.rows = reflections.len() as u64;
        Ok(brought)
    }

    /// The label of a flawed thought that the session doesn't have; else why it can't be known. Without an
    /// `improved_label` the row names the correction's: of two labels the student's was the other one than the true.
    fn students_label(
        &self,
        row: &Fields,
        truth: Option<&str>,
    ) -> Result<std::result::Result<String, String>> {
        if says(row, IMPROVED) {
            return Ok(Ok(label(row, "predicted_label")));
        }
        let names = self.label_names()?;
        let others: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| Some(*name) != truth).collect();
        let is_number = names.iter().all(|name| name == "0" || name == "1");
        Ok(match (truth, others.as_slice()) {
            (Some("0"), _) if is_number => Ok("1".to_owned()),
            (Some("1"), _) if is_number => Ok("0".to_owned()),
            (Some(_), [other]) => Ok((*other).to_owned()),
            _ => Err("it has no `improved_label`, so `predicted_label` is the correction's, and which label the student \
                      gave isn't known: add `improved_label`, or import the thoughts first"
                .to_owned()),
        })
    }

    /// Why what a row says can't be learnt of its record: the record has another label, or no weight.
    fn contradicted(&self, row: &Fields, record: RecordId) -> Result<Option<String>> {
        if record.0 == 0 {
            return Ok(None);
        }
        let known = self.record(record)?;
        if known.is_unlearnt() {
            return Ok(Some(format!("it is left out: record {record} is given no weight")));
        }
        Ok(known.label.and_then(|label| contradiction(row, record, &label)))
    }

    /// The true label of a row's record: the row's own word, else the label that the session has.
    fn truth_of(&self, row: &Fields, record: RecordId) -> Result<Option<String>> {
        Ok(match truth(row) {
            Some(truth) => Some(truth),
            None if record.0 == 0 => None,
            None => self.record(record)?.label,
        })
    }

    /// The record of each row: the one with the same fields, or a new one.
    fn records_of(
        &mut self,
        name: &str,
        rows: &[(u64, Fields)],
        brought: &mut Brought,
    ) -> Result<Vec<RecordId>> {
        let Some((_, first)) = rows.first() else { return Ok(Vec::new()) };
        let columns: Vec<String> = first.keys().filter(|key| !OWN.contains(&key.as_str())).cloned().collect();
        let mut known = self.by_columns(&columns)?;
        let mut missing: Vec<Record> = Vec::new();
        for (line, row) in rows {
            let key = key(row, &columns);
            if known.contains_key(&key) {
                continue;
            }
            known.insert(key, RecordId(0));
            missing.push(new_record(name, *line, row, &columns));
        }
        if !missing.is_empty() {
            brought.records = missing.len() as u64;
            let prepared = missing.into_iter().map(Prepared::of).collect::<Result<Vec<_>>>()?;
            let mut importer = Importer::begin(self, name, "")?;
            importer.add(&prepared, &[])?;
            importer.finish()?;
            known = self.by_columns(&columns)?;
        }
        let find = |(_, row): &(u64, Fields)| known.get(&key(row, &columns)).copied().unwrap_or(RecordId(0));
        Ok(rows.iter().map(find).collect())
    }

    fn by_columns(&self, columns: &[String]) -> Result<HashMap<String, RecordId>> {
        let mut statement = self.connection.prepare(
            "SELECT id, fields FROM contents WHERE id IN (SELECT id FROM records) ORDER BY id DESC",
        )?;
        let mut rows = statement.query([])?;
        let mut known = HashMap::new();
        while let Some(row) = rows.next()? {
            let (fields, _) = parse_row(&row.get::<_, String>(1)?)?;
            known.insert(key(&fields, columns), RecordId(row.get(0)?));
        }
        Ok(known)
    }
}

fn key(row: &Fields, columns: &[String]) -> String {
    let cell = |name: &String| row.get(name).map(Value::to_string).unwrap_or_default();
    columns.iter().map(cell).collect::<Vec<_>>().join("\u{1f}")
}

fn new_record(name: &str, line: u64, row: &Fields, columns: &[String]) -> Record {
    let mut fields: Fields =
        columns.iter().filter_map(|name| Some((name.clone(), row.get(name)?.clone()))).collect();
    let truth = truth(row);
    if let Some(truth) = &truth {
        fields.insert("label".to_owned(), Value::String(truth.clone()));
    }
    let hash = row_hash(&fields, &[]);
    let provenance = Provenance { source: name.to_owned(), line, hash, occurrence: 0 };
    Record { fields, label: truth, provenance, ..Record::default() }
}

/// Why a reflection that is read gives nothing to train on.
fn unlearnt(row: &Fields, truth: Option<&str>) -> Option<String> {
    let Some(truth) = truth else { return Some(NO_TRUTH.to_owned()) };
    let given = label(row, if says(row, IMPROVED) { IMPROVED } else { "predicted_label" });
    if given == truth {
        return None;
    }
    Some(if says(row, IMPROVED) {
        format!(
            "its `improved_label` is {given} and the true label {truth}: it isn't trained on unless it is edited"
        )
    } else {
        format!(
            "it has no `improved_label`, so `predicted_label`, {given}, is the correction's, which misses the true label, \
             {truth}: it isn't trained on unless it is edited; where {given} is the student's, add `improved_label`"
        )
    })
}

fn thought(row: &Fields, record: RecordId, truth: Option<String>, label: &str) -> Thought {
    let text = string(row, "thought_process");
    let model = if row.contains_key("model") { string(row, "model") } else { string(row, "student") };
    Thought {
        record,
        label: label.to_owned(),
        truth,
        tokens: row
            .get("tokens")
            .and_then(Value::as_u64)
            .map_or_else(|| estimated_tokens(&text), |count| count as u32),
        text,
        model: if model.is_empty() { "imported".to_owned() } else { model },
        prompt: String::new(),
    }
}

fn reflection(row: &Fields, record: RecordId, thought: ThoughtId) -> Reflection {
    let teacher = string(row, "teacher");
    let improved = if says(row, IMPROVED) { IMPROVED } else { "predicted_label" };
    Reflection {
        record,
        thought,
        error_analysis: string(row, "error_analysis"),
        corrected: string(row, "improved_thought_process"),
        label: label(row, improved),
        teacher: if teacher.is_empty() { "imported".to_owned() } else { teacher },
        prompt: String::new(),
        verdict: verdict(row).unwrap_or_default(),
        edited: None,
        score: row.get("score").and_then(Value::as_u64).and_then(|score| u8::try_from(score).ok()),
        reasons: String::new(),
        reviewer: String::new(),
        comment: String::new(),
        judge: String::new(),
        improved_by: String::new(),
    }
}
