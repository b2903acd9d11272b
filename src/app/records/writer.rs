//! Changes, one after another; and the watch for what other lanes, windows and programs commit.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::reader::RecordsAsk;
use super::{Back, RecordsLane, checks, imports};
use crate::app::unkept::UnkeptDrafts;
use crate::domain::change::{Body, HistoryEntry};
use crate::domain::draft::{DraftOf, OtherDraft};
use crate::domain::protocol::data::{EditMet, MadeBy};
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{DataCommand, DataEvent};
use crate::domain::record::{Record, RecordId};
use crate::session::{Access, EditOutcome, Session, SessionError};

/// A change of more records than this is taken back only after a question.
const LARGE: u64 = 20;

pub(super) fn work(lane: &RecordsLane, commands: &Receiver<DataCommand>, back: &Back) {
    let mut session = match lane.open(Access::Write) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    if session.is_read_only() {
        let why = if session.is_on_a_full_disk() {
            "the disk is full, so the session can only be read until there is room and it is opened again"
        } else {
            "this session can only be read"
        };
        let words = "records, reviews and chats can be looked at, nothing is saved or kept";
        lane.notify(Level::Warning, format!("{why}: {words}"));
    }
    begin(lane, &session, back);
    let mut others = OtherDrafts::default();
    if let Err(error) = others.read(lane, &mut session) {
        lane.complain(&error);
    }
    let own = Own::of(&session);
    let mut unkept = UnkeptDrafts::default();
    loop {
        let next = commands.recv_timeout(WATCH);
        others.see(&mut session, back);
        let command = match next {
            Ok(command) => command,
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                others.watch(lane, &mut session);
                for (of, draft) in unkept.again(&mut session) {
                    lane.tell(DataEvent::DraftKept(of, draft));
                }
                continue;
            }
        };
        let of = saved(&command);
        let done = match command {
            // Nothing that is counted or listed changes.
            DataCommand::KeepDraft(of, draft) => {
                others.look |= draft.is_none();
                unkept.keep(&mut session, &of, draft.clone()).map(|()| {
                    lane.tell(DataEvent::DraftKept(of, draft));
                })
            }
            command => perform(lane, &mut session, &own, command, back).and_then(|()| {
                back.written();
                others.look = true;
                lane.note_change(&session, own.before)?;
                tell_orphans(lane, &session)
            }),
        };
        if let Err(error) = done {
            of.map(|of| lane.tell(DataEvent::NotSaved(of)));
            lane.complain(&error);
        }
    }
}

/// What a command would save, if it is one that saves what was written.
fn saved(command: &DataCommand) -> Option<DraftOf> {
    if let DataCommand::Edit { record, .. } | DataCommand::AddInstead(record, _) = command {
        return Some(DraftOf::Record(*record));
    }
    matches!(command, DataCommand::Add(_)).then_some(DraftOf::NewRecord)
}

/// How often the file is asked whether somebody else has written. This connection is asked, which knows its own writing.
const WATCH: Duration = Duration::from_millis(250);
/// How often it is asked what other windows have begun and left.
const LOOK: Duration = Duration::from_secs(1);

/// What was begun elsewhere, as it was told last.
#[derive(Default)]
struct OtherDrafts {
    told: BTreeMap<DraftOf, OtherDraft>,
    /// When it was looked last.
    last: Option<Instant>,
    /// Whether somebody else has written, or a draft of this window is gone: another one may take its place.
    look: bool,
    /// Whether the last look failed: that is said once.
    failed: bool,
}

impl OtherDrafts {
    /// Takes up what windows that are gone have left, and tells of everything that was begun.
    fn read(&mut self, lane: &RecordsLane, session: &mut Session) -> Result<(), SessionError> {
        if !session.is_read_only() {
            session.take_up_drafts()?;
        }
        lane.tell(DataEvent::DraftsRead(lane.info.path.clone(), session.drafts()?));
        self.tell(lane, session)?;
        tell_orphans(lane, session)
    }

    fn tell(&mut self, lane: &RecordsLane, session: &Session) -> Result<(), SessionError> {
        let others = session.other_drafts()?;
        if others != self.told {
            self.told.clone_from(&others);
            lane.tell(DataEvent::OtherDraftsRead(others));
        }
        Ok(())
    }

    /// Whether somebody else has written: what is on the screen is read again then.
    fn see(&mut self, session: &mut Session, back: &Back) {
        if session.changed_elsewhere().unwrap_or(false) {
            self.look = true;
            // The lane that reads is gone when the studio is.
            back.reader.send(RecordsAsk::Elsewhere).ok();
        }
    }

    /// Once in a while: a window may have been closed, or have begun something.
    fn watch(&mut self, lane: &RecordsLane, session: &mut Session) {
        let waits = !self.told.is_empty();
        let rests = self.last.is_some_and(|last| last.elapsed() < LOOK);
        if rests || session.is_read_only() || !(waits || std::mem::take(&mut self.look)) {
            return;
        }
        self.last = Some(Instant::now());
        let looked = match session.take_up_drafts() {
            Ok(true) => self.read(lane, session),
            Ok(false) => self.tell(lane, session),
            Err(error) => Err(error),
        };
        if let (Err(error), false) = (&looked, self.failed) {
            tracing::warn!("{error}");
        }
        self.failed = looked.is_err();
    }
}

/// Which changes were made here: others are taken back only after a question.
struct Own {
    /// The last change when the session was opened.
    before: i64,
}

impl Own {
    fn of(session: &Session) -> Self {
        let last = session.last_change().ok().flatten();
        Self { before: last.map_or(0, |entry| entry.id) }
    }

    fn has_made(&self, lane: &RecordsLane, session: &Session, entry: &HistoryEntry) -> MadeBy {
        let here = entry.id <= self.before || lane.changes().contains(&entry.id);
        if here && entry.who == session.who() { MadeBy::Here } else { MadeBy::Elsewhere }
    }
}

/// Says which records with drafts aren't there any more.
fn tell_orphans(lane: &RecordsLane, session: &Session) -> Result<(), SessionError> {
    lane.tell(DataEvent::DraftsOrphaned(session.drafts_without_record()?));
    Ok(())
}

/// What a session that was just opened still wants: the files that it names, or the rest of its index.
fn begin(lane: &RecordsLane, session: &Session, back: &Back) {
    let untouched = session.imports().is_ok_and(|imports| imports.is_empty());
    let files = if untouched { lane.files() } else { Vec::new() };
    let behind = session.index_state().is_ok_and(|state| !state.complete());
    if session.is_read_only() {
        back.reader.send(RecordsAsk::Refresh).ok();
    } else if !files.is_empty() || behind {
        imports::bring_in(lane, files, Vec::new(), back);
    } else {
        back.written();
    }
}

fn perform(
    lane: &RecordsLane,
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
        DataCommand::AddInstead(gone, body) => {
            let mut record = Record::default();
            body.put(&mut record);
            let added = session.add("new record", vec![record])?;
            // First of all: the draft of the deleted one is done with when the new one is seen.
            lane.tell(DataEvent::Edited(gone));
            tell_added(lane, back, "new record", &added);
            forget_draft(lane, session, DraftOf::Record(gone))?;
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
        | DataCommand::CountTokens
        | DataCommand::Compare => {}
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
    lane: &RecordsLane,
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

fn forget_draft(lane: &RecordsLane, session: &mut Session, of: DraftOf) -> Result<(), SessionError> {
    session.keep_draft(&of, None)?;
    lane.tell(DataEvent::DraftKept(of, None));
    Ok(())
}

/// Takes back what was made here; else asks.
fn undo(lane: &RecordsLane, session: &mut Session, own: &Own) -> Result<(), SessionError> {
    let Some(entry) = session.last_change()? else { return session.undo().map(drop) };
    if entry.records > LARGE || own.has_made(lane, session, &entry) == MadeBy::Elsewhere {
        return ask_to_undo(lane, session, own);
    }
    match session.undo_only(entry.id)? {
        Some(entry) => tell_undone(lane, &entry),
        None => return ask_to_undo(lane, session, own),
    }
    Ok(())
}

fn ask_to_undo(lane: &RecordsLane, session: &Session, own: &Own) -> Result<(), SessionError> {
    if let Some(entry) = session.last_change()? {
        let by = own.has_made(lane, session, &entry);
        lane.tell(DataEvent::UndoAsked(entry, by));
    }
    Ok(())
}

fn tell_undone(lane: &RecordsLane, entry: &HistoryEntry) {
    lane.tell(DataEvent::Changed { what: format!("undone: {}", entry.what), records: entry.records });
}

/// Adds a record that a person made. The lane that reads opens it before it looks for its place, so that the cursor
/// goes there; and before a person hears of it, who may be at another record right after.
fn add(
    lane: &RecordsLane,
    session: &mut Session,
    back: &Back,
    what: &str,
    record: Record,
) -> Result<(), SessionError> {
    let added = session.add(what, vec![record])?;
    tell_added(lane, back, what, &added);
    Ok(())
}

fn tell_added(lane: &RecordsLane, back: &Back, what: &str, added: &[RecordId]) {
    if let Some(&id) = added.first() {
        lane.tell(DataEvent::Changed { what: what.to_owned(), records: 1 });
        // Gone when the session is left.
        back.reader.send(RecordsAsk::Created(id)).ok();
    }
}
