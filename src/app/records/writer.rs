//! Changes, one after another.

use std::sync::mpsc::Receiver;

use super::reader::Ask;
use super::{Back, Lane, checks, imports};
use crate::domain::protocol::{DataCommand, DataEvent};
use crate::domain::record::Record;
use crate::session::{Access, Session, SessionError};

/// A change of more records than this is taken back only after a question.
const LARGE: u64 = 20;

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
        imports::bring_in(lane, files, Vec::new(), back);
    } else {
        back.written();
    }
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
            lane.tell(DataEvent::Edited(record));
        }
        DataCommand::Add(body) => {
            let mut record = Record::default();
            body.put(&mut record);
            add(lane, session, back, "new record", record)?;
        }
        DataCommand::Duplicate(id) => {
            let record = copy(session.record(id)?);
            add(lane, session, back, "duplicate", record)?;
        }
        DataCommand::Undo => match session.last_change()? {
            Some(entry) if entry.records > LARGE => drop(lane.tell(DataEvent::UndoAsked(entry))),
            Some(_) | None => undo(lane, session)?,
        },
        DataCommand::UndoLarge(change) => match session.last_change()? {
            Some(entry) if entry.id != change => drop(lane.tell(DataEvent::UndoAsked(entry))),
            Some(_) | None => undo(lane, session)?,
        },
        DataCommand::Redo => {
            let entry = session.redo()?;
            lane.tell(DataEvent::Changed { what: format!("redone: {}", entry.what), records: entry.records });
        }
        DataCommand::Import { path, map } => imports::bring_in(lane, vec![path], map, back),
        DataCommand::Mend => checks::mend(lane, session).map_err(SessionError::Reading)?,
        DataCommand::View { .. }
        | DataCommand::Page { .. }
        | DataCommand::Numbers { .. }
        | DataCommand::Export(_)
        | DataCommand::Open(_)
        | DataCommand::PlanImport { .. }
        | DataCommand::Check
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

fn undo(lane: &Lane, session: &mut Session) -> Result<(), SessionError> {
    let entry = session.undo()?;
    lane.tell(DataEvent::Changed { what: format!("undone: {}", entry.what), records: entry.records });
    Ok(())
}

/// Adds a record that a person made. The lane that reads opens it before it looks for its place, so that the cursor
/// goes there.
fn add(
    lane: &Lane,
    session: &mut Session,
    back: &Back,
    what: &str,
    record: Record,
) -> Result<(), SessionError> {
    if let Some(&id) = session.add(what, vec![record])?.first() {
        lane.tell(DataEvent::Changed { what: what.to_owned(), records: 1 });
        lane.tell(DataEvent::Created(id));
        // Gone when the studio is.
        back.reader.send(Ask::Open(id)).ok();
    }
    Ok(())
}
