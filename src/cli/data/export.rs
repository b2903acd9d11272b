//! `dojo data export`: a session's records as files that other programs read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::{DataContext, filter};
use crate::app::exports;
use crate::data::export::{ExportFormat, Splits};
use crate::domain::change::Selection;
use crate::session;
use crate::ui::widgets::text;

/// Arguments of `dojo data export`.
#[derive(Args)]
pub(super) struct ExportArguments {
    /// The file to write; for the form "folder" and for --all the folder to make.
    path: PathBuf,
    /// Which records; all, where nothing is said.
    filter: Vec<String>,
    /// messages, prompt-completion, preference, rows (JSONL), csv, parquet, or folder (a Hugging Face dataset). Without
    /// it, the path's ending tells.
    #[arg(long, value_parser = form)]
    form: Option<ExportFormat>,
    /// A file for each split: data.train.jsonl, data.eval.jsonl, ...
    #[arg(long)]
    split_files: bool,
    /// Write the whole session as sorted text that compares well under version control: records.jsonl and history.jsonl.
    #[arg(long, conflicts_with_all = ["filter", "form", "split_files"])]
    all: bool,
}

fn form(name: &str) -> std::result::Result<ExportFormat, String> {
    ExportFormat::from_name(name)
}

pub(super) fn run(place: &DataContext, arguments: &ExportArguments) -> Result<()> {
    if arguments.all {
        return everything(place, &arguments.path);
    }
    let form = arguments.form.or_else(|| ExportFormat::of_path(&arguments.path)).with_context(|| {
        format!("{}: the form can't be told from the name; say it with --form", arguments.path.display())
    })?;
    let splits = if arguments.split_files { Splits::Apart } else { Splits::Together };
    let selection = Selection::Matching(filter(&arguments.filter)?);
    let to = (arguments.path.as_path(), form, splits);
    if let Some(exported) = exports::export(&place.reader()?, &selection, to, |_, _| true)? {
        let json = serde_json::to_value(&exported)?;
        place.print(|| exports::words(&exported, form), &json)?;
    }
    Ok(())
}

fn everything(place: &DataContext, folder: &Path) -> Result<()> {
    let session = place.reader()?;
    let count = session::export_all(&session, folder)
        .with_context(|| format!("write the session to {}", folder.display()))?;
    let people = || format!("{} records written to {}", text::count(count), folder.display());
    place.print(people, &json!({ "records": count, "folder": folder }))?;
    Ok(())
}
