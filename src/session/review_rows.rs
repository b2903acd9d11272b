//! The rows of files of thoughts and reflections: which can be used, and what they say.

use serde_json::Value;

use super::Brought;
use crate::data::mapping::left_out;
use crate::data::rows::{kind_of, parse_row};
use crate::domain::record::{Fields, RecordId};
use crate::domain::reflection::Verdict;
use crate::domain::unseen::is_unseen;

/// Fields that are texts, and say something where they are needed.
const TEXTS: [&str; 2] = ["thought_process", "improved_thought_process"];

/// The rows of a file of JSON lines; empty lines are passed over.
pub(super) fn rows(text: &str, brought: &mut Brought, needed: &[&str]) -> Vec<(u64, Fields)> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = index as u64 + 1;
        match parse_row(line) {
            Ok((row, _)) => match refused(&row, needed) {
                None => rows.push((number, row)),
                Some(why) => brought.skipped.push((number, why)),
            },
            Err(error) => brought.skipped.push((number, format!("it is no JSON object ({error})"))),
        }
    }
    rows
}

/// Why a row can't be used as it stands.
fn refused(row: &Fields, needed: &[&str]) -> Option<String> {
    if let Some(name) = needed.iter().find(|name| !row.contains_key(**name)) {
        return Some(format!("it has no `{name}`"));
    }
    let is_text = |name: &&&str| TEXTS.contains(*name);
    let empty = needed.iter().filter(is_text).find_map(|name| match row.get(*name) {
        Some(Value::String(text)) if !is_unseen(text) => None,
        Some(Value::String(_) | Value::Null) | None => {
            Some(format!("its `{name}` is empty: write it, or take the line out"))
        }
        Some(other) => Some(format!("its `{name}` is {}: write it as a text", kind_of(other))),
    });
    empty.or_else(|| verdict(row).err()).or_else(|| left_out(row))
}

/// The verdict that a row brings; pending where it says none.
pub(super) fn verdict(row: &Fields) -> Result<Verdict, String> {
    let Some(said) = row.get("verdict").filter(|said| !said.is_null()) else {
        return Ok(Verdict::default());
    };
    let known = said.as_str().and_then(|text| match text.trim() {
        "" => Some(Verdict::default()),
        text => Verdict::from_name(&text.to_ascii_lowercase().replace(['_', ' '], "-")),
    });
    known.ok_or_else(|| {
        let names: Vec<&str> = Verdict::ALL.into_iter().map(Verdict::name).collect();
        format!("its `verdict` is {said}, which is none: write one of {}", names.join(", "))
    })
}

/// What a row says against the label that its record has.
pub(super) fn contradiction(row: &Fields, record: RecordId, known: &str) -> Option<String> {
    let name = truth_name(row)?;
    let said = label(row, name);
    let is_other = match (said.parse::<f64>(), known.parse::<f64>()) {
        (Ok(said), Ok(known)) => said.total_cmp(&known).is_ne(),
        (Err(_), Err(_)) => !said.eq_ignore_ascii_case(known),
        // A number and a name may be the same class.
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    };
    is_other.then(|| {
        format!("its `{name}` is {said}, and the label of record {record} is {known}: correct the one that is wrong")
    })
}

/// Whether a row has something to say under a name.
pub(super) fn says(row: &Fields, name: &str) -> bool {
    row.get(name).is_some_and(|value| !value.is_null())
}

fn truth_name(row: &Fields) -> Option<&'static str> {
    ["true_label", "label"].into_iter().find(|name| says(row, name))
}

pub(super) fn truth(row: &Fields) -> Option<String> {
    truth_name(row).map(|name| label(row, name))
}

/// A label as records hold it: `1` also where the file has the number 1.
pub(super) fn label(row: &Fields, name: &str) -> String {
    match row.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

pub(super) fn string(row: &Fields, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}
