//! Work in progress, and the last that ended. At most [`KEPT`] ended jobs are kept; older ones are in the log.

use std::path::{Path, PathBuf};

use crate::domain::protocol::system::{Job, JobEnd, JobId, Level, Notice, Progress};

/// Ended jobs that stay in the drawer.
const KEPT: usize = 50;

/// A job as the drawer shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    pub job: Job,
    /// `None` while it goes on.
    pub end: Option<JobEnd>,
    pub wish: Wish,
    /// The session that was open when it began.
    session: Option<PathBuf>,
    /// When it was first seen to move (seconds since 1970), and how far it was then.
    moved: Option<(f64, u64)>,
}

/// What a person wants of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    GoOn,
    /// It was asked to stop and will as soon as it can.
    Stop,
}

impl JobRow {
    /// How much of it is done, 0 to 1, if its length is known.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let progress = &self.job.progress;
        let total = progress.total.filter(|total| *total > 0)?;
        Some((progress.done as f64 / total as f64).min(1.0))
    }

    /// Seconds that the rest will take at the pace so far; `None` before there is one.
    #[must_use]
    pub fn seconds_left(&self, now: f64) -> Option<f64> {
        let (since, begun) = self.moved?;
        let done = self.job.progress.done.checked_sub(begun).filter(|done| *done > 0)?;
        let left = self.job.progress.total?.saturating_sub(self.job.progress.done);
        let passed = now - since;
        (passed >= 1.0).then(|| passed * left as f64 / done as f64)
    }
}

/// All jobs, oldest first.
#[derive(Debug, Default)]
pub struct Jobs {
    rows: Vec<JobRow>,
}

impl Jobs {
    pub fn rows(&self) -> &[JobRow] {
        &self.rows
    }

    /// Those that go on.
    pub fn running(&self) -> impl Iterator<Item = &Job> {
        self.going_on().map(|row| &row.job)
    }

    /// The same with what is known of each.
    pub fn going_on(&self) -> impl DoubleEndedIterator<Item = &JobRow> {
        self.rows.iter().filter(|row| row.end.is_none())
    }

    /// The newest that goes on and whose words begin so: `import `.
    #[must_use]
    pub fn named(&self, beginning: &str) -> Option<&JobRow> {
        self.going_on().rfind(|row| row.job.what.starts_with(beginning))
    }

    /// Those of a session that go on.
    pub fn of<'j>(&'j self, session: &'j Path) -> impl DoubleEndedIterator<Item = &'j JobRow> {
        self.going_on().filter(move |row| row.session.as_deref() == Some(session))
    }

    pub(super) fn start(&mut self, job: Job, session: Option<PathBuf>) {
        self.rows.push(JobRow { job, end: None, wish: Wish::GoOn, session, moved: None });
        let ended = self.rows.iter().filter(|row| row.end.is_some()).count();
        if ended > KEPT
            && let Some(oldest) = self.rows.iter().position(|row| row.end.is_some())
        {
            self.rows.remove(oldest);
        }
    }

    /// Progress never goes back.
    pub(super) fn advance(&mut self, id: JobId, progress: Progress, now: f64) {
        if let Some(row) = self.find(id) {
            if row.moved.is_none() && progress.done > 0 {
                row.moved = Some((now, progress.done));
            }
            let done = progress.done.max(row.job.progress.done);
            row.job.progress = Progress { done, ..progress };
        }
    }

    pub(super) fn ask_to_stop(&mut self, id: JobId) {
        if let Some(row) = self.find(id) {
            row.wish = Wish::Stop;
        }
    }

    /// What to tell the person: everything that ended by itself, with its session if that isn't the open one.
    pub(super) fn end(&mut self, id: JobId, end: JobEnd, open: Option<&Path>) -> Option<Notice> {
        let row = self.find(id)?;
        // A download is nobody's, whichever session was open when it began.
        let of = row.session.as_deref().filter(|_| row.job.opening.is_some());
        let elsewhere = of.filter(|session| Some(*session) != open);
        let what = match elsewhere.and_then(Path::file_name) {
            Some(session) => format!("{}: {}", session.to_string_lossy(), row.job.what),
            None => row.job.what.clone(),
        };
        row.end = Some(end.clone());
        match end {
            JobEnd::Done => Some(Notice::new(Level::Good, format!("{what}: done"))),
            JobEnd::Stopped => None,
            JobEnd::Failed(why) => Some(Notice::new(Level::Error, format!("{what}: {why}"))),
        }
    }

    fn find(&mut self, id: JobId) -> Option<&mut JobRow> {
        self.rows.iter_mut().find(|row| row.job.id == id)
    }
}
