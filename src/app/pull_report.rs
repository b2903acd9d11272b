//! A model that is fetched, as a job whose progress the drawer shows.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::app::events::Events;
use crate::app::jobs::Working;
use crate::domain::protocol::system::{JobEnd, OnQuit, Progress, Unit};
use crate::engine::hub;

/// The drawer hears of progress at most this often.
const PAUSE: Duration = Duration::from_millis(200);

/// Adds up the transfers of one pull, as a job.
pub(crate) struct PullReport {
    working: Working,
    progress: Progress,
    /// Whether the total is that of all transfers.
    whole: bool,
    said: Instant,
}

impl PullReport {
    pub(crate) fn start(events: &Events, name: &str) -> Self {
        let working = Working::start(events, &format!("pull {name}"), OnQuit::Ask);
        let progress = Progress { unit: Unit::Bytes, ..Progress::default() };
        Self { working, progress, whole: false, said: Instant::now() }
    }

    /// Ends the job by how the pull went; nothing came of it when somebody stopped it.
    pub(crate) fn end<T>(self, outcome: Result<T>) -> Result<Option<T>> {
        let (end, outcome) = match outcome {
            Ok(found) => (JobEnd::Done, Ok(Some(found))),
            Err(_) if !self.working.is_wanted() => (JobEnd::Stopped, Ok(None)),
            Err(error) => (JobEnd::Failed(format!("{error:#}")), Err(error)),
        };
        self.working.end(end);
        outcome
    }

    fn say(&mut self) {
        self.said = Instant::now();
        self.working.go_on(self.progress.clone());
    }
}

impl hub::PullProgress for PullReport {
    fn note(&mut self, text: &str) {
        tracing::info!("{text}");
        text.clone_into(&mut self.progress.note);
        self.say();
    }

    fn whole(&mut self, bytes: u64) {
        self.progress.total = Some(self.progress.done + bytes);
        self.whole = true;
    }

    fn begin(&mut self, what: &str, total: Option<u64>, already: u64) {
        what.clone_into(&mut self.progress.note);
        if !self.whole {
            self.progress.total = total.map(|total| self.progress.done + total);
        }
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
