//! `dojo data show`, `history`, `imports`: looking.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::DataContext;
use super::list::row_json;
use super::table::{Align, table};
use crate::domain::change::{ChangeState, HistoryEntry, RecordChange};
use crate::domain::record::RecordId;
use crate::ground::clock;
use crate::session::{ImportState, RecordRow};
use crate::ui::widgets::text;

/// Arguments of `dojo data show`.
#[derive(Args)]
pub(super) struct ShowArguments {
    /// The record's number.
    id: i64,
}

pub(super) fn run(place: &DataContext, arguments: &ShowArguments) -> Result<()> {
    let session = place.reader()?;
    let rows = session.rows(&[arguments.id])?;
    let row = rows.first().with_context(|| format!("there is no record {} in this session", arguments.id))?;
    place.print(|| whole(row), &row_json(row))?;
    Ok(())
}

fn whole(row: &RecordRow) -> String {
    let record = &row.record;
    let tags = record.tags.iter().cloned().collect::<Vec<_>>().join(", ");
    let none = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let mut out = format!(
        "record {} · {} · split {} · label {} · tags {}\nfrom {}:{}{}\n",
        row.id,
        record.status.name(),
        none(&record.split),
        none(&record.label),
        if tags.is_empty() { "–" } else { &tags },
        record.provenance.source,
        record.provenance.line,
        if row.edited { " · edited since" } else { "" },
    );
    let pair = record.preference.iter().flat_map(|pair| {
        let named = |name, turns: &[crate::domain::message::Message]| {
            turns.iter().map(|turn| (name, turn.text().into_owned())).collect::<Vec<_>>()
        };
        named("chosen", &pair.chosen).into_iter().chain(named("rejected", &pair.rejected)).collect::<Vec<_>>()
    });
    let turns = record.messages.iter().map(|turn| (turn.role.name(), turn.text().into_owned()));
    let text = record.text.iter().map(|text| ("text", text.clone()));
    for (who, content) in turns.chain(pair).chain(text) {
        out.extend(["\n", who, "\n"]);
        out.extend(content.lines().map(|line| format!("  {line}\n")));
    }
    for (name, value) in record.given() {
        out.extend(["\n", name, "\n"]);
        out.extend(value.lines().map(|line| format!("  {line}\n")));
    }
    if record.messages.is_empty() && record.preference.is_none() && record.text.is_none() {
        out += "\nno messages; the row as imported:\n";
        out.extend(record.fields.iter().map(|(column, value)| format!("  {column}: {value}\n")));
    }
    out
}

/// Arguments of `dojo data history`.
#[derive(Args)]
pub(super) struct HistoryArguments {
    /// A record's number; without one, the session's history.
    id: Option<i64>,
    /// At most so many of the session's changes.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

pub(super) fn history(place: &DataContext, arguments: &HistoryArguments) -> Result<()> {
    let session = place.reader()?;
    if let Some(id) = arguments.id {
        let changes = session.history_of(RecordId(id))?;
        let rows: Vec<Vec<String>> = changes.iter().map(record_cells).collect();
        place.print(|| table(&RECORD_COLUMNS, &rows), &json!({ "id": id, "changes": changes }))?;
        return Ok(());
    }
    let entries = session.history(arguments.limit)?;
    let rows: Vec<Vec<String>> = entries.iter().map(entry_cells).collect();
    place.print(|| table(&ENTRY_COLUMNS, &rows), &json!({ "changes": entries }))?;
    Ok(())
}

const ENTRY_COLUMNS: [(&str, Align); 6] = [
    ("change", Align::Right),
    ("when", Align::Left),
    ("who", Align::Left),
    ("what", Align::Left),
    ("records", Align::Right),
    ("state", Align::Left),
];

const RECORD_COLUMNS: [(&str, Align); 6] = [
    ("change", Align::Right),
    ("when", Align::Left),
    ("who", Align::Left),
    ("field", Align::Left),
    ("before", Align::Left),
    ("after", Align::Left),
];

fn entry_cells(entry: &HistoryEntry) -> Vec<String> {
    let state = match entry.state {
        ChangeState::Done => String::new(),
        ChangeState::Undone => "undone".to_owned(),
        ChangeState::Abandoned => "undone for good".to_owned(),
    };
    vec![
        entry.id.to_string(),
        ago(entry.at),
        entry.who.clone(),
        entry.what.clone(),
        text::count(entry.records),
        state,
    ]
}

fn record_cells(change: &RecordChange) -> Vec<String> {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let undone = if change.entry.state == ChangeState::Done { "" } else { " (undone)" };
    vec![
        change.entry.id.to_string(),
        ago(change.entry.at),
        change.entry.who.clone(),
        format!("{}{undone}", change.field),
        shown(&change.before),
        shown(&change.after),
    ]
}

fn ago(milliseconds: i64) -> String {
    text::ago(milliseconds as f64 / 1000.0, clock::now())
}

/// Arguments of `dojo data imports`.
#[derive(Args)]
pub(super) struct ImportsArguments {
    /// An import's number: lists the lines that it could not read.
    import: Option<i64>,
}

pub(super) fn imports(place: &DataContext, arguments: &ImportsArguments) -> Result<()> {
    let session = place.reader()?;
    if let Some(import) = arguments.import {
        let rejects = session.rejects(import)?;
        let columns =
            [("file", Align::Left), ("line", Align::Right), ("why", Align::Left), ("it begins", Align::Left)];
        let rows: Vec<Vec<String>> = rejects
            .iter()
            .map(|bad| vec![bad.source.clone(), bad.line.to_string(), bad.reason.clone(), bad.start.clone()])
            .collect();
        place.print(|| table(&columns, &rows), &json!({ "import": import, "rejected": rejects }))?;
        return Ok(());
    }
    let imports = session.imports()?;
    let columns = [
        ("import", Align::Right),
        ("path", Align::Left),
        ("added", Align::Right),
        ("repeated", Align::Right),
        ("unreadable", Align::Right),
        ("state", Align::Left),
    ];
    let rows: Vec<Vec<String>> = imports
        .iter()
        .map(|import| {
            vec![
                import.id.to_string(),
                import.path.clone(),
                text::count(import.counts.added),
                text::count(import.counts.repeated),
                text::count(import.counts.rejected),
                match import.state {
                    ImportState::Done => "done".to_owned(),
                    ImportState::Unfinished => "unfinished: import it again to go on".to_owned(),
                },
            ]
        })
        .collect();
    place.print(|| table(&columns, &rows), &json!({ "imports": imports }))?;
    Ok(())
}
