//! Pulling a model in the background: a job whose progress the drawer shows.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Events;
use crate::app::jobs::Working;
use crate::app::models;
use crate::config::Folders;
use crate::domain::protocol::system::{JobEnd, Progress, Unit};
use crate::domain::protocol::{Event, ModelsEvent};
use crate::engine::hub::{self, Network};

/// The drawer hears of progress at most this often.
const PAUSE: Duration = Duration::from_millis(200);

/// Starts a thread that pulls the model, says how it went, and lists the models anew.
pub(super) fn start(folders: Folders, name: String, runs: Option<PathBuf>, events: Events) {
    std::thread::spawn(move || {
        let working = Working::start(&events, &format!("pull {name}"));
        let progress = Progress { unit: Unit::Bytes, ..Progress::default() };
        let mut report = Report { working, progress, said: Instant::now() };
        let end = match hub::resolve(&folders.models(), &name, Network::Allowed, &mut report) {
            Ok(_) => JobEnd::Done,
            Err(_) if !report.working.is_wanted() => JobEnd::Stopped,
            Err(error) => JobEnd::Failed(format!("{error:#}")),
        };
        report.working.end(end);
        if let Ok(listed) = models::list(&folders, runs.as_deref()) {
            events.offer(Event::Models(ModelsEvent::Listed(listed)));
        }
    });
}

/// Adds up the transfers of one pull.
struct Report {
    working: Working,
    progress: Progress,
    said: Instant,
}

impl Report {
    fn say(&mut self) {
        self.said = Instant::now();
        self.working.go_on(self.progress.clone());
    }
}

impl hub::Progress for Report {
    fn note(&mut self, text: &str) {
        tracing::info!("{text}");
        text.clone_into(&mut self.progress.note);
        self.say();
    }

    fn begin(&mut self, what: &str, total: Option<u64>, already: u64) {
        what.clone_into(&mut self.progress.note);
        self.progress.total = total.map(|total| self.progress.done + total);
        self.progress.done += already;
        self.say();
    }

    fn advance(&mut self, bytes: u64) {
        self.progress.done += bytes;
        if self.said.elapsed() >= PAUSE {
            self.say();
        }
    }

    fn end(&mut self) {
        self.say();
    }

    fn go_on(&self) -> bool {
        self.working.is_wanted()
    }
}
