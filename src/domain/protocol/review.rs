//! Reflections and verdicts, and the jobs that make them.

use crate::domain::agreement_report::AgreementReport;
use crate::domain::reflection::{Decision, ReflectionId, Verdict};
use crate::domain::review::{QueueOrder, QueueRow, ReviewCounts, ReviewItem};
use crate::domain::review_filter::ReviewFilter;
use crate::domain::review_job::JobOrder;

/// Names a question for the queue; an answer carries it, so that a stale one is told apart. Greater ones are newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct QueueId(pub u64);

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum ReviewCommand {
    /// Find what a filter lets through.
    Queue {
        queue: QueueId,
        filter: ReviewFilter,
        order: QueueOrder,
    },
    /// Read these whole: the one in front and those that will follow it.
    Open(Vec<ReflectionId>),
    /// Decide on reflections, as one step that can be undone.
    Decide {
        ids: Vec<ReflectionId>,
        decision: Decision,
    },
    Undo,
    /// Say who can be asked: teachers of the settings, models on this machine.
    ListSpeakers,
    /// Say what a job would take, without asking anybody.
    Plan(JobOrder),
    Start(JobOrder),
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ReviewEvent {
    /// The queue was found, or found again because somebody else has written.
    Queued {
        queue: QueueId,
        rows: Vec<QueueRow>,
    },
    /// A reflection was read; `None`: it is gone.
    Opened(ReflectionId, Option<Box<ReviewItem>>),
    /// A decision was committed.
    Decided {
        ids: Vec<ReflectionId>,
        verdict: Verdict,
    },
    /// The last decision was taken back: what these are now.
    Undone(Vec<(ReflectionId, Verdict)>),
    /// A decision could not be committed, in a sentence.
    Refused(String),
    Counted(ReviewCounts),
    Reported(Box<AgreementReport>),
    /// Names that a job can be given.
    SpeakersListed(Vec<String>),
    /// What a job would take, in a sentence, or why it can't be done.
    Planned(Box<JobOrder>, Result<String, String>),
}
