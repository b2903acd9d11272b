//! Changes, one after another.

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

use super::reader::Ask;
use super::{Back, Lane, checks, imports};
use crate::domain::change::{Body, HistoryEntry};
use crate::domain::draft::DraftOf;
use crate::domain::protocol::data::{EditMet, MadeBy};
use crate::domain::protocol::{DataCommand, DataEvent};
use crate::domain::record::{Record, RecordId};
use crate::session::{Access, EditOutcome, Session, SessionError};

/// A change of more records than this is taken back only after a question.
const LARGE: u64 = 20;

pub(super) fn work(lane: &Lane, commands: &Receiver<DataCommand>, back: &Back) {
    let mut session = match lane.open(Access::Write) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    begin(lane, &session, back);
    if let Err(error) = read_drafts(lane, &session) {
        lane.complain(&error);
    }
    let mut own = Own::of(&session);
    while let Ok(command) = commands.recv() {
        let done = match command {
            DataCommand::KeepDraft(of, draft) => {
                let kept = session.keep_text_draft(&of, draft.as_ref());
                // Nothing that is counted or listed has changed, unless somebody else has written too.
                if matches!(session.changed_elsewhere(), Ok(false)) {
                    back.reader.send(Ask::Drafted).ok();
                }
                kept.map(|()| {
                    lane.tell(DataEvent::DraftKept(of, draft));
                })
            }
            command => perform(lane, &mut session, &own, command, back).and_then(|()| {
                back.written();
                own.note(&session)?;
                tell_orphans(lane, &session)
            }),
        };
        if let Err(error) = done {
            lane.complain(&error);
        }
    }
}

/// Which changes were made here: others are taken back only after a question.
struct Own {
    /// The last change when the session was opened.
    before: i64,
    made: BTreeSet<i64>,
}

impl Own {
    fn of(session: &Session) -> Self {
        let last = session.last_change().ok().flatten();
        Self { before: last.map_or(0, |entry| entry.id), made: BTreeSet::new() }
    }

    /// After something was done here.
    fn note(&mut self, session: &Session) -> Result<(), SessionError> {
        let last = session.last_change()?.filter(|entry| entry.id > self.before);
        self.made.extend(last.filter(|entry| entry.who == session.who()).map(|entry| entry.id));
        Ok(())
    }

    fn has_made(&self, session: &Session, entry: &HistoryEntry) -> MadeBy {
        let here = entry.who == session.who() && (entry.id <= self.before || self.made.contains(&entry.id));
        if here { MadeBy::Here } else { MadeBy::Elsewhere }
    }
}

fn read_drafts(lane: &Lane, session: &Session) -> Result<(), SessionError> {
    lane.tell(DataEvent::DraftsRead(lane.info.path.clone(), session.text_drafts()?));
    tell_orphans(lane, session)
}

/// Says which records with drafts aren't there any more.
fn tell_orphans(lane: &Lane, session: &Session) -> Result<(), SessionError> {
    lane.tell(DataEvent::DraftsOrphaned(session.drafts_without_record()?));
    Ok(())
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
    own: &Own,
    command: DataCommand,
    back: &Back,
) -> Result<(), SessionError> {
    match command {
        DataCommand::Change { selection, change } => {
            let records = session.apply(&selection, &change)?;
            lane.tell(DataEvent::Changed { what: change.words(), records });
        }
        DataCommand::Edit { record, over, body } => edit(lane, session, record, &over, body)?,
        DataCommand::Add(body) => {
            let mut record = Record::default();
            body.put(&mut record);
            add(lane, session, back, "new record", record)?;
            forget_draft(lane, session, DraftOf::NewRecord)?;
        }
        DataCommand::Duplicate(id) => {
            let record = copy(session.record(id)?);
            add(lane, session, back, "duplicate", record)?;
        }
        DataCommand::Undo => undo(lane, session, own)?,
        DataCommand::UndoThis(change) => match session.undo_only(change)? {
            Some(entry) => tell_undone(lane, &entry),
            None => ask_to_undo(lane, session, own)?,
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
        | DataCommand::KeepDraft(..)
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

/// Edits a record, and lets go of the draft that was saved; what somebody else made of it meanwhile is asked about.
fn edit(
    lane: &Lane,
    session: &mut Session,
    record: RecordId,
    over: &Body,
    body: Body,
) -> Result<(), SessionError> {
    let (now, by) = match session.edit_over("edit", record, over, &body)? {
        EditOutcome::Done(records) => {
            lane.tell(DataEvent::Changed { what: "edit".to_owned(), records });
            lane.tell(DataEvent::Edited(record));
            return forget_draft(lane, session, DraftOf::Record(record));
        }
        EditOutcome::Moved(now, by) => (Some(*now), by),
        EditOutcome::Gone => (None, None),
    };
    lane.tell(DataEvent::EditMet(Box::new(EditMet { record, body, now, by })));
    Ok(())
}

fn forget_draft(lane: &Lane, session: &mut Session, of: DraftOf) -> Result<(), SessionError> {
    session.keep_text_draft(&of, None)?;
    lane.tell(DataEvent::DraftKept(of, None));
    Ok(())
}

/// Takes back what was made here; else asks.
fn undo(lane: &Lane, session: &mut Session, own: &Own) -> Result<(), SessionError> {
    let Some(entry) = session.last_change()? else { return session.undo().map(drop) };
    if entry.records > LARGE || own.has_made(session, &entry) == MadeBy::Elsewhere {
        return ask_to_undo(lane, session, own);
    }
    match session.undo_only(entry.id)? {
        Some(entry) => tell_undone(lane, &entry),
        None => return ask_to_undo(lane, session, own),
    }
    Ok(())
}

fn ask_to_undo(lane: &Lane, session: &Session, own: &Own) -> Result<(), SessionError> {
    if let Some(entry) = session.last_change()? {
        let by = own.has_made(session, &entry);
        lane.tell(DataEvent::UndoAsked(entry, by));
    }
    Ok(())
}

fn tell_undone(lane: &Lane, entry: &HistoryEntry) {
    lane.tell(DataEvent::Changed { what: format!("undone: {}", entry.what), records: entry.records });
}

/// Adds a record that a person made. The lane that reads opens it before it looks for its place, so that the cursor
/// goes there; and before a person hears of it, who may be at another record right after.
fn add(
    lane: &Lane,
    session: &mut Session,
    back: &Back,
    what: &str,
    record: Record,
) -> Result<(), SessionError> {
    if let Some(&id) = session.add(what, vec![record])?.first() {
        lane.tell(DataEvent::Changed { what: what.to_owned(), records: 1 });
        // Gone when the session is left.
        back.reader.send(Ask::Open(id)).ok();
        lane.tell(DataEvent::Created(id));
    }
    Ok(())
}
