//! Opening what is to be imported, with the mapping that was used last for files with these columns. The studio and
//! `dojo data import` both use this.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::events::Events;
use super::jobs::Working;
use crate::data::hub::{self, DatasetName};
use crate::data::import::{Import, ImportOptions};
use crate::data::mapping::Mapping;
use crate::domain::protocol::data::LOOK_UP;
use crate::domain::protocol::system::{JobEnd, OnQuit, Progress, Unit};
use crate::session::{self, ImportCounts, ImportEnd, ImportProgress, Session, SessionError};

/// Whether a mapping was chosen for such files before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownMapping {
    Remembered,
    Found,
}

/// Opens an import. What is remembered counts where nothing is said by hand.
///
/// # Errors
/// As [`Import::open`].
pub(crate) fn open(
    session: &Session,
    path: &Path,
    options: &ImportOptions,
) -> Result<(Import, KnownMapping)> {
    let source = Import::open(path, options)?;
    if !options.map.is_empty() {
        return Ok((source, KnownMapping::Found));
    }
    let Some(columns) = same_columns(&source) else { return Ok((source, KnownMapping::Found)) };
    match session.remembered_mapping(&columns)? {
        Some(mapping) => {
            let mapping: Mapping = serde_json::from_str(&mapping).context("read the remembered mapping")?;
            let options = ImportOptions { mapping: Some(mapping), ..options.clone() };
            Ok((Import::open(path, &options)?, KnownMapping::Remembered))
        }
        None => Ok((source, KnownMapping::Found)),
    }
}

/// The columns, where all files that have rows have the same.
pub(crate) fn same_columns(source: &Import) -> Option<Vec<String>> {
    let whole = source.files().iter().filter(|file| !file.sample.is_empty());
    let mut columns = whole.map(|file| session::columns(&file.sample));
    let first = columns.next()?;
    columns.all(|other| other == first).then_some(first)
}

/// Imports what was opened, under the name by which it can be taken up again, and remembers each file's mapping for files
/// with its columns: from the beginning, since whoever takes it up needs the same, and no longer when nothing came in.
///
/// # Errors
/// As [`session::import`].
pub(crate) fn bring_in(
    session: &mut Session,
    name: &str,
    source: Import,
    go_on: impl FnMut(ImportProgress) -> bool,
) -> Result<(ImportCounts, ImportEnd), SessionError> {
    let added = |session: &Session| -> Result<u64, SessionError> {
        Ok(session.imports()?.iter().map(|import| import.counts.added).sum())
    };
    let before = added(session)?;
    let earlier = remember(session, &source)?;
    let outcome = session::import(session, name, source, go_on);
    let is_something = match &outcome {
        Ok((counts, _)) => counts.added + counts.repeated > 0,
        Err(_) => added(session).is_ok_and(|now| now > before),
    };
    if !is_something {
        put_back(session, earlier)?;
    }
    outcome
}

/// The mappings that were remembered before, by their columns.
type Earlier = Vec<(Vec<String>, Option<String>)>;

fn remember(session: &mut Session, source: &Import) -> Result<Earlier, SessionError> {
    let mut earlier = Earlier::new();
    for file in source.files() {
        let mapping = serde_json::to_string(&file.mapping)?;
        let columns = session::columns(&file.sample);
        let known = session.remembered_mapping(&columns)?;
        if known.as_deref() != Some(mapping.as_str()) {
            session.remember_mapping(&columns, &mapping)?;
            earlier.push((columns, known));
        }
    }
    Ok(earlier)
}

fn put_back(session: &mut Session, earlier: Earlier) -> Result<(), SessionError> {
    // Several files may have the same columns: what was there before the first of them counts.
    for (columns, known) in earlier.into_iter().rev() {
        match known {
            Some(mapping) => session.remember_mapping(&columns, &mapping)?,
            None => session.forget_mapping(&columns)?,
        }
    }
    Ok(())
}

/// Where a path that was typed leads: from the current folder, and without a `~`.
///
/// # Errors
/// When nothing is there.
pub(crate) fn place(path: &Path) -> Result<PathBuf> {
    if DatasetName::is_one(path) {
        return Ok(path.to_path_buf());
    }
    let path = std::path::absolute(home(path)).with_context(|| format!("find {}", path.display()))?;
    ensure!(path.exists(), "there is no file or folder {}", path.display());
    Ok(path)
}

/// Whether there is something to bring in, before a session is made for it.
///
/// # Errors
/// When it can't be read as records.
pub(crate) fn check(path: &Path) -> Result<()> {
    let opened = Import::open(path, &ImportOptions::default()).map(drop);
    opened.with_context(|| format!("no session was made for {}", path.display()))
}

/// Brings a dataset of the hub here, as a job: it may be large, and the hub slow. Other paths are here.
///
/// # Errors
/// When the hub can't be reached or refuses, or the job was stopped.
pub(crate) fn look_up(events: &Events, path: &Path) -> Result<()> {
    let Some(name) = path.to_str().filter(|_| DatasetName::is_one(path)) else { return Ok(()) };
    let job = Working::start(events, &format!("{LOOK_UP}{name}"), OnQuit::LetEnd);
    let fetched = |done, total| Progress { done, total, unit: Unit::Bytes, note: String::new() };
    match hub::bring(name, |done, total| job.go_on(fetched(done, total))) {
        Ok(true) => job.end(JobEnd::Done),
        Ok(false) => bail!("stopped before {name} was here; what has come is kept for the next time"),
        Err(error) => {
            job.end(JobEnd::Failed(format!("{error:#}")));
            return Err(error);
        }
    }
    Ok(())
}

fn home(path: &Path) -> PathBuf {
    let inside = path.strip_prefix("~").ok().and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    inside.unwrap_or_else(|| path.to_path_buf())
}

/// Paths that are offered for what is being typed.
const OFFERED: usize = 200;

/// What a path that is being typed may become, as it would be typed: folders end in a slash. Hidden files only when
/// they are asked for, others than are wanted once a letter of their name is typed.
pub(crate) fn complete(typed: &str, is_wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    if typed.starts_with("hf:") {
        return Vec::new();
    }
    let (folder, beginning) = typed.rfind('/').map_or(("", typed), |slash| typed.split_at(slash + 1));
    let place = if folder.is_empty() { PathBuf::from(".") } else { home(Path::new(folder)) };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut paths: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !beginning.starts_with('.');
            let is_folder = entry.path().is_dir();
            // Before a letter of the name is typed, what can't be brought in is only in the way.
            let of_use = is_folder || !beginning.is_empty() || is_wanted(Path::new(&name));
            let end = if is_folder { "/" } else { "" };
            (name.starts_with(beginning) && !hidden && of_use).then(|| format!("{folder}{name}{end}"))
        })
        .collect();
    paths.sort();
    paths.truncate(OFFERED);
    paths
}
