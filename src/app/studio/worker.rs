//! The worker: carries out commands away from the screen and says what came of them. Each lane is a thread with a
//! queue, so that a slow thing only holds up its own kind.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::pull;
use super::runs::RunsLane;
use crate::app::chat::Chats;
use crate::app::documents::Documents;
use crate::app::evaluation::desk::EvaluationDesk;
use crate::app::events::{Events, Opening};
use crate::app::records::Records;
use crate::app::review::Reviews;
use crate::app::rewards::desk::RewardDesk;
use crate::app::{forbidden, imports, jobs, models, sessions};
use crate::config::Folders;
use crate::data::hub::DatasetName;
use crate::data::rows::Format;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{
    Command, Event, ModelsCommand, ModelsEvent, SessionsCommand, SessionsEvent, SystemCommand, SystemEvent,
};
use crate::domain::session::SessionInfo;
use crate::ground::thread;
use crate::session::{Window, open_windows};

/// The lanes.
pub(super) struct StudioWorker {
    desk: Sender<Command>,
    events: Events,
    /// Of the open session.
    records: Option<Records>,
    chats: Option<Chats>,
    /// Of the open session, from the first question on: few sessions have thoughts.
    reviews: OnceCell<Reviews>,
    /// Of the open session, from the first look at its library on.
    documents: OnceCell<Documents>,
    /// Of the open session, from the first look at its reward bench on.
    rewards: OnceCell<RewardDesk>,
    /// Of the open session, from the first look at the evaluations on.
    evaluations: OnceCell<EvaluationDesk>,
    session: Option<SessionInfo>,
    windows: Windows,
    opening: Opening,
    /// The sessions' names by their openings: as many as a person has opened.
    names: BTreeMap<Opening, String>,
    folders: Folders,
    runs: RunsLane,
}

/// Of every session that was open here: what was typed there stays this window's.
#[derive(Debug, Clone, Default)]
struct Windows(Arc<Mutex<BTreeMap<PathBuf, Window>>>);

impl Windows {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<PathBuf, Window>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn open(&self, session: &Path) -> String {
        let window = || Window::open(session);
        self.with(|all| all.entry(session.to_owned()).or_insert_with(window).id().to_owned())
    }

    fn id(&self, session: &Path) -> String {
        self.with(|all| all.get(session).map_or_else(String::new, |window| window.id().to_owned()))
    }

    /// Before a session is renamed or deleted: nobody else may have it open, and what was open here is over.
    fn let_go(&self, session: &Path) -> Result<()> {
        let own = self.id(session);
        ensure!(
            open_windows(session).into_iter().all(|window| window == own),
            "{} is open in another window of the studio: close it there, or open another session in it, first",
            session.file_name().unwrap_or_default().display()
        );
        self.with(|all| drop(all.remove(session)));
        Ok(())
    }
}

/// How long the program waits at its end for an answer that is being stopped, and for what is being written.
const PATIENCE: Duration = Duration::from_secs(2);

impl Drop for StudioWorker {
    fn drop(&mut self) {
        if let Some(records) = self.records.take() {
            records.finish(PATIENCE);
        }
        if let Some(reviews) = self.reviews.take() {
            reviews.finish(PATIENCE);
        }
        if let Some(chats) = self.chats.take() {
            chats.finish(PATIENCE);
        }
        // Now, and not when the desk's thread notices: the next window takes up what was left in this one.
        self.windows.with(BTreeMap::clear);
    }
}

impl StudioWorker {
    pub(super) fn start(folders: Folders, events: Events) -> Self {
        let (desk, commands) = thread::queue();
        let own = events.clone();
        let runs = RunsLane::start(folders.clone(), events.clone());
        let known = folders.clone();
        let windows = Windows::default();
        let shared = windows.clone();
        thread::start("desk", move || StudioDesk { folders, events, windows: shared }.work(&commands));
        Self {
            desk,
            events: own,
            records: None,
            chats: None,
            reviews: OnceCell::new(),
            documents: OnceCell::new(),
            rewards: OnceCell::new(),
            evaluations: OnceCell::new(),
            session: None,
            windows,
            opening: Opening::default(),
            names: BTreeMap::new(),
            folders: known,
            runs,
        }
    }

    /// Puts a command on its lane.
    pub(super) fn send(&self, command: Command) {
        match (command, &self.records, &self.chats) {
            (Command::Data(command), Some(records), _) => records.send(command),
            (Command::Chat(command), _, Some(chats)) => chats.send(command),
            (Command::Review(command), _, _) => {
                if let Some(session) = &self.session {
                    let window = self.windows.id(&session.path);
                    let events = self.events.of(self.opening);
                    let start = || Reviews::start(&self.folders, session, &window, &events);
                    self.reviews.get_or_init(start).send(command);
                }
            }
            (Command::Library(command), _, _) => {
                if let Some(session) = &self.session {
                    let events = self.events.of(self.opening);
                    let start = || Documents::start(session, &self.folders, &events);
                    self.documents.get_or_init(start).send(command);
                }
            }
            (Command::Rewards(command), _, _) => {
                if let Some(session) = &self.session {
                    let events = self.events.of(self.opening);
                    let start = || RewardDesk::start(session, &self.folders, &events);
                    self.rewards.get_or_init(start).send(command);
                }
            }
            (Command::Eval(command), _, _) => {
                if let Some(session) = &self.session {
                    let events = self.events.of(self.opening);
                    let start = || EvaluationDesk::start(session, &self.folders, &events);
                    self.evaluations.get_or_init(start).send(command);
                }
            }
            (Command::Runs(command), _, _) => self.runs.send(command),
            // A lane that is gone has said why in the log.
            (command, _, _) => drop(self.desk.send(command)),
        }
    }

    /// Which opening of a session is the one of now.
    pub(super) const fn opening(&self) -> Opening {
        self.opening
    }

    /// The session that was opened then.
    pub(super) fn name_of(&self, opening: Opening) -> Option<&str> {
        self.names.get(&opening).map(String::as_str)
    }

    /// Tells the lanes which session is open.
    pub(super) fn session_opened(&mut self, session: &SessionInfo) {
        self.opening = self.opening.next();
        self.names.insert(self.opening, session.name.clone());
        let events = self.events.of(self.opening);
        let window = self.windows.open(&session.path);
        self.records = Some(Records::start(session, &window, &events, self.folders.models()));
        self.chats = Some(Chats::start(session, &window, &self.folders, &events));
        self.reviews = OnceCell::new();
        self.documents = OnceCell::new();
        self.rewards = OnceCell::new();
        self.evaluations = OnceCell::new();
        self.session = Some(session.clone());
        self.runs.session_opened(session, events);
        self.send(Command::Models(ModelsCommand::List { runs: Some(session.runs()) }));
    }
}

/// That something could not be done, for the screen and the log.
fn complaint(error: &anyhow::Error) -> Event {
    let said = forbidden::sentence(error);
    tracing::error!("{said}");
    Event::System(SystemEvent::Notified(Notice::new(Level::Error, said)))
}

/// Quick things with files: sessions, settings, lists.
struct StudioDesk {
    folders: Folders,
    events: Events,
    windows: Windows,
}

impl StudioDesk {
    fn work(mut self, commands: &Receiver<Command>) {
        while let Ok(command) = commands.recv() {
            let outcome = self.perform(command).unwrap_or_else(|error| Some(complaint(&error)));
            if outcome.is_some_and(|event| self.events.send(event).is_err()) {
                return;
            }
        }
    }

    fn perform(&mut self, command: Command) -> Result<Option<Event>> {
        match command {
            Command::Models(ModelsCommand::List { runs }) => {
                let listed = models::list(&self.folders, runs.as_deref())?;
                Ok(Some(Event::Models(ModelsEvent::Listed(listed))))
            }
            Command::Models(ModelsCommand::Pull { name, runs }) => {
                pull::start(self.folders.clone(), name, runs, self.events.clone());
                Ok(None)
            }
            Command::Sessions(SessionsCommand::CreateFor(path)) if DatasetName::is_one(&path) => {
                self.make_from_hub(path);
                Ok(None)
            }
            Command::Sessions(command) => self.session(command).map(Some),
            Command::System(SystemCommand::SaveTheme(theme)) => {
                self.folders.save_theme(&theme).map(|()| None)
            }
            Command::System(SystemCommand::StopJob(job)) => {
                jobs::stop(job);
                Ok(Some(Event::System(SystemEvent::JobAskedToStop(job))))
            }
            // These have lanes of their own, and without a session there are neither records nor chats.
            Command::Chat(_)
            | Command::Data(_)
            | Command::Eval(_)
            | Command::Library(_)
            | Command::Review(_)
            | Command::Rewards(_)
            | Command::Runs(_) => Ok(None),
        }
    }

    fn session(&mut self, command: SessionsCommand) -> Result<Event> {
        let opened = match command {
            SessionsCommand::List => {
                return Ok(Event::Sessions(SessionsEvent::Listed(sessions::list(&self.folders)?)));
            }
            SessionsCommand::Open(path) => sessions::open(&path)?,
            SessionsCommand::OpenSample(name) => sessions::open_sample(&self.folders, &name)?,
            SessionsCommand::Create(name) => {
                return Ok(self.made(sessions::create(&self.folders, &name)?, None));
            }
            SessionsCommand::CreateFor(path) => {
                let path = imports::place(&path)?;
                imports::check(&path)?;
                return Ok(self.made(sessions::create_for(&self.folders, &path)?, Some(path)));
            }
            SessionsCommand::Rename { folder, name } => {
                self.windows.let_go(&folder)?;
                sessions::rename(&self.folders, &folder, &name)?;
                return Ok(Event::Sessions(SessionsEvent::Listed(sessions::list(&self.folders)?)));
            }
            SessionsCommand::Delete(folder) => {
                self.windows.let_go(&folder)?;
                sessions::delete(&self.folders, &folder)?;
                return Ok(Event::Sessions(SessionsEvent::Listed(sessions::list(&self.folders)?)));
            }
            SessionsCommand::Complete(typed) => {
                let paths = imports::complete(&typed, |name| Format::of_name(name).is_some());
                return Ok(Event::Sessions(SessionsEvent::Completed { typed, paths }));
            }
        };
        self.remember(&opened.path);
        Ok(Event::Sessions(SessionsEvent::Opened(opened)))
    }

    /// The dataset comes first: a name that leads nowhere leaves no session behind.
    fn make_from_hub(&self, path: PathBuf) {
        let desk = Self {
            folders: self.folders.clone(),
            events: self.events.clone(),
            windows: self.windows.clone(),
        };
        thread::start("hub look-up", move || {
            let made = imports::look_up(&desk.events, &path)
                .with_context(|| format!("no session was made for {}", path.display()))
                .and_then(|()| imports::check(&path))
                .and_then(|()| sessions::create_for(&desk.folders, &path));
            let event = match made {
                Ok(session) => desk.made(session, Some(path)),
                Err(error) => complaint(&error),
            };
            desk.events.send(event).ok();
        });
    }

    /// A session that is there can be worked in, whether or not the next start finds it by itself.
    fn remember(&self, session: &Path) {
        if let Err(error) = self.folders.remember_session(session) {
            tracing::warn!("{error:#}");
        }
    }

    fn made(&self, session: SessionInfo, from: Option<PathBuf>) -> Event {
        self.remember(&session.path);
        Event::Sessions(SessionsEvent::Made(session, from))
    }
}
