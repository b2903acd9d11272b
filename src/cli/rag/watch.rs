//! `dojo rag add --watch`: folders looked at every few seconds, and the library kept up with them.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::RagContext;
use super::add::{bring_in, said};
use crate::app::documents::ADDING;
use crate::app::library::embedder::OpenEmbedder;
use crate::cli::print;
use crate::rag::add::AddProgress;
use crate::rag::files::{FilesReport, add_changes};
use crate::rag::library::Library;
use crate::rag::watch::{FolderWatch, WatchedChanges};
use crate::session::JobLock;

/// How often the folders are looked at; looking takes a tenth of the time at most.
const EVERY: Duration = Duration::from_secs(2);
/// How soon Ctrl-C is heard.
const LOOK: Duration = Duration::from_millis(100);

/// Keeps a library up with its folders, until a person ends it.
pub(super) fn watch(
    place: &RagContext,
    library: &mut Library,
    embedder: Option<&OpenEmbedder>,
    mut watched: FolderWatch,
    stop: &Arc<AtomicBool>,
) -> Result<ExitCode> {
    // Others want the index while nothing changes.
    library.release();
    let names: Vec<&str> = watched.roots().iter().map(|root| root.path.as_str()).collect();
    print::complain(&format!("watching {} (Ctrl-C ends it)", names.join(", ")));
    let mut last_trouble = String::new();
    loop {
        let began = Instant::now();
        let changes = watched.look(&library.database().excluded_paths()?);
        if !changes.is_empty() {
            match bring_in_changes(library, embedder, &changes, stop) {
                Ok((report, progress)) => {
                    last_trouble.clear();
                    tell(place, library, &report, &json!(progress))?;
                }
                Err(error) => {
                    // Once: it is tried again until it works.
                    let trouble = format!("{error:#}");
                    if trouble != last_trouble {
                        print::complain(&format!("{trouble}; it is tried again"));
                    }
                    last_trouble = trouble;
                    watched.give_again(&changes);
                }
            }
            library.release();
        }
        if !waited((began.elapsed() * 9).max(EVERY), stop) {
            print::complain("stopped; what has been written since is brought in when it is added again");
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn bring_in_changes(
    library: &mut Library,
    embedder: Option<&OpenEmbedder>,
    changes: &WatchedChanges,
    stop: &Arc<AtomicBool>,
) -> Result<(FilesReport, AddProgress)> {
    // Another process may be adding.
    let _lock = JobLock::take(library.folder(), ADDING, "dojo rag add --watch")?;
    bring_in(library, embedder, stop, &mut |adder, report| add_changes(adder, changes, report))
}

fn tell(
    place: &RagContext,
    library: &Library,
    report: &FilesReport,
    progress: &serde_json::Value,
) -> Result<()> {
    for (path, reason) in &report.reasons {
        print::complain(&format!("left out {path}: {reason}"));
    }
    if report.done() == 0 {
        return Ok(());
    }
    let counts = library.counts()?;
    let json = json!({ "library": library.folder(), "files": report, "chunks": progress, "now": counts });
    place.print(|| said(report, &counts), &json)
}

/// False when a person wants to stop.
fn waited(time: Duration, stop: &AtomicBool) -> bool {
    let began = Instant::now();
    while began.elapsed() < time {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        std::thread::park_timeout(LOOK);
    }
    !stop.load(Ordering::Relaxed)
}
