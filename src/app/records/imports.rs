//! Bringing files in: what they would be read as, then the import and its index, each on a thread and a connection of
//! its own.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::reader::{RecordsAsk, beginning};
use super::words::in_studio;
use super::{Back, RecordsLane};
use crate::app::imports::{self, KnownMapping};
use crate::app::jobs::Working;
use crate::data::import::{Import, ImportOptions, PlannedFile as PlannedRows};
use crate::data::mapping::{ColumnPart, MappingKind};
use crate::domain::counted::counted;
use crate::domain::name::one_line;
use crate::domain::protocol::DataEvent;
use crate::domain::protocol::data::{Example, ImportPlan, Imported, PlannedFile};
use crate::domain::protocol::system::{JobEnd, Level, OnQuit, Progress, Unit};
use crate::ground::thread;
use crate::session::{self, Access, ImportEnd, Session, SessionError};

/// Rows that are shown as they would become records.
const EXAMPLES: usize = 3;

/// Files whose first rows are tried for what plays no part.
const TRIED: usize = 8;

/// Says what an import would read and how.
pub(super) fn plan(lane: &RecordsLane, path: PathBuf, map: Vec<String>) {
    let lane = lane.clone();
    thread::start("data plan", move || {
        let plan = imports::look_up(&lane.events, &path)
            .and_then(|()| Ok(lane.open(Access::Read)?))
            .and_then(|session| planned(&session, &path, map))
            .map_err(|error| in_studio(&format!("{error:#}")));
        lane.tell(DataEvent::ImportPlanned(path, plan.map(Box::new)));
    });
}

fn planned(session: &Session, path: &Path, map: Vec<String>) -> Result<ImportPlan> {
    let options = ImportOptions { map, ..ImportOptions::default() };
    let (source, known) = imports::open(session, path, &options)?;
    let first = source.files().iter().find(|file| file.broken.is_none());
    let mapping = |part: ColumnPart| first.and_then(|file| file.mapping.column(part)).map(str::to_owned);
    let broken = source.files().iter().filter_map(|file| file.broken.as_ref());
    let broken = broken.map(|bad| Err(format!("{}:{}: {}", bad.source, bad.line, bad.reason)));
    let passes_over =
        |file: &PlannedRows| file.passes_over().iter().map(|told| in_studio(told)).collect::<Vec<_>>();
    let examples = first
        .into_iter()
        .flat_map(|file| file.sample.iter().take(EXAMPLES).map(move |row| file.preview(row)))
        .chain(broken.take(EXAMPLES));
    let mut passed_over: Vec<String> = source.files().iter().take(TRIED).flat_map(passes_over).collect();
    passed_over.sort();
    passed_over.dedup();
    Ok(ImportPlan {
        passed_over,
        files: source
            .files()
            .iter()
            .map(|file| PlannedFile {
                name: file.source.clone(),
                format: file.format.name(),
                bytes: file.bytes,
                read_as: file.mapping.kind().describe(),
            })
            .collect(),
        columns: imports::same_columns(&source).unwrap_or_default(),
        parts: ColumnPart::ALL.map(|part| (part.name(), mapping(part))).to_vec(),
        remembered: known == KnownMapping::Remembered,
        columns_only: source
            .files()
            .iter()
            .any(|file| file.broken.is_none() && file.mapping.kind() == MappingKind::Columns),
        examples: examples
            .map(|record| {
                record.map_err(|why| in_studio(&why)).map(|record| Example {
                    prompt: beginning(record.question()),
                    answer: beginning(record.answer().or(record.text.as_deref()).unwrap_or_default()),
                    label: record.label,
                })
            })
            .collect(),
    })
}

/// Imports files and brings the index up to date.
pub(super) fn bring_in(lane: &RecordsLane, files: Vec<PathBuf>, map: Vec<String>, back: &Back) {
    let (lane, back) = (lane.clone(), back.clone());
    thread::start("data import", move || {
        let outcome = lane.open(Access::Write).and_then(|mut session| {
            for file in &files {
                import(&lane, &mut session, file, &map)?;
                // The lane that reads is gone when the studio is.
                back.reader.send(RecordsAsk::Refresh).ok();
            }
            index(&lane, &mut session)
        });
        match outcome {
            // Another process is at it: it will come to an end there.
            Ok(()) | Err(SessionError::JobRunning { .. }) => {}
            Err(error) => lane.complain(&error),
        }
        back.written();
    });
}

fn import(
    lane: &RecordsLane,
    session: &mut Session,
    path: &Path,
    map: &[String],
) -> Result<(), SessionError> {
    let name = path.display().to_string();
    let short = path.file_name().unwrap_or_default().to_string_lossy();
    let job = Working::start(&lane.events, &format!("import {short}"), OnQuit::Ask);
    let before = session.last_change()?.map_or(0, |entry| entry.id);
    let imported = run(session, path, map, |source, session| {
        let noticed = source.noticed();
        let (counts, ended) =
            imports::bring_in(session, &name, source, |progress| job.go_on(bytes(progress)))?;
        Ok((counts, ended, noticed))
    });
    // Before a person hears of it, who may take it back at once.
    lane.note_change(session, before)?;
    match imported {
        Ok((counts, ImportEnd::AtTheEnd, noticed)) => {
            let is_empty = counts.added + counts.repeated == 0;
            job.end(if is_empty { JobEnd::Failed(EMPTY.to_owned()) } else { JobEnd::Done });
            for note in noticed.sentences() {
                lane.notify(Level::Warning, format!("{short}: {}", in_studio(&note)));
            }
            if let Some(note) = noticed.idle() {
                lane.notify(Level::Info, format!("{short}: {note}"));
            }
            let unread = unread(session, counts.rejected);
            let came = Imported {
                added: counts.added,
                repeated: counts.repeated,
                rejected: counts.rejected,
                unread: unread.clone(),
            };
            lane.tell(DataEvent::Imported(path.to_path_buf(), Ok(came)));
            if counts.repeated > 0 {
                let were = if counts.repeated == 1 { "was" } else { "were" };
                let rows = counted(counts.repeated, "row");
                let text = format!("{short}: {rows} {were} here before and {were} left out");
                lane.notify(Level::Info, text);
            }
            if counts.rejected > 0 {
                let lines = counted(counts.rejected, "line");
                let more = counts.rejected > unread.len() as u64;
                let all = if more { "; `dojo data imports` lists them all" } else { "" };
                let text = format!("{short}: {lines} could not be read: {}{all}", unread.join("; "));
                lane.notify(Level::Warning, text);
            }
            Ok(())
        }
        Ok((counts, ImportEnd::Stopped, _)) => {
            let why = format!("stopped after {}", counted(counts.added, "record"));
            lane.tell(DataEvent::Imported(path.to_path_buf(), Err(why)));
            Ok(())
        }
        Err(error) => {
            let why = in_studio(&error.to_string());
            lane.tell(DataEvent::Imported(path.to_path_buf(), Err(why.clone())));
            job.end(JobEnd::Failed(why));
            Err(SessionError::Cancelled)
        }
    }
}

/// How the job of an import ends that brought nothing.
const EMPTY: &str = "no record came in";

/// Rows that couldn't be read, as they are named at once: line and reason.
const NAMED: u32 = 3;

/// The first rows that the last import could not read.
fn unread(session: &Session, rejected: u64) -> Vec<String> {
    if rejected == 0 {
        return Vec::new();
    }
    let last = session.imports().ok().and_then(|imports| imports.first().map(|import| import.id));
    let rejects = last.and_then(|import| session.first_rejects(import, Some(NAMED)).ok()).unwrap_or_default();
    rejects
        .iter()
        .map(|reject| format!("line {}: {}", reject.line, in_studio(&one_line(&reject.reason))))
        .collect()
}

fn run<T>(
    session: &mut Session,
    path: &Path,
    map: &[String],
    work: impl FnOnce(Import, &mut Session) -> Result<T, SessionError>,
) -> Result<T, SessionError> {
    let options = ImportOptions { map: map.to_vec(), ..ImportOptions::default() };
    let (source, _) = imports::open(session, path, &options).map_err(SessionError::Reading)?;
    work(source, session)
}

fn bytes(progress: session::ImportProgress) -> Progress {
    Progress {
        done: progress.bytes,
        total: Some(progress.total_bytes),
        unit: Unit::Bytes,
        note: counted(progress.counts.added, "record"),
    }
}

fn index(lane: &RecordsLane, session: &mut Session) -> Result<(), SessionError> {
    if session.index_state()?.complete() {
        return Ok(());
    }
    let job = Working::start(&lane.events, "index records for search", OnQuit::LetEnd);
    let state = session.build_index(|state| {
        lane.tell(DataEvent::Indexed { done: state.done, total: state.total });
        job.go_on(Progress { done: state.done, total: Some(state.total), ..Progress::default() })
    })?;
    if state.complete() {
        job.end(JobEnd::Done);
    }
    Ok(())
}
