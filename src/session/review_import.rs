//! Thoughts and reflections from files: one JSON object a line with the record's own fields and `thought_process`,
//! `predicted_label`, `true_label`; for reflections also `error_analysis` and `improved_thought_process`.

use std::collections::HashMap;

use serde_json::Value;

use super::{Importer, Prepared, Result, Session};
use crate::data::hash::row_hash;
use crate::data::rows::parse_row;
use crate::domain::record::{Fields, Provenance, Record, RecordId};
use crate::domain::reflection::{Reflection, Verdict};
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
}

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
        let thoughts: Vec<Thought> = rows
            .iter()
            .zip(&records)
            .map(|((_, row), &record)| thought(row, record, &label(row, "predicted_label")))
            .collect();
        self.add_thoughts(&thoughts)?;
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
        for ((_, row), &record) in rows.iter().zip(&records) {
            let text = string(row, "thought_process");
            let id = match known.get(&(record, text)) {
                Some(&id) => id,
                None => self.add_thought_of(row, record)?,
            };
            reflections.push(reflection(row, record, id));
        }
        self.add_reflections(&reflections)?;
        brought.rows = reflections.len() as u64;
        Ok(brought)
    }

    fn add_thought_of(&mut self, row: &Fields, record: RecordId) -> Result<ThoughtId> {
        let corrected = label(row, "predicted_label");
        let truth = truth(row).unwrap_or_default();
        // Only wrong thoughts are reflected on; of two labels the student's was the other one.
        let students = match (row.contains_key("improved_label"), truth.as_str()) {
            (false, "0") => "1".to_owned(),
            (false, "1") => "0".to_owned(),
            _ => corrected,
        };
        let ids = self.add_thoughts(&[thought(row, record, &students)])?;
        Ok(ids.first().copied().unwrap_or(ThoughtId(0)))
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

/// The rows of a file of JSON lines; empty lines are passed over.
fn rows(text: &str, brought: &mut Brought, needed: &[&str]) -> Vec<(u64, Fields)> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = index as u64 + 1;
        match parse_row(line) {
            Ok((row, _)) => match needed.iter().find(|name| !row.contains_key(**name)) {
                None => rows.push((number, row)),
                Some(name) => brought.skipped.push((number, format!("it has no `{name}`"))),
            },
            Err(error) => brought.skipped.push((number, format!("it is no JSON object ({error})"))),
        }
    }
    rows
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

fn thought(row: &Fields, record: RecordId, label: &str) -> Thought {
    let text = string(row, "thought_process");
    let model = if row.contains_key("model") { string(row, "model") } else { string(row, "student") };
    Thought {
        record,
        label: label.to_owned(),
        truth: truth(row),
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
    let improved = if row.contains_key("improved_label") { "improved_label" } else { "predicted_label" };
    Reflection {
        record,
        thought,
        error_analysis: string(row, "error_analysis"),
        corrected: string(row, "improved_thought_process"),
        label: label(row, improved),
        teacher: if teacher.is_empty() { "imported".to_owned() } else { teacher },
        prompt: String::new(),
        verdict: Verdict::from_name(&string(row, "verdict")).unwrap_or_default(),
        edited: None,
        score: row.get("score").and_then(Value::as_u64).and_then(|score| u8::try_from(score).ok()),
        reasons: String::new(),
        reviewer: String::new(),
        comment: String::new(),
        judge: String::new(),
        improved_by: String::new(),
    }
}

fn truth(row: &Fields) -> Option<String> {
    let name = ["true_label", "label"].into_iter().find(|name| row.contains_key(*name))?;
    Some(label(row, name))
}

/// A label as records hold it: `1` also where the file has the number 1.
fn label(row: &Fields, name: &str) -> String {
    match row.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

fn string(row: &Fields, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}
