//! The queue and whole items; and the watch for what jobs and other processes commit.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::{Lane, bring};
use crate::domain::protocol::ReviewEvent;
use crate::domain::protocol::review::QueueId;
use crate::domain::review::{QueueOrder, Reviewed};
use crate::domain::review_filter::ReviewFilter;
use crate::session::{Access, Session, SessionError};

/// How often the file is asked whether somebody else has written.
const WATCH: Duration = Duration::from_millis(250);

/// Asked of this lane.
pub(super) enum Ask {
    Queue(QueueId, ReviewFilter, QueueOrder),
    Open(Vec<Reviewed>),
    Glance(Vec<Reviewed>),
    /// These were decided on here: read them again, and don't take it for somebody else's doing.
    Touched(Vec<Reviewed>),
    /// A draft was written here: nothing that is counted or listed has changed.
    Drafted,
    /// The queue has other rows than before, by what was done here.
    Anew,
}

pub(super) fn work(lane: &Lane, asks: &Receiver<Ask>, counter: &Sender<()>) {
    let session = match lane.open(Access::Read) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    let rest = (Instant::now(), Duration::ZERO);
    let mut reader = Reader { lane, session, counter, shown: None, open: Vec::new(), rest };
    if let Err(error) = bring::what_a_sample_brings(lane, &reader.session) {
        lane.complain(&error);
    }
    reader.count();
    loop {
        let outcome = match asks.recv_timeout(WATCH) {
            Ok(ask) => reader.answer(ask),
            Err(RecvTimeoutError::Timeout) => reader.watch(),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Err(error) = outcome {
            lane.complain(&error);
        }
    }
}

struct Reader<'l> {
    lane: &'l Lane,
    session: Session,
    counter: &'l Sender<()>,
    shown: Option<(QueueId, ReviewFilter, QueueOrder)>,
    /// What is open: read again when somebody writes.
    open: Vec<Reviewed>,
    /// When the queue was last found, and how long that took: while a job writes, most of the time is for people.
    rest: (Instant, Duration),
}

impl Reader<'_> {
    fn answer(&mut self, ask: Ask) -> Result<(), SessionError> {
        match ask {
            Ask::Queue(queue, filter, order) => {
                self.shown = Some((queue, filter, order));
                self.find()
            }
            Ask::Open(ids) => {
                self.read(&ids)?;
                self.open = ids;
                Ok(())
            }
            Ask::Touched(ids) => {
                self.session.changed_elsewhere()?;
                let open: Vec<_> = ids.into_iter().filter(|id| self.open.contains(id)).collect();
                self.read(&open)?;
                self.count();
                Ok(())
            }
            Ask::Glance(ids) => self.glance(ids),
            Ask::Drafted => self.session.changed_elsewhere().map(|_| ()),
            Ask::Anew => {
                self.session.changed_elsewhere()?;
                self.count();
                self.find()
            }
        }
    }

    fn find(&mut self) -> Result<(), SessionError> {
        let Some((queue, filter, order)) = &self.shown else { return Ok(()) };
        let begun = Instant::now();
        let rows = self.session.review_queue(filter, *order)?;
        let queue = *queue;
        self.rest = (Instant::now(), begun.elapsed());
        self.lane.tell(ReviewEvent::Queued { queue, rows });
        Ok(())
    }

    fn read(&self, ids: &[Reviewed]) -> Result<(), SessionError> {
        for &id in ids {
            let item = match self.session.review_item(id) {
                Err(SessionError::NoSuchRecord(_)) => None,
                other => other?.map(Box::new),
            };
            self.lane.tell(ReviewEvent::Opened(id, item));
        }
        Ok(())
    }

    /// How the rows of a table begin; those that are gone show nothing.
    fn glance(&self, ids: Vec<Reviewed>) -> Result<(), SessionError> {
        let mut seen = Vec::with_capacity(ids.len());
        for id in ids {
            seen.extend(self.session.glimpse(id)?.map(|glimpse| (id, glimpse)));
        }
        self.lane.tell(ReviewEvent::Glanced(seen));
        Ok(())
    }

    fn watch(&mut self) -> Result<(), SessionError> {
        let (last, took) = self.rest;
        if last.elapsed() < took * 4 || !self.session.changed_elsewhere()? {
            return Ok(());
        }
        bring::what_a_sample_brings(self.lane, &self.session)?;
        self.read(&self.open)?;
        self.count();
        self.find()
    }

    fn count(&self) {
        // The lane that counts is gone when the studio is.
        self.counter.send(()).ok();
    }
}
