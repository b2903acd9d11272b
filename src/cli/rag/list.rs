//! `dojo rag list`, `remove`, `status`: what a library holds.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;

use super::{LibraryArguments, RagContext};
use crate::cli::data::{Align, table};
use crate::domain::retrieval::{DocumentRow, LibraryCounts};
use crate::rag::library::Library;
use crate::ui::widgets::text;

/// Arguments of `dojo rag list`.
#[derive(Args)]
pub(super) struct DocumentsArguments {
    #[command(flatten)]
    library: LibraryArguments,
}

/// Arguments of `dojo rag status`.
#[derive(Args)]
pub(super) struct LibraryStatusArguments {
    #[command(flatten)]
    library: LibraryArguments,
}

/// Arguments of `dojo rag remove`.
#[derive(Args)]
pub(super) struct RemoveArguments {
    /// A document's source, or a path with all that was added from under it.
    #[arg(required = true)]
    sources: Vec<String>,
    #[command(flatten)]
    library: LibraryArguments,
}

pub(super) fn run(place: &RagContext, arguments: &DocumentsArguments) -> Result<ExitCode> {
    let library = Library::open(&arguments.library.folder(place)?)?;
    let rows = library.database().document_rows()?;
    let columns = [
        ("title", Align::Left),
        ("chunks", Align::Right),
        ("tokens", Align::Right),
        ("date", Align::Left),
        ("tags", Align::Left),
        ("source", Align::Left),
    ];
    place.print(
        || table(&columns, &rows.iter().map(cells).collect::<Vec<_>>()),
        &json!({ "library": library.folder(), "documents": rows }),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn cells(row: &DocumentRow) -> Vec<String> {
    vec![
        row.title.clone(),
        text::count(row.chunks),
        text::count(row.tokens),
        row.date.clone().unwrap_or_default(),
        row.tags.join(", "),
        row.source.clone(),
    ]
}

pub(super) fn status(place: &RagContext, arguments: &LibraryStatusArguments) -> Result<ExitCode> {
    let library = Library::open(&arguments.library.folder(place)?)?;
    let (counts, roots) = (library.counts()?, library.database().roots()?);
    let json = json!({ "library": library.folder(), "now": counts, "roots": roots });
    place.print(|| summary(library.folder(), &counts), &json)?;
    Ok(ExitCode::SUCCESS)
}

fn summary(folder: &Path, counts: &LibraryCounts) -> String {
    let size = |bytes: u64| indicatif::HumanBytes(bytes).to_string();
    let model = match (&counts.model, counts.dimensions) {
        (Some(model), Some(dimensions)) => format!("{model}, {dimensions} dimensions"),
        _ => "none: found by words only".to_owned(),
    };
    let index = match counts.behind {
        0 => "up to date".to_owned(),
        behind => format!("{behind} chunks behind; the next search brings it up to date"),
    };
    format!(
        "library    {}\ndocuments  {}\nchunks     {} ({} tokens)\nembedding  {model}\ndatabase   {}\nindex      {}, {index}\n",
        folder.display(),
        text::count(counts.documents),
        text::count(counts.chunks),
        text::count(counts.tokens),
        size(counts.database_bytes),
        size(counts.index_bytes),
    )
}

pub(super) fn remove(place: &RagContext, arguments: &RemoveArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::open(&folder)?;
    let mut removed = Vec::new();
    for name in &arguments.sources {
        let sources = library.sources_named(name)?;
        ensure!(
            !sources.is_empty(),
            "the library has no document {name}: `dojo rag list` shows those that it has"
        );
        for source in sources {
            library.take_out(&source)?;
            removed.push(source);
        }
        library.forget(name)?;
    }
    library.index()?;
    let said = || match removed.as_slice() {
        [one] => format!("removed {one}"),
        many => format!("removed {} documents", many.len()),
    };
    place.print(said, &json!({ "library": folder, "removed": removed, "now": library.counts()? }))?;
    Ok(ExitCode::SUCCESS)
}
