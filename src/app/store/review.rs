//! What is known of the open session's review: the queue, the items near the cursor, counts, agreement, the pace.

use std::collections::{HashMap, VecDeque};

use crate::domain::agreement_report::AgreementReport;
use crate::domain::protocol::ReviewEvent;
use crate::domain::protocol::review::QueueId;
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::domain::review::{QueueRow, ReviewCounts, ReviewItem};
use crate::domain::review_job::JobOrder;

/// Items kept whole; the one that was read first goes first.
const KEPT: usize = 16;
/// Decisions that the pace is taken from.
const PACED: usize = 30;
/// A longer pause than this, in seconds, is no thinking: it doesn't count.
const LONGEST_THOUGHT: f64 = 120.0;

/// Facts of the session's review. Empty until a session is open.
#[derive(Debug, Default)]
pub struct Review {
    /// The question that the queue answers; none until it was found.
    pub queue: Option<QueueId>,
    rows: Vec<QueueRow>,
    places: HashMap<ReflectionId, usize>,
    /// Moves when rows come or go.
    pub generation: u64,
    items: VecDeque<(ReflectionId, Option<Box<ReviewItem>>)>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Last {
    Decided { ids: Vec<ReflectionId>, verdict: Verdict },
    Undone(Vec<ReflectionId>),
    Refused(String),
}

impl Review {
    #[must_use]
    pub fn rows(&self) -> &[QueueRow] {
        &self.rows
    }

    /// Where a reflection stands in the queue.
    #[must_use]
    pub fn place(&self, id: ReflectionId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// A reflection whole, where it was read; `Some(None)`: it is gone.
    #[must_use]
    pub fn item(&self, id: ReflectionId) -> Option<Option<&ReviewItem>> {
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
                self.items.retain(|(own, _)| *own != id);
                self.items.push_back((id, item));
                if self.items.len() > KEPT {
                    self.items.pop_front();
                }
            }
            ReviewEvent::Decided { ids, verdict } => {
                for id in &ids {
                    self.mark(*id, verdict, Some(verdict));
                }
                self.sitting += ids.len() as u64;
                // A bulk says nothing of how long one takes.
                if ids.len() == 1 {
                    self.decided.push_back(now);
                    if self.decided.len() > PACED {
                        self.decided.pop_front();
                    }
                }
                self.happened(Last::Decided { ids, verdict });
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

    fn mark(&mut self, id: ReflectionId, verdict: Verdict, mine: Option<Verdict>) {
        let row = self.places.get(&id).and_then(|place| self.rows.get_mut(*place));
        if let Some(row) = row {
            row.verdict = verdict;
            row.mine = mine.filter(|verdict| verdict.is_decided());
        }
    }

    fn happened(&mut self, last: Last) {
        let number = self.last.as_ref().map_or(1, |(number, _)| number + 1);
        self.last = Some((number, last));
    }
}
