//! `dojo data export`: a session's records as files that other programs read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::{Place, each_page};
use crate::data::export::{Exported, Exporter, Form, Splits};
use crate::session;
use crate::ui::widgets::text;

/// Arguments of `dojo data export`.
#[derive(Args)]
pub(super) struct Export {
    /// The file to write; for the form "folder" and for --all the folder to make.
    path: PathBuf,
    /// Which records; all, where nothing is said.
    filter: Vec<String>,
    /// messages, prompt-completion, preference, rows (JSONL), csv, parquet, or folder (a Hugging Face dataset). Without
    /// it, the path's ending tells.
    #[arg(long, value_parser = form)]
    form: Option<Form>,
    /// A file for each split: data.train.jsonl, data.eval.jsonl, ...
    #[arg(long)]
    split_files: bool,
    /// Write the whole session as sorted text that compares well under version control: records.jsonl and history.jsonl.
    #[arg(long, conflicts_with_all = ["filter", "form", "split_files"])]
    all: bool,
}

fn form(name: &str) -> std::result::Result<Form, String> {
    Form::from_name(name).map_err(|error| error.to_string())
}

pub(super) fn run(place: &Place, arguments: &Export) -> Result<()> {
    if arguments.all {
        return everything(place, &arguments.path);
    }
    let form = arguments.form.or_else(|| Form::of_path(&arguments.path)).with_context(|| {
        format!("{}: the form can't be told from the name; say it with --form", arguments.path.display())
    })?;
    let splits = if arguments.split_files { Splits::Apart } else { Splits::Together };
    let mut exporter = Exporter::create(&arguments.path, form, splits)?;
    each_page(&place.reader()?, &arguments.filter, |page| {
        for (_, record) in &page {
            exporter.add(record)?;
        }
        Ok(())
    })?;
    let exported = exporter.finish()?;
    let json = serde_json::to_value(&exported)?;
    place.print(|| for_people(&exported, form), &json);
    Ok(())
}

fn everything(place: &Place, folder: &Path) -> Result<()> {
    let session = place.reader()?;
    let count = session::export_all(&session, folder)
        .with_context(|| format!("write the session to {}", folder.display()))?;
    let people = || format!("{} records written to {}", text::count(count), folder.display());
    place.print(people, &json!({ "records": count, "folder": folder }));
    Ok(())
}

fn for_people(exported: &Exported, form: Form) -> String {
    let files: Vec<String> = exported.files.iter().map(|file| file.display().to_string()).collect();
    let mut text = format!("{} records as {} to {}", exported.written, form.name(), files.join(", "));
    if exported.left_out > 0 {
        text += &format!("\n{} do not fit this form and were left out:", exported.left_out);
        text.extend(exported.reasons.iter().map(|reason| format!("\n  {reason}")));
    }
    text
}
