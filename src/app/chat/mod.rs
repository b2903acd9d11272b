//! The studio's lane for chats: one thread keeps them in the session, one holds the models and writes answers, so
//! that neither a disk nor a model that loads holds up the screen.

mod deal;
mod desk;
mod drafts;
mod elsewhere;
mod keep;
mod library;
mod loaded;
mod passages;
mod sources;
mod undo;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use std::time::Duration;

use self::library::ChatLibrary;
use crate::app::events::Events;
use crate::config::Folders;
use crate::domain::chat::{AnswerOutcome, Answerer, ChatSampling, TurnId, Why};
use crate::domain::cited::{AnswerSources, LibraryUse, SourceMarks};
use crate::domain::message::Message;
use crate::domain::protocol::ChatCommand;
use crate::domain::session::SessionInfo;
use crate::ground::thread;

/// The lanes of one open session. Dropping it ends them, and whatever they write.
pub(crate) struct Chats {
    /// None once the session is left.
    desk: Option<Sender<ChatOrder>>,
    stops: Stops,
    /// Its other end is dropped when the last answer is kept.
    ended: Receiver<()>,
}

impl Drop for Chats {
    fn drop(&mut self) {
        self.leave();
    }
}

/// On the way to the thread that keeps chats.
enum ChatOrder {
    Command(ChatCommand, Epoch),
    /// An answer goes on, and this is what it has come to.
    SoFar {
        turn: TurnId,
        content: String,
    },
    /// The passages that an answer is given from.
    Sourced {
        turn: TurnId,
        sources: Box<AnswerSources>,
    },
    /// An answer ended.
    Ended {
        turn: TurnId,
        content: String,
        outcome: AnswerOutcome,
    },
    /// The session is left: what is written ends and is kept.
    Close,
}

/// An answer to be written.
#[derive(Debug, Clone)]
struct AnswerJob {
    turn: TurnId,
    answerer: Answerer,
    messages: Vec<Message>,
    sampling: ChatSampling,
    library: LibraryUse,
    /// Documents that are always, or never, looked in.
    marks: SourceMarks,
    epoch: Epoch,
}

/// On the way to the thread that writes.
enum Work {
    Load(Vec<Answerer>),
    /// Together: side by side they share a model's steps.
    Write(Vec<AnswerJob>),
}

/// Which question an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Epoch(u64);

/// Tells what is to be stopped. A stop reaches the writer without a queue, and never meets a later question.
#[derive(Debug, Clone, Default)]
struct Stops {
    asked: Arc<AtomicU64>,
    stopped: Arc<AtomicU64>,
    /// Whether the writer is at a model that it loads: that can't be stopped, and nothing is written meanwhile.
    loads: Arc<AtomicBool>,
}

impl Stops {
    fn next(&self) -> Epoch {
        Epoch(self.asked.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn stop(&self) {
        self.stopped.store(self.asked.load(Ordering::Acquire), Ordering::Release);
    }

    fn stopped(&self, epoch: Epoch) -> bool {
        epoch.0 <= self.stopped.load(Ordering::Acquire)
    }

    fn loading<T>(&self, load: impl FnOnce() -> T) -> T {
        self.loads.store(true, Ordering::Release);
        let loaded = load();
        self.loads.store(false, Ordering::Release);
        loaded
    }

    fn is_loading(&self) -> bool {
        self.loads.load(Ordering::Acquire)
    }
}

/// Of an answer that nothing was written of.
const fn unwritten(why: Why) -> AnswerOutcome {
    AnswerOutcome {
        why,
        prompt_tokens: 0,
        cached_tokens: 0,
        tokens: 0,
        tokens_per_second: 0.0,
        first_token_seconds: 0.0,
        context: 0,
    }
}

impl Chats {
    /// Starts the lanes of a session. Models are looked for in the person's folders; nothing is loaded before it is asked
    /// for.
    pub(crate) fn start(info: &SessionInfo, window: &str, folders: &Folders, events: &Events) -> Self {
        let (desk, orders) = thread::queue();
        let (writer, work) = thread::queue();
        let stops = Stops::default();
        let library = ChatLibrary::new(folders.clone(), info.path.clone());
        let models = folders.models();
        let pen = writer::ChatWriter::new(models, library, events.clone(), desk.clone(), stops.clone());
        let (path, window, events) = (info.path.clone(), window.to_owned(), events.clone());
        let own = stops.clone();
        thread::start("chat answer", move || pen.work(&work));
        let (open, ended) = thread::tether();
        thread::start("chat keep", move || {
            desk::work((&path, &window), &events, &orders, (writer, own));
            drop::<SyncSender<()>>(open);
        });
        Self { desk: Some(desk), stops, ended }
    }

    fn leave(&mut self) {
        self.stops.stop();
        if let Some(desk) = self.desk.take() {
            // Already gone where the session could not be opened.
            desk.send(ChatOrder::Close).ok();
        }
    }

    /// Ends the lanes before the program does: waits until what was being written is kept, but no longer than this.
    pub(crate) fn finish(mut self, patience: Duration) {
        self.leave();
        // Nothing is ever sent: an error is the end of the lane, or of patience.
        self.ended.recv_timeout(patience).ok();
    }

    /// Puts a command on its lane.
    pub(crate) fn send(&self, command: ChatCommand) {
        if command == ChatCommand::Stop {
            self.stops.stop();
            return;
        }
        // A lane that is gone has said why in a notice.
        let order = ChatOrder::Command(command, self.stops.next());
        self.desk.as_ref().map(|desk| desk.send(order).ok());
    }
}
