//! `dojo data tag`, `mark`, `label`, `delete`, `undo`, `redo`: each one change, and one undo.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{DataContext, filter};
use crate::domain::change::{Change, HistoryEntry, Selection};
use crate::domain::filter::Filter;
use crate::domain::record::Status;
use crate::ui::widgets::text;

/// Which records a change is for.
#[derive(Args)]
pub(super) struct Which {
    /// Which records; `--all` for every one.
    filter: Vec<String>,
    /// Every record of the session.
    #[arg(long)]
    all: bool,
    /// Say how many records are meant, and change nothing.
    #[arg(long)]
    count: bool,
}

/// Arguments of `dojo data tag`.
#[derive(Args)]
pub(super) struct TagArguments {
    #[arg(value_name = "TAG")]
    name: String,
    #[command(flatten)]
    which: Which,
    /// Take the tag off.
    #[arg(long)]
    remove: bool,
}

/// Arguments of `dojo data mark`.
#[derive(Args)]
pub(super) struct MarkArguments {
    status: StatusName,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum StatusName {
    New,
    Approved,
    Rejected,
}

/// Arguments of `dojo data label`.
#[derive(Args)]
pub(super) struct LabelArguments {
    /// The label; `none` clears it.
    #[arg(value_name = "LABEL")]
    name: String,
    #[command(flatten)]
    which: Which,
}

/// Arguments of `dojo data delete`.
#[derive(Args)]
pub(super) struct DeleteArguments {
    #[command(flatten)]
    which: Which,
}

pub(super) fn tag(place: &DataContext, arguments: &TagArguments) -> Result<()> {
    let tag = arguments.name.clone();
    if tag.trim().is_empty() {
        bail!("a tag needs at least one letter");
    }
    let change = if arguments.remove { Change::RemoveTag(tag) } else { Change::AddTag(tag) };
    apply(place, &arguments.which, &change)
}

pub(super) fn mark(place: &DataContext, arguments: &MarkArguments) -> Result<()> {
    let status = match arguments.status {
        StatusName::New => Status::New,
        StatusName::Approved => Status::Approved,
        StatusName::Rejected => Status::Rejected,
    };
    apply(place, &arguments.which, &Change::SetStatus(status))
}

pub(super) fn label(place: &DataContext, arguments: &LabelArguments) -> Result<()> {
    let label = (arguments.name != "none").then(|| arguments.name.clone());
    apply(place, &arguments.which, &Change::SetLabel(label))
}

pub(super) fn delete(place: &DataContext, arguments: &DeleteArguments) -> Result<()> {
    apply(place, &arguments.which, &Change::Remove)
}

fn apply(place: &DataContext, which: &Which, change: &Change) -> Result<()> {
    let filter = filter(&which.filter)?;
    if filter == Filter::Everything && !which.all {
        bail!("say which records: a filter, or --all for every one");
    }
    let selection = Selection::Matching(filter);
    if which.count {
        let count = place.reader()?.count(&selection)?;
        let people = || format!("{}: {} records would be meant", change.words(), text::count(count));
        place.print(people, &json!({ "what": change.words(), "would_change": count }))?;
        return Ok(());
    }
    let count = place.writer()?.apply(&selection, change)?;
    let people = || {
        format!("{}: {} records changed; `dojo data undo` takes it back", change.words(), text::count(count))
    };
    place.print(people, &json!({ "what": change.words(), "changed": count }))?;
    Ok(())
}

pub(super) fn undo(place: &DataContext) -> Result<()> {
    let entry = place.writer()?.undo()?;
    tell(place, "undone", &entry)
}

pub(super) fn redo(place: &DataContext) -> Result<()> {
    let entry = place.writer()?.redo()?;
    tell(place, "done again", &entry)
}

fn tell(place: &DataContext, verb: &str, entry: &HistoryEntry) -> Result<()> {
    let people =
        || format!("{verb}: {} ({} records, by {})", entry.what, text::count(entry.records), entry.who);
    place.print(people, &json!(entry))
}
