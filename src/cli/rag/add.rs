//! `dojo rag add`, `embed`: documents brought in, and their embeddings.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use super::{BarHost, LibraryArguments, RagContext};
use crate::cli::data::stop_on_interrupt;
use crate::cli::{job_bar, print};
use crate::domain::library::ChunkSettings;
use crate::rag::add::{Adder, ChunkCut, embed_anew};
use crate::rag::database::LibraryRoot;
use crate::rag::embedding::TextEmbedder;
use crate::rag::files::{FilesReport, add_path};
use crate::rag::library::Library;
use crate::session::JobLock;

/// Arguments of `dojo rag add`.
#[derive(Args)]
pub(super) struct AddArguments {
    /// Files and folders; without any, what was added before is brought up to date, or the session's folder `documents`
    /// brought in.
    paths: Vec<String>,
    #[command(flatten)]
    library: LibraryArguments,
    /// A sentence that says what these documents are; it is found and shown with them.
    #[arg(long)]
    context: Option<String>,
    /// A tag for these documents; may be said several times.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// The embedding model; else the library's own.
    #[arg(long)]
    model: Option<String>,
    /// Words only: no embeddings.
    #[arg(long, conflicts_with = "model")]
    no_embeddings: bool,
}

/// A session's own documents are in this folder beside its library.
const DOCUMENTS: &str = "documents";

/// The kind of work that one process does at a time.
const ADDING: &str = "adding";

pub(super) fn run(place: &RagContext, arguments: &AddArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::create(&folder)?;
    let _lock = JobLock::take(&folder, ADDING, "dojo rag add")?;
    let roots = roots(&library, arguments)?;
    let chosen = library.database().model()?.map(|(_, model)| model.name);
    let words_only = arguments.no_embeddings || (chosen.is_none() && library.database().counts()?.chunks > 0);
    let embedder = if words_only && arguments.model.is_none() {
        None
    } else {
        Some(place.embedder(arguments.model.as_deref().or(chosen.as_deref()))?)
    };
    for root in &roots {
        library.remember(root)?;
    }
    let stop = stop_on_interrupt()?;
    let mut host = BarHost { stop: &stop, bar: Box::new(job_bar::counting()), all: 0 };
    let mut report = FilesReport::default();
    let cut = ChunkCut::ToFit(ChunkSettings::default());
    let asked = embedder.as_ref().map(|embedder| -> &dyn TextEmbedder { embedder });
    let mut adder = Adder::new(&mut library, asked, cut, &mut host)?;
    for root in &roots {
        add_path(&mut adder, root, &mut report)?;
        if report.stopped {
            break;
        }
    }
    let in_progress = adder.progress();
    let finished = adder.finish()?;
    report.stopped |= finished.is_none();
    let progress = finished.unwrap_or(in_progress);
    if !report.stopped {
        library.index()?;
    }
    let counts = library.counts()?;
    for (path, reason) in &report.reasons {
        print::complain(&format!("left out {path}: {reason}"));
    }
    let json = json!({ "library": folder, "files": report, "chunks": progress, "now": counts });
    place.print(|| said(&report, &counts), &json)?;
    if report.stopped {
        print::complain("stopped; whole documents are in, and adding again goes on from there");
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

fn said(report: &FilesReport, counts: &crate::domain::retrieval::LibraryCounts) -> String {
    let FilesReport { added, changed, unchanged, removed, unread, .. } = report;
    let mut parts = vec![format!("{added} added")];
    let others = [(changed, "changed"), (unchanged, "unchanged"), (removed, "removed"), (unread, "left out")];
    parts.extend(
        others.iter().filter(|(count, _)| **count > 0).map(|(count, what)| format!("{count} {what}")),
    );
    format!(
        "{}; the library has {} documents in {} chunks",
        parts.join(", "),
        counts.documents,
        counts.chunks
    )
}

/// What is to be read: the paths that are named, with what is said of them, or all that was added before.
fn roots(library: &Library, arguments: &AddArguments) -> Result<Vec<LibraryRoot>> {
    if arguments.paths.is_empty() {
        let roots = library.database().roots()?;
        let own = library.folder().parent().map(|session| session.join(DOCUMENTS)).filter(|own| own.is_dir());
        return match own {
            Some(own) if roots.is_empty() => {
                root(library, &own.to_string_lossy(), arguments).map(|root| vec![root])
            }
            _ => {
                ensure!(
                    !roots.is_empty(),
                    "nothing was added to this library yet: say which files or folders"
                );
                Ok(roots)
            }
        };
    }
    arguments.paths.iter().map(|path| root(library, path, arguments)).collect()
}

fn root(library: &Library, path: &str, arguments: &AddArguments) -> Result<LibraryRoot> {
    // One that is gone is known by the name that it had.
    let whole = std::path::absolute(path).with_context(|| format!("find {path}"))?;
    let whole = whole.canonicalize().unwrap_or(whole);
    let whole = whole.to_string_lossy().into_owned();
    let known = library.database().root(&whole)?;
    let is_there = Path::new(&whole).exists();
    ensure!(
        is_there || known.is_some() || !library.database().documents_under(&whole)?.is_empty(),
        "there is no {path}"
    );
    let mut root = known.unwrap_or_else(|| inherited(library, &whole).unwrap_or_default());
    root.path = whole;
    if arguments.context.is_some() {
        root.context.clone_from(&arguments.context);
    }
    for tag in &arguments.tags {
        if !root.tags.contains(tag) {
            root.tags.push(tag.clone());
        }
    }
    Ok(root)
}

/// What was said of the folder that a path is in.
fn inherited(library: &Library, path: &str) -> Option<LibraryRoot> {
    let roots = library.database().roots().ok()?;
    roots
        .into_iter()
        .filter(|root| Path::new(path).starts_with(&root.path))
        .max_by_key(|root| root.path.len())
}

/// Arguments of `dojo rag embed`.
#[derive(Args)]
pub(super) struct EmbedArguments {
    #[command(flatten)]
    library: LibraryArguments,
    /// The embedding model.
    #[arg(long)]
    model: Option<String>,
}

pub(super) fn embed(place: &RagContext, arguments: &EmbedArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::open(&folder)?;
    let _lock = JobLock::take(&folder, ADDING, "dojo rag embed")?;
    let embedder = place.embedder(arguments.model.as_deref())?;
    let stop = stop_on_interrupt()?;
    let all = library.database().counts()?.chunks;
    let mut host = BarHost { stop: &stop, bar: Box::new(job_bar::counting()), all };
    if !embed_anew(&mut library, &embedder, &mut host)? {
        print::complain("stopped; what is embedded is kept, and embedding again goes on from there");
        return Ok(ExitCode::from(1));
    }
    library.index()?;
    let counts = library.counts()?;
    place.print(
        || format!("{} chunks are embedded with {}", counts.chunks, embedder.model().name),
        &json!({ "library": folder, "now": counts }),
    )?;
    Ok(ExitCode::SUCCESS)
}
