//! Reflections and verdicts, and the jobs that make them.

use crate::domain::agreement_report::AgreementReport;
use crate::domain::reflection::{Decision, Reflection, ReflectionId, Verdict};
use crate::domain::review::{
    DraftText, Glimpse, LastStep, QueueOrder, QueueRow, ReviewCounts, ReviewItem, Reviewed,
};
use crate::domain::review_filter::ReviewFilter;
use crate::domain::review_job::JobOrder;
use crate::domain::thought::ThoughtId;

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
    Open(Vec<Reviewed>),
    /// Read how the texts of these rows begin.
    Glance(Vec<Reviewed>),
    /// Decide on reflections, as one step that can be undone.
    Decide {
        ids: Vec<ReflectionId>,
        decision: Decision,
    },
    /// Decide on a reflection that was edited, if it still stands as it did when the editing began; else a person is
    /// asked.
    Revise {
        id: ReflectionId,
        over: Box<Reflection>,
        decision: Decision,
    },
    /// Keep a person's own correction of a thought, approved, as one step that can be undone.
    Correct {
        thought: ThoughtId,
        text: String,
        analysis: String,
    },
    /// Keep what was begun and is not saved, or let go of it.
    KeepDraft(Reviewed, Option<DraftText>),
    Undo(Undoing),
    /// Say what was written before with this verdict, to be written again.
    ListComments(Verdict),
    /// Say who can be asked: teachers of the settings, models on this machine.
    ListSpeakers,
    /// Say what a job would take, without asking anybody.
    Plan(JobOrder),
    Start(JobOrder),
}

/// A decision on an edited reflection that met another one.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisionMet {
    pub id: ReflectionId,
    /// What would have been decided.
    pub decision: Decision,
    /// How the reflection stands now; nothing when it was deleted.
    pub now: Option<Reflection>,
}

/// How a decision is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undoing {
    /// The last one, unless it met more than so many: then it is told first.
    UpTo(u64),
    /// This one, if it is still the last.
    Step(i64),
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
    Opened(Reviewed, Option<Box<ReviewItem>>),
    /// How the texts of some rows begin.
    Glanced(Vec<(Reviewed, Glimpse)>),
    /// A decision was committed.
    Decided {
        ids: Vec<ReflectionId>,
        verdict: Verdict,
    },
    /// A decision was not taken: this is not what the editing began with.
    RevisionMet(Box<RevisionMet>),
    /// A thought has a person's own correction now.
    Corrected {
        thought: ThoughtId,
        reflection: ReflectionId,
    },
    /// What was begun is on disk, or gone from it.
    DraftKept(Reviewed, Option<DraftText>),
    /// The last decision was taken back: what these are now.
    Undone(Vec<(ReflectionId, Verdict)>),
    /// The last decision met so many that it was not taken back without a word.
    UndoIsLarge(LastStep),
    /// What was written before with a verdict, the last first.
    CommentsListed(Verdict, Vec<String>),
    /// A decision could not be committed, in a sentence.
    Refused(String),
    Counted(ReviewCounts),
    Reported(Box<AgreementReport>),
    /// Names that a job can be given.
    SpeakersListed(Vec<String>),
    /// What a job would take, in a sentence, or why it can't be done.
    Planned(Box<JobOrder>, Result<String, String>),
}
