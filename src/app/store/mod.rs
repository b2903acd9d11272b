//! The only mutable truth of the studio. Facts change in [`Store::apply`] and nowhere else; panes read.
//!
//! Knows no widget and does no input or output.

pub mod chat;
pub mod data;
pub mod evaluations;
mod jobs;
pub mod library;
mod log;
mod notices;
pub mod review;
pub mod rewards;
pub mod runs;

use std::path::PathBuf;

use crate::domain::protocol::models::ModelFile;
use crate::domain::protocol::system::{Level, LogLine, Machine, Notice, StudioPaths};
use crate::domain::protocol::{DataEvent, Event, ModelsEvent, ReviewEvent, SessionsEvent, SystemEvent};
use crate::domain::session::{SessionInfo, SessionSummary};
use crate::domain::settings::Settings;

pub use self::jobs::{JobRow, Jobs, Wish};
pub use self::log::Log;
pub use self::notices::{Notices, Toast};

/// Records that the open session, which was just made, waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRecords {
    /// A file, a folder or a dataset of the hub; nothing: a person says.
    pub from: Option<PathBuf>,
}

/// What is known. Each area has its own part.
#[derive(Debug, Default)]
pub struct Store {
    /// Seconds since 1970, as of the last tick: drawing reads this instead of a clock.
    pub now: f64,
    pub machine: Machine,
    pub settings: Settings,
    pub places: StudioPaths,
    /// The open session; none on the welcome screen.
    pub session: Option<SessionInfo>,
    /// How many times a session was opened: the same one opened anew is read anew.
    pub openings: u64,
    /// Everything that the picker offers. `None` until it was looked for.
    pub sessions: Option<Vec<SessionSummary>>,
    /// What the path that was typed last may become, with what was typed.
    pub completed: Option<(String, Vec<String>)>,
    pub wanted: Option<WantedRecords>,
    /// Models and adapters on disk. `None` until they were looked for.
    pub models: Option<Vec<ModelFile>>,
    /// Conversations of the open session.
    pub chats: chat::Chats,
    /// Records of the open session.
    pub data: data::DataStore,
    /// Reflections of the open session.
    pub review: review::ReviewStore,
    /// The reward bench of the open session.
    pub rewards: rewards::RewardsStore,
    /// Evaluations, whichever session they are of.
    pub evaluations: evaluations::Evaluations,
    /// Documents of the open session.
    pub library: library::LibraryStore,
    pub jobs: Jobs,
    pub notices: Notices,
    pub log: Log,
    pub runs: runs::Runs,
}

impl Store {
    /// Takes in what has happened.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Chat(event) => self.chats.apply(event),
            Event::Data(event) => self.apply_data(event),
            Event::Eval(event) => self.evaluations.apply(event),
            Event::Library(event) => self.library.apply(event),
            Event::Models(ModelsEvent::Listed(models)) => self.models = Some(models),
            Event::Review(event) => self.apply_review(event),
            Event::Rewards(event) => self.rewards.apply(event),
            Event::Runs(event) => {
                self.runs.apply(event);
                self.runs.take_news().into_iter().for_each(|news| self.notify(news));
            }
            Event::Sessions(event) => self.apply_session(event),
            Event::System(event) => self.apply_system(event),
        }
    }

    fn apply_data(&mut self, event: DataEvent) {
        if let DataEvent::Changed { what, records } = &event {
            let text = match records {
                0 => format!("{what}: nothing to change"),
                1 => format!("{what}: 1 record"),
                many => format!("{what}: {many} records"),
            };
            self.notify(Notice::new(Level::Good, text));
        }
        // Those of the session before may still be on their way.
        let stale = |path: &PathBuf| self.session.as_ref().is_some_and(|session| session.path != *path);
        if !matches!(&event, DataEvent::DraftsRead(path, _) if stale(path)) {
            self.data.apply(event);
        }
    }

    fn apply_review(&mut self, event: ReviewEvent) {
        if let ReviewEvent::Refused(why) = &event {
            self.notify(Notice::new(Level::Error, why.clone()));
        }
        self.review.apply(event, self.now);
    }

    fn apply_session(&mut self, event: SessionsEvent) {
        match event {
            SessionsEvent::Listed(sessions) => self.sessions = Some(sessions),
            SessionsEvent::Completed { typed, paths } => self.completed = Some((typed, paths)),
            SessionsEvent::Opened(session) => self.open(session, None),
            SessionsEvent::Made(session, from) => self.open(session, Some(WantedRecords { from })),
        }
    }

    /// The newest job of the open session that goes on and whose words begin so: `import `.
    #[must_use]
    pub fn job_here(&self, beginning: &str) -> Option<&jobs::JobRow> {
        let session = &self.session.as_ref()?.path;
        self.jobs.of(session).rfind(|row| row.job.what.starts_with(beginning))
    }

    /// Nothing of the session before holds.
    fn open(&mut self, session: SessionInfo, wanted: Option<WantedRecords>) {
        self.session = Some(session);
        self.openings += 1;
        self.wanted = wanted;
        self.models = None;
        self.data = data::DataStore::default();
        self.chats = chat::Chats::default();
        self.library = library::LibraryStore::default();
        self.review = review::ReviewStore::default();
        self.rewards = rewards::RewardsStore::default();
    }

    fn apply_system(&mut self, event: SystemEvent) {
        match event {
            SystemEvent::ClockTicked(now) => {
                self.now = now;
                self.notices.expire(now);
            }
            SystemEvent::MachineRead(machine) => self.machine = machine,
            SystemEvent::JobStarted(job) => {
                // One of a session that was left meanwhile is of none that is open.
                let session =
                    self.session.as_ref().filter(|_| job.opening.is_none_or(|of| of == self.openings));
                self.jobs.start(job, session.map(|session| session.path.clone()));
            }
            SystemEvent::JobMoved(id, progress) => self.jobs.advance(id, progress, self.now),
            SystemEvent::JobAskedToStop(id) => self.jobs.ask_to_stop(id),
            SystemEvent::JobEnded(id, end) => {
                let open = self.session.as_ref().map(|session| session.path.as_path());
                if let Some(notice) = self.jobs.end(id, end, open) {
                    self.notify(notice);
                }
            }
            SystemEvent::Notified(notice) => self.notify(notice),
            SystemEvent::Logged(line) => self.log.push(line),
            SystemEvent::SettingsRead(settings) => self.settings = settings,
            SystemEvent::PlacesRead(places) => self.places = places,
        }
    }

    fn notify(&mut self, notice: Notice) {
        self.log.push(LogLine { time: self.now, level: notice.level, text: notice.text.clone() });
        self.notices.push(notice, self.now);
    }
}
