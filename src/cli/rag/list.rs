//! `dojo rag list`, `remove`, `status`: what a library holds.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::push::in_words;
use super::{LibraryArguments, RagContext};
use crate::cli::data::{Align, table};
use crate::cli::print;
use crate::domain::counted::counted;
use crate::domain::retrieval::{DocumentRow, LibraryCounts};
use crate::rag::database::{IndexStore, LibraryRoot};
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
    /// A document's source, or a path, an address or a search with all that was added by it. What is in a folder that stays
    /// doesn't come back until it is added by its own name.
    #[arg(required = true)]
    sources: Vec<String>,
    #[command(flatten)]
    library: LibraryArguments,
}

pub(super) fn run(place: &RagContext, arguments: &DocumentsArguments) -> Result<ExitCode> {
    let library = Library::open(&arguments.library.folder(place)?)?;
    let rows = library.database().document_rows()?;
    let excluded = library.database().exclusions()?;
    let mut columns = vec![
        ("title", Align::Left),
        ("chunks", Align::Right),
        ("tokens", Align::Right),
        ("date", Align::Left),
        ("tags", Align::Left),
        ("source", Align::Left),
    ];
    let says = rows.iter().any(|row| row.context.is_some());
    if says {
        columns.push(("context", Align::Left));
    }
    place.print(
        || {
            let context = |row: &DocumentRow| says.then(|| row.context.clone().unwrap_or_default());
            let all = |row| cells(row).into_iter().chain(context(row)).collect();
            let listed = table(&columns, &rows.iter().map(all).collect::<Vec<Vec<String>>>());
            let stay_out = from(&[], &excluded);
            if stay_out.is_empty() { listed } else { format!("{}\n\n{stay_out}", listed.trim_end()) }
        },
        &json!({ "library": library.folder(), "documents": rows, "excluded": excluded }),
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
    let excluded = library.database().exclusions()?;
    let store = library.store()?;
    let model = library.database().model()?.map(|(number, _)| number);
    let lacking = if model.is_some() { library.database().unembedded(model)? } else { 0 };
    let json = json!({
        "library": library.folder(), "now": counts, "roots": roots, "excluded": excluded, "index": store,
        "without_embedding": lacking,
    });
    let summary = summary(library.folder(), &counts, (&store, lacking));
    place.print(|| summary + &from(&roots, &excluded), &json)?;
    Ok(ExitCode::SUCCESS)
}

fn summary(folder: &Path, counts: &LibraryCounts, (store, lacking): (&IndexStore, u64)) -> String {
    let size = |bytes: u64| indicatif::HumanBytes(bytes).to_string();
    let model = match (&counts.model, counts.dimensions) {
        (Some(model), Some(dimensions)) if lacking > 0 => format!(
            "{model}, {dimensions} dimensions; {} without one: `dojo rag embed` computes them",
            counted(lacking, "chunk")
        ),
        (Some(model), Some(dimensions)) => format!("{model}, {dimensions} dimensions"),
        _ => "none: found by words only".to_owned(),
    };
    let index = match (store, counts.behind) {
        (IndexStore::Server { .. }, _) => in_words(store).replacen("the index is ", "", 1),
        (IndexStore::Edge, 0) => format!("{}, up to date", size(counts.index_bytes)),
        (IndexStore::Edge, behind) => format!(
            "{}, {behind} chunks behind; the next search brings it up to date",
            size(counts.index_bytes)
        ),
    };
    format!(
        "library    {}\ndocuments  {}\nchunks     {} ({} tokens)\nembedding  {model}\ndatabase   {}\nindex      {index}\n",
        folder.display(),
        text::count(counts.documents),
        text::count(counts.chunks),
        text::count(counts.tokens),
        size(counts.database_bytes),
    )
}

/// Where the documents are from, and what stays out.
fn from(roots: &[LibraryRoot], excluded: &[String]) -> String {
    let mut out = String::new();
    for (place, root) in roots.iter().enumerate() {
        let label = if place == 0 { "from" } else { "" };
        let most = root.most.map(|most| format!(" (at most {most} papers)")).unwrap_or_default();
        let context = root.context.as_ref().map(|context| format!(": {context}")).unwrap_or_default();
        out += &format!("{label:<11}{}{most}{context}\n", root.path);
    }
    for (place, path) in excluded.iter().enumerate() {
        let label = if place == 0 { "stays out" } else { "" };
        out += &format!("{label:<11}{path}\n");
    }
    out
}

pub(super) fn remove(place: &RagContext, arguments: &RemoveArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::open(&folder)?;
    let mut removed = Vec::new();
    for name in &arguments.sources {
        match library.take_out_named(name) {
            Ok(sources) => removed.extend(sources),
            Err(error) => {
                let before = removed.iter().map(|source| format!("removed {source}"));
                before.for_each(|said| print::complain(&said));
                library.index()?;
                return Err(error);
            }
        }
    }
    library.index()?;
    let said = || match removed.as_slice() {
        [one] => format!("removed {one}"),
        many => format!("removed {} documents", many.len()),
    };
    place.print(said, &json!({ "library": folder, "removed": removed, "now": library.counts()? }))?;
    Ok(ExitCode::SUCCESS)
}
