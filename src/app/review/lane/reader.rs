//! The queue and whole items, again when something was written.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::{ReviewLane, sample_import};
use crate::domain::protocol::ReviewEvent;
use crate::domain::protocol::review::QueueId;
use crate::domain::review::{QueueOrder, Reviewed};
use crate::domain::review_filter::ReviewFilter;
use crate::session::{Access, Session, SessionError};

/// How soon what was put off is done.
const REST: Duration = Duration::from_millis(250);

/// Asked of this lane.
pub(super) enum ReviewAsk {
    Queue(QueueId, ReviewFilter, QueueOrder),
    Open(Vec<Reviewed>),
    Glance(Vec<Reviewed>),
    /// These were decided on here: read them again.
    Touched(Vec<Reviewed>),
    /// A job or another program has written: look again, but not all the time while it goes on.
    Elsewhere,
    /// The queue has other rows than before, by what was done here.
    Anew,
}

pub(super) fn work(lane: &ReviewLane, asks: &Receiver<ReviewAsk>, counter: &Sender<()>) {
    let session = match lane.open(Access::Read) {
        Ok(session) => session,
        Err(error) => return lane.complain(&error),
    };
    let rest = (Instant::now(), Duration::ZERO);
    let mut reader =
        ReviewReader { lane, session, counter, shown: None, open: Vec::new(), rest, is_stale: false };
    if let Err(error) = sample_import::import_sample(lane, &reader.session) {
        lane.complain(&error);
    }
    reader.count();
    loop {
        let outcome = match asks.recv_timeout(REST) {
            Ok(ask) => reader.answer(ask),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if let Err(error) = outcome.and_then(|()| reader.catch_up()) {
            lane.complain(&error);
        }
    }
}

struct ReviewReader<'l> {
    lane: &'l ReviewLane,
    session: Session,
    counter: &'l Sender<()>,
    shown: Option<(QueueId, ReviewFilter, QueueOrder)>,
    /// What is open: read again when somebody writes.
    open: Vec<Reviewed>,
    /// When the queue was last found, and how long that took: while a job writes, most of the time is for people.
    rest: (Instant, Duration),
    /// Whether somebody else has written since the queue was found.
    is_stale: bool,
}

impl ReviewReader<'_> {
    fn answer(&mut self, ask: ReviewAsk) -> Result<(), SessionError> {
        match ask {
            ReviewAsk::Queue(queue, filter, order) => {
                self.shown = Some((queue, filter, order));
                self.find()
            }
            ReviewAsk::Open(ids) => {
                self.read(&ids)?;
                self.open = ids;
                Ok(())
            }
            ReviewAsk::Touched(ids) => {
                let open: Vec<_> = ids.into_iter().filter(|id| self.open.contains(id)).collect();
                self.read(&open)?;
                self.count();
                Ok(())
            }
            ReviewAsk::Glance(ids) => self.glance(ids),
            ReviewAsk::Elsewhere => {
                self.is_stale = true;
                Ok(())
            }
            ReviewAsk::Anew => {
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

    /// Looks at what somebody else has written, once there was time for people.
    fn catch_up(&mut self) -> Result<(), SessionError> {
        let (last, took) = self.rest;
        if !self.is_stale || last.elapsed() < took * 4 {
            return Ok(());
        }
        self.is_stale = false;
        sample_import::import_sample(self.lane, &self.session)?;
        self.read(&self.open)?;
        self.count();
        self.find()
    }

    fn count(&self) {
        // The lane that counts is gone when the studio is.
        self.counter.send(()).ok();
    }
}
