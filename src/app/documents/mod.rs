//! The studio's lanes for the library: one thread reads and lists documents, one searches, one adds and embeds, so that
//! neither a long job nor a model that loads holds up the list or the screen.

mod finder;
mod host;
mod jobs;
mod keeper;

use std::path::PathBuf;
use std::sync::mpsc::Sender;

use self::finder::FindAsk;
use self::jobs::LibraryJob;
use crate::app::events::Events;
use crate::app::library;
use crate::config::Folders;
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{Event, LibraryCommand, LibraryEvent};
use crate::domain::session::SessionInfo;
use crate::ground::thread;

/// The kind of work on a library that one process does at a time.
pub(crate) const ADDING: &str = "adding";

/// The lanes of one open session. Dropping it ends them, after what they are at: files that are being added come in.
pub(crate) struct Documents {
    keeper: Sender<LibraryCommand>,
    finder: Sender<FindAsk>,
    jobs: Sender<LibraryJob>,
}

impl Documents {
    /// Starts the lanes of a session; no library is made before something is added.
    pub(crate) fn start(info: &SessionInfo, folders: &Folders, events: &Events) -> Self {
        let lane = DocumentsLane {
            session: info.path.clone(),
            folder: library::of_session(&info.path),
            folders: folders.clone(),
            events: events.clone(),
        };
        let (keeper, commands) = thread::queue();
        let (finder, questions) = thread::queue();
        let (jobs, waiting) = thread::queue();
        let own = lane.clone();
        thread::start("library keep", move || keeper::work(&own, &commands));
        let own = lane.clone();
        thread::start("library find", move || finder::work(&own, &questions));
        thread::start("library jobs", move || jobs::work(&lane, &waiting));
        Self { keeper, finder, jobs }
    }

    /// Puts a command on its lane.
    pub(crate) fn send(&self, command: LibraryCommand) {
        // A lane that is gone has said why in a notice.
        match command {
            LibraryCommand::Search { search, words } => {
                self.finder.send(FindAsk::Words(search, words)).ok();
            }
            LibraryCommand::Add(path) => drop(self.jobs.send(LibraryJob::Add(path))),
            LibraryCommand::Update => drop(self.jobs.send(LibraryJob::Update)),
            LibraryCommand::Embed(model) => drop(self.jobs.send(LibraryJob::Embed(model))),
            LibraryCommand::Describe { source, context, tags } => {
                self.jobs.send(LibraryJob::Describe { source, context, tags }).ok();
            }
            LibraryCommand::Look => {
                // The first question is answered sooner when the model is there already.
                self.finder.send(FindAsk::Prepare).ok();
                self.keeper.send(command).ok();
            }
            LibraryCommand::Page { .. }
            | LibraryCommand::Complete(_)
            | LibraryCommand::Delete(_)
            | LibraryCommand::Read(_) => drop(self.keeper.send(command)),
        }
    }
}

/// What every lane has.
#[derive(Clone)]
struct DocumentsLane {
    session: PathBuf,
    /// The library's.
    folder: PathBuf,
    folders: Folders,
    events: Events,
}

impl DocumentsLane {
    /// The studio may be gone: nobody needs to know then.
    fn tell(&self, event: LibraryEvent) {
        self.events.send(Event::Library(event)).ok();
    }

    fn complain(&self, error: &anyhow::Error) {
        self.events.notify(Level::Error, format!("{error:#}"));
    }
}
