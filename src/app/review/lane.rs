//! The lanes of the studio for reviews: one thread reads, one writes, one counts, so that a decision is on disk and the
//! next item on the screen before anything long is done. Each job has a thread of its own.

mod counter;
mod reader;
mod sample_import;
mod writer;

use std::sync::mpsc::{Receiver, Sender, SyncSender};
use std::time::Duration;

use crate::app::events::Events;
use crate::config::Folders;
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{Event, ReviewCommand, ReviewEvent};
use crate::domain::session::SessionInfo;
use crate::ground::thread;
use crate::session::{Access, Session, SessionError};

use self::reader::ReviewAsk;

/// The lanes of one open session. Dropping it ends them; a job goes on to its end.
pub(crate) struct Reviews {
    reader: Sender<ReviewAsk>,
    writer: Sender<ReviewCommand>,
    /// Its other end is dropped when the last decision is written.
    ended: Receiver<()>,
}

impl Reviews {
    /// Opens the session's database and starts the lanes.
    pub(crate) fn start(folders: &Folders, info: &SessionInfo, window: &str, events: &Events) -> Self {
        let (reader, asks) = thread::queue();
        let (writer, commands) = thread::queue();
        let (counter, questions) = thread::queue();
        let (open, ended) = thread::tether();
        let (info, window) = (info.clone(), window.to_owned());
        let lane = ReviewLane { folders: folders.clone(), info, window, events: events.clone() };
        let refresh = reader.clone();
        thread::start("review read", move || {
            // Made by one thread before the others look for it.
            if let Err(error) = Session::create(&lane.info.path) {
                lane.complain(&error);
                return;
            }
            let (second, third) = (lane.clone(), lane.clone());
            thread::start("review count", move || counter::work(&second, &questions));
            // Before anything is read: it watches for what others write from here on.
            match lane.open(Access::Write) {
                Ok(session) => drop(thread::start("review write", move || {
                    writer::work(&third, session, &commands, &refresh);
                    drop::<SyncSender<()>>(open);
                })),
                Err(error) => {
                    lane.complain(&error);
                    drop::<SyncSender<()>>(open);
                }
            }
            reader::work(&lane, &asks, &counter);
        });
        Self { reader, writer, ended }
    }

    /// Ends the lanes before the program does: waits until what was written is on the disk, but no longer than this.
    pub(crate) fn finish(self, patience: Duration) {
        let Self { writer, ended, .. } = self;
        drop(writer);
        // Nothing is ever sent: an error is the end of the lane, or of patience.
        ended.recv_timeout(patience).ok();
    }

    /// Puts a command on its lane.
    pub(crate) fn send(&self, command: ReviewCommand) {
        let ask = match command {
            ReviewCommand::Queue { queue, filter, order } => ReviewAsk::Queue(queue, filter, order),
            ReviewCommand::Open(ids) => ReviewAsk::Open(ids),
            ReviewCommand::Glance(ids) => ReviewAsk::Glance(ids),
            other => {
                // A lane that is gone has said why in a notice.
                self.writer.send(other).ok();
                return;
            }
        };
        self.reader.send(ask).ok();
    }
}

/// What every lane has.
#[derive(Clone)]
struct ReviewLane {
    folders: Folders,
    info: SessionInfo,
    /// Whose drafts these are.
    window: String,
    events: Events,
}

impl ReviewLane {
    fn open(&self, access: Access) -> Result<Session, SessionError> {
        Ok(Session::open(&self.info.path, access)?.in_window(&self.window))
    }

    fn complain(&self, error: &SessionError) {
        self.notify(Level::Error, error.to_string());
    }

    fn notify(&self, level: Level, text: String) {
        self.events.notify(level, text);
    }

    fn tell(&self, event: ReviewEvent) {
        // The studio is gone: nobody needs to know.
        self.events.send(Event::Review(event)).ok();
    }
}
