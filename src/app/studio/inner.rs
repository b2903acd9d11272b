//! What the studio is apart from its screen: panes, store, worker and the events between them.

use std::sync::mpsc::SyncSender;

use tokio::sync::mpsc;

use super::worker::StudioWorker;
use super::{First, logging, machine, now, themes};
use crate::app::events::{Envelope, Events};
use crate::app::sessions;
use crate::app::store::Store;
use crate::config::Folders;
use crate::domain::protocol::system::{Level, Notice, StudioPaths};
use crate::domain::protocol::{
    Command, DataEvent, Event, ReviewEvent, RunsCommand, SessionsCommand, SessionsEvent, SystemEvent,
};
use crate::ui::pane::PaneId;
use crate::ui::studio::Studio;
use crate::ui::theme::Depth;

/// Events that may wait; whoever sends more waits too.
const EVENTS: usize = 4096;

/// Everything but the screen.
pub(super) struct Core {
    pub(super) studio: Studio,
    pub(super) store: Store,
    pub(super) worker: StudioWorker,
    pub(super) events: mpsc::Receiver<Envelope>,
    /// Dropped with the rest, which ends the thread that reads the machine.
    _machine: SyncSender<()>,
}

impl Core {
    pub(super) fn start(folders: &Folders, depth: Depth) -> Self {
        let (settings, left_out) = folders.read_settings();
        let (sender, events) = mpsc::channel(EVENTS);
        let sender = Events::new(sender);
        let no_log = logging::start(folders, &sender);
        let (themes, mut complaints) = themes::load(folders, depth);
        let (studio, misread) = Studio::new(&settings, themes, depth);
        complaints.extend(no_log);
        complaints.extend(misread);
        complaints.extend(left_out);
        let mut store = Store::default();
        let known = [
            SystemEvent::ClockTicked(now()),
            SystemEvent::MachineRead(machine::read()),
            SystemEvent::SettingsRead(settings),
            SystemEvent::PlacesRead(places(folders)),
        ];
        let said =
            complaints.into_iter().map(|text| SystemEvent::Notified(Notice::new(Level::Warning, text)));
        for event in known.into_iter().chain(said) {
            store.apply(Event::System(event));
        }
        let machine = machine::watch(sender.clone());
        let worker = StudioWorker::start(folders.clone(), sender);
        Self { studio, store, worker, events, _machine: machine }
    }

    /// Opens the session that the program was started on, and looks for others.
    pub(super) fn begin(&mut self, first: First) {
        match first {
            First::Welcome => {}
            First::Session(session) => {
                self.studio.show(PaneId::of(sessions::begins(&session)));
                self.apply(Event::Sessions(SessionsEvent::Opened(session)));
            }
            First::NewSession(session) => {
                self.studio.show(PaneId::Data);
                self.apply(Event::Sessions(SessionsEvent::Made(session, None)));
            }
        }
        self.worker.send(Command::Sessions(SessionsCommand::List));
    }

    /// Takes in what a lane has told.
    pub(super) fn take(&mut self, told: Envelope) {
        let now = self.worker.opening();
        if told.is_outdated(now) {
            return;
        }
        let left = told.of.filter(|of| *of != now).and_then(|of| self.worker.name_of(of));
        let event = match (told.event, left) {
            // What is said of a session that was left names it: it is about nothing on the screen.
            (Event::System(SystemEvent::Notified(notice)), Some(session)) => {
                let text = format!("{session}: {}", notice.text);
                Event::System(SystemEvent::Notified(Notice { text, ..notice }))
            }
            (event, _) => event,
        };
        self.apply(event);
    }

    pub(super) fn apply(&mut self, event: Event) {
        if let Event::Sessions(SessionsEvent::Made(made, Some(from))) = &event
            && self.store.session.is_some()
        {
            // The look at its data took so long that another session was opened: nobody is torn out of that.
            let text = format!(
                "the session {} is made for {}: f2 opens it, and i there brings the data in",
                made.name,
                from.display()
            );
            self.worker.send(Command::Sessions(SessionsCommand::List));
            return self.store.apply(Event::System(SystemEvent::Notified(Notice::new(Level::Good, text))));
        }
        if let Event::Sessions(SessionsEvent::Opened(session) | SessionsEvent::Made(session, _)) = &event {
            self.worker.session_opened(session);
        }
        let relist = self.changes_recipes(&event);
        self.store.apply(event);
        if relist {
            self.worker.send(Command::Runs(RunsCommand::ListRecipes));
        }
    }

    /// Whether a recipe can start, and what suits the session, depends on the records and on what was reviewed.
    fn changes_recipes(&self, event: &Event) -> bool {
        match event {
            Event::Data(DataEvent::Imported(..) | DataEvent::TokensCounted) => true,
            Event::Review(ReviewEvent::Counted(counts)) => {
                let before = self.store.review.counts.as_ref().map(|counts| counts.ready_for_sft > 0);
                before != Some(counts.ready_for_sft > 0)
            }
            _ => false,
        }
    }
}

fn places(folders: &Folders) -> StudioPaths {
    StudioPaths {
        sessions: folders.sessions(),
        models: folders.models(),
        settings: folders.settings.clone(),
        log: folders.data.join(logging::FILE),
    }
}
