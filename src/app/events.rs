//! What lanes tell the loop: events on a bounded queue, those of a session with the opening that they are facts of.

use tokio::sync::mpsc;

use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Event, SystemEvent};

/// Where events go. Clones are cheap; threads use it, never the loop itself.
#[derive(Debug, Clone)]
pub struct Events {
    queue: mpsc::Sender<Envelope>,
    /// Whose facts these are, where they are a session's.
    of: Option<Opening>,
}

/// One time that a session was opened: the same session opened again is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Opening(u64);

impl Opening {
    /// Another one, after this.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// An event on its way to the loop.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) event: Event,
    pub(crate) of: Option<Opening>,
}

impl Envelope {
    /// Whether it is a fact of a session that was left since it was told: of a record of another session, or of a view
    /// that nobody looks at any more. What jobs say of themselves holds all the same.
    pub(crate) fn is_outdated(&self, now: Opening) -> bool {
        matches!(
            self.event,
            Event::Chat(_)
                | Event::Data(_)
                | Event::Library(_)
                | Event::Models(_)
                | Event::Review(_)
                | Event::Rewards(_)
                | Event::Runs(_)
        ) && self.of.is_some_and(|of| of != now)
    }
}

/// The studio is gone: nobody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl Events {
    pub(crate) const fn new(queue: mpsc::Sender<Envelope>) -> Self {
        Self { queue, of: None }
    }

    /// Which opening of a session these are facts of.
    pub(crate) fn opening(&self) -> Option<u64> {
        self.of.map(|of| of.0)
    }

    /// The same for the lanes of a session.
    pub(crate) fn of(&self, opening: Opening) -> Self {
        Self { queue: self.queue.clone(), of: Some(opening) }
    }

    /// Hands an event over; waits while the queue is full.
    ///
    /// # Errors
    /// Where the studio is gone: time to stop.
    pub fn send(&self, event: Event) -> Result<(), Gone> {
        self.queue.blocking_send(Envelope { event, of: self.of }).map_err(|_| Gone)
    }

    /// Tells a person something. When the studio is gone nobody needs to know.
    pub fn notify(&self, level: Level, text: impl Into<String>) {
        self.send(Event::System(SystemEvent::Notified(Notice::new(level, text)))).ok();
    }

    /// Hands an event over unless the queue is full.
    pub fn offer(&self, event: Event) {
        // Full or gone: by its name, an offer may be lost.
        self.queue.try_send(Envelope { event, of: self.of }).ok();
    }
}
