//! The lanes of the studio for records: one thread reads pages, one writes, one works out the figures, two cut tokens,
//! so that none holds up another.

mod checks;
mod exports;
mod imports;
mod reader;
mod similar;
mod statistics;
mod tokens;
pub(crate) mod words;
mod writer;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::events::Events;
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{DataCommand, DataEvent, Event};
use crate::domain::record::RecordId;
use crate::domain::session::SessionInfo;
use crate::ground::thread;
use crate::session::{Access, Session, SessionError};

use self::reader::RecordsAsk;
use self::similar::Comparing;
use self::tokens::{Count, Model};

/// The lanes of one open session. Dropping it ends them, after what they are at.
pub(crate) struct Records {
    reader: Sender<RecordsAsk>,
    writer: Sender<DataCommand>,
    shower: Sender<RecordId>,
    counter: Sender<Count>,
    interrupt: Interrupt,
    lane: RecordsLane,
    back: Back,
    comparing: Comparing,
    /// Its other end is dropped when the last change is written.
    ended: Option<Receiver<()>>,
}

impl Drop for Records {
    /// The lane that reads would never end by itself: the others hold its queue, and it holds theirs.
    fn drop(&mut self) {
        self.interrupt.now();
        // Where it is gone already, it has said why.
        self.reader.send(RecordsAsk::End).ok();
    }
}

impl Records {
    /// Opens the session's database (it is made where there is none) and starts the lanes.
    pub(crate) fn start(info: &SessionInfo, window: &str, events: &Events, models: PathBuf) -> Self {
        let (reader, asks) = thread::queue();
        let (writer, commands) = thread::queue();
        let (figures, questions) = thread::queue();
        let (shower, shown) = thread::queue();
        let (counter, counts) = thread::queue();
        let (open, ended) = thread::tether();
        let interrupt = Interrupt::default();
        let (info, window) = (info.clone(), window.to_owned());
        let model = Arc::new(Model::new(models.clone(), info.file.model.clone()));
        let lane = RecordsLane {
            info,
            window,
            events: events.clone(),
            models,
            made: Arc::default(),
            changes: Arc::default(),
        };
        let handle = interrupt.clone();
        let first = lane.clone();
        let back = Back { reader: reader.clone(), counter: counter.clone() };
        let told = back.clone();
        thread::start("data read", move || {
            // Said once, and not by every lane.
            if let Err(error) = first.make() {
                first.complain(&error);
                return;
            }
            let (lane, from) = (first.clone(), Arc::clone(&model));
            thread::start("data tokens", move || tokens::show(&lane, &from, &shown));
            let (lane, again) = (first.clone(), back.reader.clone());
            thread::start("data count", move || tokens::count(&lane, &model, &counts, &again));
            let lane = first.clone();
            thread::start("data figures", move || statistics::work(&lane, &questions));
            let (lane, after) = (first.clone(), back.clone());
            thread::start("data write", move || {
                writer::work(&lane, &commands, &after);
                drop::<SyncSender<()>>(open);
            });
            reader::work(&first, &asks, &handle, &figures, &back.counter);
        });
        let comparing = Comparing::default();
        Self { reader, writer, shower, counter, interrupt, lane, back: told, comparing, ended: Some(ended) }
    }

    /// Ends the lanes before the program does: waits until what was written is on the disk, but no longer than this.
    pub(crate) fn finish(mut self, patience: Duration) {
        let ended = self.ended.take();
        drop(self);
        // Nothing is ever sent: an error is the end of the lane, or of patience.
        ended.map(|ended| ended.recv_timeout(patience).ok());
    }

    /// Puts a command on its lane.
    pub(crate) fn send(&self, command: DataCommand) {
        let ask = match command {
            DataCommand::View { view, filter, order } => {
                // The search for an older view is of no use any more.
                self.interrupt.now();
                RecordsAsk::View { view, filter, order }
            }
            DataCommand::Page { view, generation, positions } => {
                RecordsAsk::Page { view, generation, positions }
            }
            DataCommand::Numbers { view, generation, positions } => {
                RecordsAsk::Numbers { view, generation, positions }
            }
            DataCommand::Open(id) => RecordsAsk::Open(id),
            DataCommand::Tokens(id) => {
                self.shower.send(id).ok();
                return;
            }
            DataCommand::PlanImport { path, map } => return imports::plan(&self.lane, path, map),
            DataCommand::Export(order) => return exports::export(&self.lane, *order),
            DataCommand::Compare => return similar::compare(&self.lane, &self.back, &self.comparing),
            DataCommand::Check => return checks::check(&self.lane, &self.back),
            DataCommand::CountTokens => {
                self.counter.send(Count::Asked).ok();
                return;
            }
            other => {
                // A lane that is gone has said why in a notice.
                self.writer.send(other).ok();
                return;
            }
        };
        self.reader.send(ask).ok();
    }
}

/// Whom a lane tells that it has written.
#[derive(Clone)]
struct Back {
    reader: Sender<RecordsAsk>,
    counter: Sender<Count>,
}

impl Back {
    /// Records or texts may be new. A lane that is gone is gone with the studio.
    fn written(&self) {
        self.reader.send(RecordsAsk::Refresh).ok();
        self.counter.send(Count::Changed).ok();
    }
}

/// What every lane has.
#[derive(Clone)]
struct RecordsLane {
    info: SessionInfo,
    /// Whose drafts these are: [`crate::session::Window`].
    window: String,
    events: Events,
    /// Where models are on this machine.
    models: PathBuf,
    /// Whether the database is there. A key can be faster than the thread that starts the lanes.
    made: Arc<Mutex<bool>>,
    /// Changes that this window has made, whichever thread did.
    changes: Arc<Mutex<BTreeSet<i64>>>,
}

impl RecordsLane {
    /// Opens the session's database, which is made if there is none.
    fn open(&self, access: Access) -> Result<Session, SessionError> {
        self.make()?;
        Ok(Session::open(&self.info.path, access)?.in_window(&self.window))
    }

    /// Notes the last change as one that was made here, if it came after this one.
    fn note_change(&self, session: &Session, before: i64) -> Result<(), SessionError> {
        let last = session.last_change()?.filter(|entry| entry.id > before && entry.who == session.who());
        self.changes().extend(last.map(|entry| entry.id));
        Ok(())
    }

    fn changes(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self) -> Result<(), SessionError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !*made {
            Session::create(&self.info.path)?;
            *made = true;
        }
        Ok(())
    }

    /// Says what went wrong. Being interrupted is not wrong.
    fn complain(&self, error: &SessionError) {
        if matches!(error, SessionError::Cancelled) {
            return;
        }
        self.notify(Level::Error, error.to_string());
    }

    fn notify(&self, level: Level, text: String) {
        self.events.notify(level, text);
    }

    fn tell(&self, event: DataEvent) -> bool {
        self.events.send(Event::Data(event)).is_ok()
    }

    /// The records that a sample brings along: a file in the session's folder.
    fn files(&self) -> Vec<PathBuf> {
        [self.info.path.join("data.jsonl")].into_iter().filter(|path| path.is_file()).collect()
    }
}

/// Stops the reader's query from another thread.
#[derive(Clone, Default)]
struct Interrupt(Arc<Mutex<Option<rusqlite::InterruptHandle>>>);

impl Interrupt {
    fn set(&self, session: &Session) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.interrupter());
    }

    fn now(&self) {
        if let Some(handle) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            handle.interrupt();
        }
    }
}
