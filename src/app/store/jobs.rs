//! Work in progress, and the last that ended. At most [`KEPT`] ended jobs are kept; older ones are in the log.

use crate::domain::protocol::system::{Job, JobEnd, JobId, Level, Notice, Progress};

/// Ended jobs that stay in the drawer.
const KEPT: usize = 50;

/// A job as the drawer shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    pub job: Job,
    /// `None` while it goes on.
    pub end: Option<JobEnd>,
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
        self.rows.iter().filter(|row| row.end.is_none()).map(|row| &row.job)
    }

    pub(super) fn start(&mut self, job: Job) {
        self.rows.push(JobRow { job, end: None });
        let ended = self.rows.iter().filter(|row| row.end.is_some()).count();
        if ended > KEPT
            && let Some(oldest) = self.rows.iter().position(|row| row.end.is_some())
        {
            self.rows.remove(oldest);
        }
    }

    /// Progress never goes back.
    pub(super) fn advance(&mut self, id: JobId, progress: Progress) {
        if let Some(row) = self.find(id) {
            let done = progress.done.max(row.job.progress.done);
            row.job.progress = Progress { done, ..progress };
        }
    }

    /// What to tell the person: everything that ended by itself.
    pub(super) fn end(&mut self, id: JobId, end: JobEnd) -> Option<Notice> {
        let row = self.find(id)?;
        let what = row.job.what.clone();
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
