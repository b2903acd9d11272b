//! What is known of the open session's review: the queue, the items near the cursor, counts, agreement, the pace.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::domain::agreement_report::AgreementReport;
use crate::domain::protocol::ReviewEvent;
use crate::domain::protocol::review::{QueueId, RevisionMet};
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::domain::review::{
    DraftText, EditDraft, Glimpse, LastStep, QueueRow, ReviewCounts, ReviewItem, Reviewed,
};
use crate::domain::review_job::JobOrder;
use crate::domain::thought::ThoughtId;

/// Items kept whole; the one that was read first goes first.
const KEPT: usize = 16;
/// Beginnings of rows that are kept; all are let go when there are more.
const GLIMPSES: usize = 4_096;
/// Decisions that the pace is taken from.
const PACED: usize = 30;
/// A longer pause than this, in seconds, is no thinking: it doesn't count.
const LONGEST_THOUGHT: f64 = 120.0;

/// Facts of the session's review. Empty until a session is open.
#[derive(Debug, Default)]
pub struct ReviewStore {
    /// The question that the queue answers; none until it was found.
    pub queue: Option<QueueId>,
    rows: Vec<QueueRow>,
    places: HashMap<Reviewed, usize>,
    /// Moves when rows come or go.
    pub generation: u64,
    items: VecDeque<(Reviewed, Option<Box<ReviewItem>>)>,
    glimpses: HashMap<Reviewed, Glimpse>,
    /// Drafts that are on the disk, as far as this window wrote them.
    kept: HashMap<Reviewed, DraftText>,
    /// What was written before with each verdict, the last first.
    comments: HashMap<Verdict, Vec<String>>,
    pub counts: Option<ReviewCounts>,
    pub report: Option<Box<AgreementReport>>,
    pub speakers: Option<Vec<String>>,
    /// The last job that was planned, with what it would take; the number moves with each.
    pub planned: Option<(u64, Box<JobOrder>, Result<String, String>)>,
    /// What happened to verdicts last; the number moves with each.
    pub last: Option<(u64, Last)>,
    /// When decisions were made here, in seconds since 1970.
    decided: VecDeque<f64>,
    /// Reflections decided on since the program started.
    pub sitting: u64,
}

/// What happened to verdicts last.
#[derive(Debug, Clone, PartialEq)]
pub enum Last {
    Decided {
        ids: Vec<ReflectionId>,
        verdict: Verdict,
    },
    /// A thought has a person's own correction now.
    Corrected {
        thought: ThoughtId,
        reflection: ReflectionId,
    },
    Undone(Vec<ReflectionId>),
    /// The last decision met so many that it was not taken back yet.
    UndoIsLarge(LastStep),
    /// What was edited stands in another way than when the editing began: nothing was decided.
    Met(Box<RevisionMet>),
    Refused(String),
}

impl ReviewStore {
    #[must_use]
    pub fn rows(&self) -> &[QueueRow] {
        &self.rows
    }

    /// Where a reflection stands in the queue.
    #[must_use]
    pub fn place(&self, id: impl Into<Reviewed>) -> Option<usize> {
        self.places.get(&id.into()).copied()
    }

    /// How a row's texts begin, when they were read.
    #[must_use]
    pub fn glimpse(&self, id: Reviewed) -> Option<&Glimpse> {
        self.glimpses.get(&id)
    }

    /// The draft of a text that is on the disk, as far as it is known.
    #[must_use]
    pub fn kept_draft(&self, of: Reviewed) -> Option<&DraftText> {
        let item = self.item(of).flatten();
        item.and_then(|item| item.draft.as_ref()).or_else(|| self.kept.get(&of))
    }

    /// What was written before with a verdict, the last first.
    #[must_use]
    pub fn comments(&self, verdict: Verdict) -> &[String] {
        self.comments.get(&verdict).map_or(&[], Vec::as_slice)
    }

    /// A reflection whole, where it was read; `Some(None)`: it is gone.
    #[must_use]
    pub fn item(&self, id: impl Into<Reviewed>) -> Option<Option<&ReviewItem>> {
        let id = id.into();
        self.items.iter().find(|(own, _)| *own == id).map(|(_, item)| item.as_deref())
    }

    /// Seconds from one decision to the next, the middle one of the last; nothing where there are too few.
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        let mut gaps: Vec<f64> = self
            .decided
            .iter()
            .zip(self.decided.iter().skip(1))
            .map(|(one, next)| next - one)
            .filter(|gap| *gap <= LONGEST_THOUGHT)
            .collect();
        gaps.sort_unstable_by(f64::total_cmp);
        if gaps.len() < 2 { None } else { gaps.get(gaps.len() / 2).copied() }
    }

    pub(super) fn apply(&mut self, event: ReviewEvent, now: f64) {
        match event {
            ReviewEvent::Queued { queue, rows } => self.see(queue, rows),
            ReviewEvent::Opened(id, item) => {
                if let (Some(row), Some(item)) = (self.row_mut(id), &item) {
                    row.draft = if item.draft.is_some() { EditDraft::Kept } else { EditDraft::None };
                }
                self.items.retain(|(own, _)| *own != id);
                self.items.push_back((id, item));
                if self.items.len() > KEPT {
                    self.items.pop_front();
                }
            }
            ReviewEvent::Decided { ids, verdict } => {
                for id in &ids {
                    self.mark(*id, verdict, Some(verdict));
                    self.note_draft((*id).into(), None);
                }
                self.sitting += ids.len() as u64;
                // A bulk says nothing of how long one takes.
                if ids.len() == 1 {
                    self.keep_pace(now);
                }
                self.happened(Last::Decided { ids, verdict });
            }
            ReviewEvent::Corrected { thought, reflection } => {
                self.correct(thought, reflection);
                self.sitting += 1;
                self.happened(Last::Corrected { thought, reflection });
            }
            ReviewEvent::DraftKept(of, draft) => self.note_draft(of, draft),
            ReviewEvent::RevisionMet(met) => self.happened(Last::Met(met)),
            ReviewEvent::UndoIsLarge(step) => self.happened(Last::UndoIsLarge(step)),
            ReviewEvent::Glanced(seen) => {
                if self.glimpses.len() + seen.len() > GLIMPSES {
                    self.glimpses.clear();
                }
                self.glimpses.extend(seen);
            }
            ReviewEvent::CommentsListed(verdict, comments) => {
                self.comments.insert(verdict, comments);
            }
            ReviewEvent::Undone(were) => {
                for (id, verdict) in &were {
                    self.mark(*id, *verdict, None);
                }
                self.sitting = self.sitting.saturating_sub(were.len() as u64);
                self.happened(Last::Undone(were.into_iter().map(|(id, _)| id).collect()));
            }
            ReviewEvent::Refused(why) => self.happened(Last::Refused(why)),
            ReviewEvent::Counted(counts) => self.counts = Some(counts),
            ReviewEvent::Reported(report) => self.report = Some(report),
            ReviewEvent::SpeakersListed(names) => self.speakers = Some(names),
            ReviewEvent::Planned(order, plan) => {
                let number = self.planned.as_ref().map_or(1, |(number, ..)| number + 1);
                self.planned = Some((number, order, plan));
            }
        }
    }

    fn see(&mut self, queue: QueueId, rows: Vec<QueueRow>) {
        if self.queue.is_some_and(|own| queue < own) {
            return;
        }
        self.places = rows.iter().enumerate().map(|(place, row)| (row.id, place)).collect();
        self.rows = rows;
        self.queue = Some(queue);
        self.generation += 1;
    }

    fn row_mut(&mut self, id: Reviewed) -> Option<&mut QueueRow> {
        self.places.get(&id).and_then(|place| self.rows.get_mut(*place))
    }

    fn mark(&mut self, id: ReflectionId, verdict: Verdict, mine: Option<Verdict>) {
        if let Some(row) = self.row_mut(id.into()) {
            row.verdict = verdict;
            row.mine = mine.filter(|verdict| verdict.is_decided());
        }
    }

    /// The row of a thought becomes that of its correction, until the queue is found again.
    fn correct(&mut self, thought: ThoughtId, reflection: ReflectionId) {
        let (old, new) = (Reviewed::Thought(thought), Reviewed::Correction(reflection));
        if let Some(row) = self.row_mut(old) {
            row.id = new;
            row.verdict = Verdict::Approved;
            row.mine = Some(Verdict::Approved);
            row.label = Arc::clone(&row.truth);
            row.draft = EditDraft::None;
        }
        if let Some(place) = self.places.remove(&old) {
            self.places.insert(new, place);
        }
        self.items.retain(|(id, _)| *id != old);
    }

    fn note_draft(&mut self, of: Reviewed, draft: Option<DraftText>) {
        match &draft {
            Some(draft) => self.kept.insert(of, draft.clone()),
            None => self.kept.remove(&of),
        };
        if let Some(row) = self.row_mut(of) {
            row.draft = if draft.is_some() { EditDraft::Kept } else { EditDraft::None };
        }
        let item = self.items.iter_mut().find(|(id, _)| *id == of).and_then(|(_, item)| item.as_mut());
        if let Some(item) = item {
            item.draft = draft;
        }
    }

    fn keep_pace(&mut self, now: f64) {
        self.decided.push_back(now);
        if self.decided.len() > PACED {
            self.decided.pop_front();
        }
    }

    fn happened(&mut self, last: Last) {
        let number = self.last.as_ref().map_or(1, |(number, _)| number + 1);
        self.last = Some((number, last));
    }
}
