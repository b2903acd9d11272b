//! What takes a while: files that come in, embeddings, a document described anew. One after another, each a job that the
//! drawer shows and stops; a session that is left lets them end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use anyhow::{Context, Result, anyhow};

use super::host::{ChunksHost, FilesHost};
use super::{ADDING, DocumentsLane};
use crate::app::imports;
use crate::app::jobs::Working;
use crate::app::library::DEFAULT_MODEL;
use crate::app::library::adding::DocumentSources;
use crate::app::library::embedder::{EmbedderOpening, OpenEmbedder, open_for};
use crate::app::library::roots::{RootWords, root_of};
use crate::app::pull_report::PullReport;
use crate::domain::counted::counted;
use crate::domain::library::ChunkSettings;
use crate::domain::protocol::LibraryEvent;
use crate::domain::protocol::library::AddedFiles;
use crate::domain::protocol::system::{JobEnd, Level, OnQuit};
use crate::engine::hub::{self, Network, PullProgress, Silent};
use crate::rag::add::{Adder, ChunkCut, embed_anew};
use crate::rag::database::LibraryRoot;
use crate::rag::describe::describe;
use crate::rag::embedding::TextEmbedder;
use crate::rag::files::FilesReport;
use crate::rag::library::Library;
use crate::rag::load::files_under;
use crate::session::JobLock;

/// Asked of this lane.
pub(super) enum LibraryJob {
    Add(PathBuf),
    /// Bring all that was added up to date.
    Update,
    Embed(Option<String>),
    Describe {
        source: String,
        context: Option<String>,
        tags: Vec<String>,
    },
}

/// Whether it came to its end, or a person stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    AtTheEnd,
    Stopped,
}

pub(super) fn work(lane: &DocumentsLane, waiting: &Receiver<LibraryJob>) {
    while let Ok(asked) = waiting.recv() {
        let job = Working::start(&lane.events, &name(&asked), OnQuit::Ask);
        let outcome = match asked {
            LibraryJob::Add(path) => add(lane, &job, Some(&path)),
            LibraryJob::Update => add(lane, &job, None),
            LibraryJob::Embed(model) => embed(lane, &job, model.as_deref()),
            LibraryJob::Describe { source, context, tags } => {
                say_anew(lane, &job, &LibraryRoot { path: source, context, tags, ..LibraryRoot::default() })
            }
        };
        job.end(match outcome {
            Ok(Ended::AtTheEnd) => JobEnd::Done,
            Ok(Ended::Stopped) => JobEnd::Stopped,
            Err(error) => JobEnd::Failed(format!("{error:#}")),
        });
    }
}

/// As the drawer shows it.
fn name(job: &LibraryJob) -> String {
    match job {
        LibraryJob::Add(path) => format!("add {}", short(path)),
        LibraryJob::Update => "update the library".to_owned(),
        LibraryJob::Embed(Some(model)) => format!("embed the library with {model}"),
        LibraryJob::Embed(None) => "embed the library".to_owned(),
        LibraryJob::Describe { source, .. } => format!("describe {}", short(Path::new(source))),
    }
}

fn short(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Brings in what is at a path, or all that was added before.
fn add(lane: &DocumentsLane, job: &Working, path: Option<&Path>) -> Result<Ended> {
    let path = path.map(imports::place).transpose()?;
    let mut library = Library::create(&lane.folder)?;
    let _lock = JobLock::take(&lane.folder, ADDING, "the studio")?;
    let (roots, what) = match &path {
        Some(path) => (vec![root_of(&library, &path.to_string_lossy(), RootWords::default())?], short(path)),
        None => (library.database().roots()?, "the library".to_owned()),
    };
    let chosen = library.database().model()?.map(|(_, model)| model);
    let words_only = chosen.is_none() && library.database().counts()?.chunks > 0;
    let embedder = if words_only {
        None
    } else {
        match embedder(lane, &mut library, chosen.as_ref().map_or(DEFAULT_MODEL, |model| &model.name))? {
            Some(embedder) => Some(embedder),
            None => return Ok(Ended::Stopped),
        }
    };
    for root in &roots {
        library.remember(root)?;
    }
    let asked = embedder.as_ref().map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() });
    let report = bring_in(lane, (&mut library, asked), &roots, job)?;
    if report.stopped {
        let text = "stopped: whole documents are in, and adding again goes on from there";
        lane.events.notify(Level::Info, text);
        return Ok(Ended::Stopped);
    }
    library.index()?;
    tell_of(lane, &what, report)?;
    Ok(Ended::AtTheEnd)
}

fn bring_in(
    lane: &DocumentsLane,
    (library, embedder): (&mut Library, Option<&dyn TextEmbedder>),
    roots: &[LibraryRoot],
    job: &Working,
) -> Result<FilesReport> {
    let total = roots.iter().map(|root| bytes_at(Path::new(&root.path))).sum();
    let mut host = FilesHost { job, total };
    let cut = ChunkCut::ToFit(ChunkSettings::default());
    let mut report = FilesReport::default();
    let mut adder = Adder::new(library, embedder, cut, &mut host)?;
    let mut tell = |text: &str| lane.events.notify(Level::Info, text);
    DocumentSources::new(lane.folders.clone()).add(&mut adder, roots, &mut report, &mut tell)?;
    report.stopped |= adder.finish()?.is_none();
    Ok(report)
}

/// Bytes of the files that will be looked at; those that can't be listed say so when they are read.
fn bytes_at(path: &Path) -> u64 {
    let files = if path.is_dir() {
        files_under(path).map(|found| found.files).unwrap_or_default()
    } else {
        vec![path.to_path_buf()]
    };
    files.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Says what came of the files, and what could not be read.
fn tell_of(lane: &DocumentsLane, what: &str, report: FilesReport) -> Result<()> {
    let FilesReport { added, changed, unchanged, removed, unread, reasons, excluded: _, stopped: _ } = report;
    let first = reasons.first().map(|(path, why)| format!("{}: {why}", short(Path::new(path))));
    let nothing = added + changed + removed == 0;
    let were = if unread == 1 { "was" } else { "were" };
    let added = AddedFiles { what: what.to_owned(), added, changed, unchanged, removed, unread, reasons };
    lane.tell(LibraryEvent::Added(Box::new(added)));
    match first {
        Some(first) if nothing && unchanged == 0 => Err(anyhow!("nothing came in: {first}")),
        Some(first) => {
            let files = counted(unread, "file");
            let text = format!("{what}: {files} {were} left out ({first}); w in the library lists them");
            lane.events.notify(Level::Warning, text);
            Ok(())
        }
        None if nothing => {
            let text = match unchanged {
                0 => format!("{what}: there is no file that words are read from"),
                unchanged => format!("{what}: {} unchanged", counted(unchanged, "document")),
            };
            lane.events.notify(Level::Info, text);
            Ok(())
        }
        None => Ok(()),
    }
}

/// Computes the embeddings that are missing, and makes the model the library's.
fn embed(lane: &DocumentsLane, job: &Working, model: Option<&str>) -> Result<Ended> {
    let mut library = Library::open(&lane.folder)?;
    let _lock = JobLock::take(&lane.folder, ADDING, "the studio")?;
    let chosen = library.database().model()?.map(|(_, model)| model);
    let named = model.or(chosen.as_ref().map(|model| model.name.as_str())).unwrap_or(DEFAULT_MODEL);
    let Some(embedder) = embedder(lane, &mut library, named)? else {
        return Ok(Ended::Stopped);
    };
    let number = library.database().model_number(embedder.model())?;
    let total = library.database().unembedded(Some(number))?;
    if !embed_anew(&mut library, embedder.as_ref(), &mut ChunksHost { job, total })? {
        let text = "stopped: what is embedded is kept, and embedding again goes on from there";
        lane.events.notify(Level::Info, text);
        return Ok(Ended::Stopped);
    }
    library.index()?;
    Ok(Ended::AtTheEnd)
}

fn say_anew(lane: &DocumentsLane, job: &Working, said: &LibraryRoot) -> Result<Ended> {
    let mut library = Library::open(&lane.folder)?;
    let _lock = JobLock::take(&lane.folder, ADDING, "the studio")?;
    let chosen = library.database().model()?.map(|(_, model)| model);
    let document = library.database().document(&said.path)?;
    let same = document.as_ref().is_some_and(|document| document.context == said.context);
    // Tags are in no embedding.
    let embedder = match chosen.filter(|_| !same) {
        Some(model) => match embedder(lane, &mut library, &model.name)? {
            Some(embedder) => Some(embedder),
            None => return Ok(Ended::Stopped),
        },
        None => None,
    };
    let chunks =
        document.map_or(Ok(0), |document| library.database().chunks_of(&document).map(|all| all.len()))?;
    let asked = embedder.as_ref().map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() });
    let mut host = ChunksHost { job, total: chunks as u64 };
    if !describe(&mut library, asked, said, &mut host)? {
        return Ok(Ended::Stopped);
    }
    if !same {
        library.index()?;
    }
    Ok(Ended::AtTheEnd)
}

/// What embeds; a model is fetched if it isn't on this machine. Nothing if a person stopped that.
fn embedder(lane: &DocumentsLane, library: &mut Library, name: &str) -> Result<Option<OpenEmbedder>> {
    let mut open = |network, progress: &mut dyn PullProgress| {
        let stop = Arc::default();
        open_for(library, Some(name), EmbedderOpening { folders: &lane.folders, network, progress, stop })
    };
    let endpoint = name.split(':').next().unwrap_or(name);
    let is_here = hub::resolve(&lane.folders.models(), name, Network::Offline, &mut Silent).is_ok();
    if is_here || lane.folders.read_settings().0.embedders.contains_key(endpoint) {
        return open(Network::Offline, &mut Silent).map(Some);
    }
    let mut report = PullReport::start(&lane.events, name);
    let opened = open(Network::Allowed, &mut report);
    report.end(opened).with_context(|| {
        format!("{name}, which embeds this library, is not on this machine; `dojo rag add --no-embeddings` does without")
    })
}
