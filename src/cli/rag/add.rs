//! `dojo rag add`: documents brought in, from this machine and the network.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;

use super::roots::roots;
use super::watch::watch;
use super::{BarHost, LibraryArguments, RagContext};
use crate::app::documents::ADDING;
use crate::app::library::adding::DocumentSources;
use crate::app::library::embedder::OpenEmbedder;
use crate::cli::data::stop_on_interrupt;
use crate::cli::{job_bar, print};
use crate::domain::library::ChunkSettings;
use crate::domain::retrieval::LibraryCounts;
use crate::rag::add::{AddProgress, Adder, ChunkCut, embed_anew};
use crate::rag::database::LibraryRoot;
use crate::rag::embedding::TextEmbedder;
use crate::rag::files::FilesReport;
use crate::rag::library::Library;
use crate::rag::watch::FolderWatch;
use crate::session::JobLock;

/// Arguments of `dojo rag add`.
#[derive(Args)]
pub(super) struct AddArguments {
    /// Files, folders, addresses (`https://...`), papers (`arxiv:2501.01234`, `arxiv-search:"words"`); without any, what was
    /// added before is brought up to date, or the session's folder `documents` brought in.
    pub(super) paths: Vec<String>,
    #[command(flatten)]
    library: LibraryArguments,
    /// A sentence that says what these documents are; it is found and shown with them.
    #[arg(long)]
    pub(super) context: Option<String>,
    /// A tag for these documents; may be said several times.
    #[arg(long = "tag")]
    pub(super) tags: Vec<String>,
    /// Papers that a search of arXiv brings in at most; 10 unless it is said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub(super) most: Option<u32>,
    /// The embedding model, or the name of an endpoint in `[embedders]` of settings.toml; else the library's own.
    #[arg(long, visible_alias = "embeddings")]
    model: Option<String>,
    /// Words only: no embeddings.
    #[arg(long, conflicts_with = "model")]
    no_embeddings: bool,
    /// Go on and bring in whatever is written or removed in the folders, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

pub(super) fn run(place: &RagContext, arguments: &AddArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::create(&folder)?;
    let lock = JobLock::take(&folder, ADDING, "dojo rag add")?;
    let roots = roots(&library, arguments)?;
    ensure!(
        !arguments.watch || roots.iter().any(is_local),
        "--watch looks at files and folders, and none is to be added"
    );
    let stop = stop_on_interrupt()?;
    let embedder = embedder(place, arguments, &mut library, &stop)?;
    for root in &roots {
        library.remember(root)?;
    }
    // What is written while the first pass goes on is a change too.
    let watched = arguments
        .watch
        .then(|| FolderWatch::begin(roots.iter().filter(|root| is_local(root)).cloned().collect()));
    let mut sources = DocumentSources::new(place.folders.clone());
    let mut tell = |words: &str| print::complain(words);
    let (report, progress) = bring_in(&mut library, embedder.as_ref(), &stop, &mut |adder, report| {
        sources.add(adder, &roots, report, &mut tell)
    })?;
    let counts = library.counts()?;
    for (path, reason) in &report.reasons {
        print::complain(&format!("left out {path}: {reason}"));
    }
    let spent = embedder.as_ref().and_then(|embedder| embedder.spent());
    let json = json!({
        "library": folder, "files": report, "chunks": progress, "now": counts, "spent": spent,
    });
    place.print(
        || [said(&report, &counts)].into_iter().chain(spent.clone()).collect::<Vec<_>>().join("; "),
        &json,
    )?;
    if report.stopped {
        print::complain("stopped; whole documents are in, and adding again goes on from there");
        return Ok(ExitCode::from(1));
    }
    drop(lock);
    match watched {
        Some(watched) => watch(place, &mut library, embedder.as_ref(), watched, &stop),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn is_local(root: &LibraryRoot) -> bool {
    std::path::Path::new(&root.path).is_absolute()
}

/// What embeds: what is named, else what the library is embedded with. Nothing if it is to be found by words only.
fn embedder(
    place: &RagContext,
    arguments: &AddArguments,
    library: &mut Library,
    stop: &Arc<AtomicBool>,
) -> Result<Option<OpenEmbedder>> {
    let known = library.database().model()?.map(|(_, model)| model);
    let words_only = arguments.no_embeddings || (known.is_none() && library.database().counts()?.chunks > 0);
    if words_only && arguments.model.is_none() {
        return Ok(None);
    }
    place.embedder(library, arguments.model.as_deref(), stop).map(Some)
}

/// Has documents brought in, embedded and indexed; says what became of them, and how far it came.
pub(super) fn bring_in(
    library: &mut Library,
    embedder: Option<&OpenEmbedder>,
    stop: &Arc<AtomicBool>,
    add: &mut dyn FnMut(&mut Adder<'_>, &mut FilesReport) -> Result<()>,
) -> Result<(FilesReport, AddProgress)> {
    let mut host = BarHost { stop, bar: Box::new(job_bar::counting()), all: 0 };
    let mut report = FilesReport::default();
    let cut = ChunkCut::ToFit(ChunkSettings::default());
    let asked = embedder.map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() });
    let mut adder = Adder::new(library, asked, cut, &mut host)?;
    add(&mut adder, &mut report)?;
    let in_progress = adder.progress();
    let finished = adder.finish()?;
    report.stopped |= finished.is_none();
    if !report.stopped {
        let model = library.database().model()?.map(|(number, _)| number);
        // What was added without embeddings before gets them now.
        if let Some(embedder) = asked
            && library.database().unembedded(model)? > 0
        {
            report.stopped |= !embed_anew(library, embedder, &mut host)?;
        }
        library.index()?;
    }
    Ok((report, finished.unwrap_or(in_progress)))
}

pub(super) fn said(report: &FilesReport, counts: &LibraryCounts) -> String {
    let FilesReport { added, changed, unchanged, removed, excluded, unread, .. } = report;
    let mut parts = vec![format!("{added} added")];
    let stay_out = if *excluded == 1 { "stays out" } else { "stay out" };
    let stay_out = format!("{stay_out} (`dojo rag status` lists them)");
    let others = [
        (changed, "changed"),
        (unchanged, "unchanged"),
        (removed, "removed"),
        (excluded, &stay_out),
        (unread, "left out"),
    ];
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
