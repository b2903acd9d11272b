//! Changes, one after another; and the long work: imports, the index.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use super::reader::Ask;
use super::{Back, Lane};
use crate::app::jobs::Working;
use crate::data::import::{Import, ImportOptions};
use crate::domain::message::{Message, Role};
use crate::domain::protocol::system::{JobEnd, Level, Progress, Unit};
use crate::domain::protocol::{DataCommand, DataEvent};
use crate::domain::record::{Fields, Provenance, Record};
use crate::session::{self, Access, Ended, Session, SessionError};

pub(super) fn work(lane: &Lane, commands: &Receiver<DataCommand>, back: &Back) {
    let mut session = match lane.open(Access::Write) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    begin(lane, &session, back);
    while let Ok(command) = commands.recv() {
        match perform(lane, &mut session, command, back) {
            Ok(()) => back.written(),
            Err(error) => lane.complain(&error),
        }
    }
}

/// What a session that was just opened still wants: the files that it names, or the rest of its index.
fn begin(lane: &Lane, session: &Session, back: &Back) {
    let untouched = session.imports().is_ok_and(|imports| imports.is_empty());
    let files = if untouched { lane.files() } else { Vec::new() };
    let behind = session.index_state().is_ok_and(|state| !state.complete());
    if !files.is_empty() || behind {
        long_work(lane, files, back);
    } else {
        back.written();
    }
}

/// Imports files and brings the index up to date, on a thread and a connection of its own.
fn long_work(lane: &Lane, files: Vec<PathBuf>, back: &Back) {
    let (lane, back) = (lane.clone(), back.clone());
    std::thread::spawn(move || {
        let outcome = lane.open(Access::Write).and_then(|mut session| {
            for file in &files {
                import(&lane, &mut session, file)?;
                // The lane that reads is gone when the studio is.
                back.reader.send(Ask::Refresh).ok();
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

fn import(lane: &Lane, session: &mut Session, path: &Path) -> Result<(), SessionError> {
    let name = path.display().to_string();
    let short = path.file_name().unwrap_or_default().to_string_lossy();
    let job = Working::start(&lane.events, &format!("import {short}"));
    let outcome = Import::open(path, &ImportOptions::default())
        .map_err(SessionError::Reading)
        .and_then(|source| session::import(session, &name, source, |progress| job.go_on(bytes(progress))));
    match outcome {
        Ok((counts, Ended::AtTheEnd)) => {
            job.end(JobEnd::Done);
            if counts.rejected > 0 {
                let text = format!(
                    "{short}: {} lines could not be read; `dojo data imports` lists them",
                    counts.rejected
                );
                lane.notify(Level::Warning, text);
            }
            Ok(())
        }
        Ok((_, Ended::Stopped)) => Ok(()),
        Err(error) => {
            job.end(JobEnd::Failed(error.to_string()));
            Err(SessionError::Cancelled)
        }
    }
}

fn bytes(progress: session::ImportProgress) -> Progress {
    Progress {
        done: progress.bytes,
        total: Some(progress.total_bytes),
        unit: Unit::Bytes,
        note: format!("{} records", progress.counts.added),
    }
}

fn index(lane: &Lane, session: &mut Session) -> Result<(), SessionError> {
    if session.index_state()?.complete() {
        return Ok(());
    }
    let job = Working::start(&lane.events, "index records for search");
    let state = session.build_index(|state| {
        lane.tell(DataEvent::Indexed { done: state.done, total: state.total });
        job.go_on(Progress { done: state.done, total: Some(state.total), ..Progress::default() })
    })?;
    if state.complete() {
        job.end(JobEnd::Done);
    }
    Ok(())
}

fn perform(
    lane: &Lane,
    session: &mut Session,
    command: DataCommand,
    back: &Back,
) -> Result<(), SessionError> {
    match command {
        DataCommand::Change { selection, change } => {
            let records = session.apply(&selection, &change)?;
            lane.tell(DataEvent::Changed { what: change.words(), records });
        }
        DataCommand::Edit { record, body } => {
            let records = session.edit("edit", &[(record, body)])?;
            lane.tell(DataEvent::Changed { what: "edit".to_owned(), records });
        }
        DataCommand::Create(like) => {
            let record = match like {
                Some(id) => copy(session.record(id)?),
                None => empty(),
            };
            let what = if like.is_some() { "duplicate" } else { "new record" };
            if let Some(&id) = session.add(what, vec![record])?.first() {
                lane.tell(DataEvent::Changed { what: what.to_owned(), records: 1 });
                lane.tell(DataEvent::Created(id));
            }
        }
        DataCommand::Undo => {
            let entry = session.undo()?;
            lane.tell(DataEvent::Changed { what: format!("undone: {}", entry.what), records: entry.records });
        }
        DataCommand::Redo => {
            let entry = session.redo()?;
            lane.tell(DataEvent::Changed { what: format!("redone: {}", entry.what), records: entry.records });
        }
        DataCommand::Import(path) => long_work(lane, vec![path], back),
        DataCommand::View { .. }
        | DataCommand::Page { .. }
        | DataCommand::Open(_)
        | DataCommand::Tokens(_)
        | DataCommand::CountTokens => {}
    }
    Ok(())
}

/// The same content; the row it came from stays the source, so that nothing is invented.
fn copy(record: Record) -> Record {
    let mut copy = record;
    copy.provenance.occurrence = u32::MAX;
    copy
}

fn empty() -> Record {
    Record {
        fields: Fields::new(),
        messages: vec![Message::new(Role::User, ""), Message::new(Role::Assistant, "")],
        provenance: Provenance::default(),
        ..Record::default()
    }
}
