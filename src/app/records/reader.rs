//! Views, pages and whole records, again when something was written.

use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::tokens::Count;
use super::{Interrupt, RecordsLane};
use crate::domain::filter::Filter;
use crate::domain::protocol::DataEvent;
pub(super) use crate::domain::protocol::data::beginning;
use crate::domain::protocol::data::{Generation, Opened, RowSummary, ViewCount, ViewId, Viewed};
use crate::domain::record::RecordId;
use crate::domain::view::SortOrder;
use crate::session::{Access, RecordRow, Session, SessionError, View};

/// How often it is looked whether the file is still there.
const WATCH: Duration = Duration::from_millis(250);
/// Rows that are shown before the whole view is known.
const FIRST: usize = 200;

/// Asked of this lane.
pub(super) enum RecordsAsk {
    View {
        view: ViewId,
        filter: Filter,
        order: SortOrder,
    },
    Page {
        view: ViewId,
        generation: Generation,
        positions: Range<usize>,
    },
    Numbers {
        view: ViewId,
        generation: Generation,
        positions: Range<usize>,
    },
    Open(RecordId),
    /// A person has made this record: tell of it, and open it.
    Created(RecordId),
    /// Something was written here: look again.
    Refresh,
    /// Somebody else has written: look again, but not all the time while they go on.
    Elsewhere,
    /// The session is left.
    End,
}

/// What the view is of: for the lane that counts.
pub(super) type ViewFilter = (ViewId, Filter);

pub(super) fn work(
    lane: &RecordsLane,
    asks: &Receiver<RecordsAsk>,
    interrupt: &Interrupt,
    figures: &Sender<ViewFilter>,
    counter: &Sender<Count>,
) {
    let session = match lane.open(Access::Read) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    interrupt.set(&session);
    let mut reader = RecordsReader {
        lane,
        session,
        figures,
        counter,
        shown: None,
        generation: Generation(0),
        page: None,
        cursor: None,
        rest: (Instant::now(), Duration::ZERO),
        is_stale: false,
        told_gone: false,
    };
    loop {
        let outcome = match asks.recv_timeout(WATCH) {
            Ok(RecordsAsk::End) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(ask) => reader.answer(ask),
            Err(RecvTimeoutError::Timeout) => reader.watch(),
        };
        if let Err(error) = outcome.and_then(|()| reader.catch_up()) {
            lane.complain(&error);
        }
    }
}

struct ShownView {
    id: ViewId,
    filter: Filter,
    order: SortOrder,
    view: View,
}

struct RecordsReader<'l> {
    lane: &'l RecordsLane,
    session: Session,
    figures: &'l Sender<ViewFilter>,
    /// Told when somebody else has written: there may be texts without a count of tokens.
    counter: &'l Sender<Count>,
    shown: Option<ShownView>,
    generation: Generation,
    /// The positions that were read last: those on the screen.
    page: Option<Range<usize>>,
    /// The record that was opened last: where it stands is told with every view.
    cursor: Option<RecordId>,
    /// When the view was last found, and how long that took: while somebody imports, most of the time is for pages.
    rest: (Instant, Duration),
    /// Whether somebody else has written since the view was found.
    is_stale: bool,
    /// Whether it was said that the session is no longer at its place.
    told_gone: bool,
}

impl RecordsReader<'_> {
    fn answer(&mut self, ask: RecordsAsk) -> Result<(), SessionError> {
        match ask {
            RecordsAsk::View { view, filter, order } => self.view(view, filter, order),
            RecordsAsk::Page { view, generation, positions } => self.page(view, generation, positions),
            RecordsAsk::Numbers { view, generation, positions } => {
                self.numbers(view, generation, positions);
                Ok(())
            }
            RecordsAsk::Open(id) => self.open(id),
            // Told before it is on the screen: the next key is for it, and not for the record that was there before.
            RecordsAsk::Created(id) => {
                self.lane.tell(DataEvent::Created(id));
                self.open(id)
            }
            RecordsAsk::Refresh => self.refresh(),
            RecordsAsk::Elsewhere => {
                self.is_stale = true;
                // Gone when the studio is.
                self.counter.send(Count::Changed).ok();
                Ok(())
            }
            RecordsAsk::End => Ok(()),
        }
    }

    fn view(&mut self, id: ViewId, filter: Filter, order: SortOrder) -> Result<(), SessionError> {
        let same = self.shown.as_ref().is_some_and(|shown| shown.filter == filter);
        if !same && filter != Filter::Everything {
            // Something else was asked for: it is looked at from its top.
            self.cursor = None;
        }
        self.shown = Some(ShownView { id, filter, order, view: View::default() });
        self.page = None;
        if order == SortOrder::default() {
            self.show_beginning(id)?;
        }
        self.find()
    }

    /// What can be shown at once: matches in the order of their numbers come as they are found.
    fn show_beginning(&mut self, id: ViewId) -> Result<(), SessionError> {
        let Some(shown) = &mut self.shown else { return Ok(()) };
        shown.view = self.session.first(&shown.filter, FIRST)?;
        let count = shown.view.len();
        let found = if count < FIRST { ViewCount::All(count) } else { ViewCount::AtLeast(count) };
        self.tell_view(found)?;
        self.page(id, self.generation, 0..FIRST)
    }

    fn find(&mut self) -> Result<(), SessionError> {
        let Some(shown) = &mut self.shown else { return Ok(()) };
        let begun = Instant::now();
        shown.view = self.session.view(&shown.filter, shown.order)?;
        self.rest = (Instant::now(), begun.elapsed());
        let count = shown.view.len();
        let question = (shown.id, shown.filter.clone());
        self.tell_view(ViewCount::All(count))?;
        // The lane that works out figures is gone when the studio is.
        self.figures.send(question).ok();
        Ok(())
    }

    fn tell_view(&mut self, found: ViewCount) -> Result<(), SessionError> {
        let Some(shown) = &self.shown else { return Ok(()) };
        self.generation.0 += 1;
        let cursor = self.cursor.and_then(|cursor| Some((cursor, shown.view.position(cursor.0)?)));
        let records = self.session.total()?;
        let viewed = Viewed { view: shown.id, generation: self.generation, found, records, cursor };
        self.lane.tell(DataEvent::Viewed(viewed));
        let state = self.session.index_state()?;
        self.lane.tell(DataEvent::Indexed { done: state.done, total: state.total });
        Ok(())
    }

    fn page(
        &mut self,
        view: ViewId,
        generation: Generation,
        positions: Range<usize>,
    ) -> Result<(), SessionError> {
        let Some(shown) = self.shown.as_ref().filter(|shown| shown.id == view) else { return Ok(()) };
        // Asked of an older state: a newer question follows, for what is there now.
        if generation != self.generation {
            return Ok(());
        }
        self.page = Some(positions.clone());
        let start = positions.start;
        let rows = match shown.view.rows(&self.session, positions.clone()) {
            // Meant for a search that was over already.
            Err(SessionError::Cancelled) => shown.view.rows(&self.session, positions)?,
            other => other?,
        };
        let rows = rows.iter().map(summary).collect();
        self.lane.tell(DataEvent::PageRead { view, generation, start, rows });
        Ok(())
    }

    /// Which records are at some positions. Silent for a state that is no more: what was chosen there is not there.
    fn numbers(&self, view: ViewId, generation: Generation, positions: Range<usize>) {
        let Some(shown) = self.shown.as_ref().filter(|shown| shown.id == view) else { return };
        if generation != self.generation {
            return;
        }
        let all = shown.view.ids();
        let range = positions.start.min(all.len())..positions.end.min(all.len());
        let ids = all.get(range).unwrap_or_default().iter().copied().map(RecordId).collect();
        self.lane.tell(DataEvent::NumbersRead { view, generation, positions, ids });
    }

    fn open(&mut self, id: RecordId) -> Result<(), SessionError> {
        self.cursor = Some(id);
        let row = match self.session.rows(&[id.0]) {
            Err(SessionError::Cancelled) => self.session.rows(&[id.0])?,
            other => other?,
        };
        let opened = match row.into_iter().next() {
            Some(row) => {
                let history = self.session.history_of(id)?;
                let findings = self.session.findings_of(id)?;
                Some(Box::new(Opened { record: row.record, tokens: row.tokens, history, findings }))
            }
            None => None,
        };
        self.lane.tell(DataEvent::Opened(id, opened));
        Ok(())
    }

    fn watch(&mut self) -> Result<(), SessionError> {
        if let Err(gone) = self.session.is_there() {
            return if std::mem::replace(&mut self.told_gone, true) { Ok(()) } else { Err(gone) };
        }
        self.told_gone = false;
        Ok(())
    }

    /// Looks at what somebody else has written, once there was time for pages.
    fn catch_up(&mut self) -> Result<(), SessionError> {
        let (last, took) = self.rest;
        if self.is_stale && last.elapsed() >= took * 4 { self.refresh() } else { Ok(()) }
    }

    fn refresh(&mut self) -> Result<(), SessionError> {
        self.is_stale = false;
        if let Some(cursor) = self.cursor {
            self.open(cursor)?;
        }
        self.reread()?;
        self.find()
    }

    /// The rows on the screen as they are now, before the whole is looked for again. Where one is gone, the others'
    /// places have to be found first.
    fn reread(&mut self) -> Result<(), SessionError> {
        let (Some(shown), Some(positions)) = (&self.shown, &self.page) else { return Ok(()) };
        let start = positions.start;
        let rows = shown.view.rows(&self.session, positions.clone())?;
        if rows.len() == positions.len().min(shown.view.len().saturating_sub(start)) {
            let (view, generation) = (shown.id, self.generation);
            let rows = rows.iter().map(summary).collect();
            self.lane.tell(DataEvent::PageRead { view, generation, start, rows });
        }
        Ok(())
    }
}

fn summary(row: &RecordRow) -> RowSummary {
    RowSummary {
        tokens: row.tokens,
        score: row.score,
        characters: row.characters,
        edited: row.edited,
        ..RowSummary::of(row.id, &row.record)
    }
}
