//! What is known of the open session's records: the view in front, its rows near the cursor, one record whole.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use crate::domain::change::HistoryEntry;
use crate::domain::coverage::BlueprintCoverage;
use crate::domain::draft::{DraftOf, KeptDraft, OtherDraft};
use crate::domain::filter::Vocabulary;
use crate::domain::protocol::DataEvent;
use crate::domain::protocol::data::{
    EditMet, ExportOrder, Generation, ImportPlan, Imported, MadeBy, Opened, RowSummary, TokenPiece,
    ViewCount, ViewId, Viewed,
};
use crate::domain::record::RecordId;
use crate::domain::statistics::Statistics;

/// Rows kept at most; the farthest from the last page go first.
const KEPT: usize = 2_000;

/// Facts of the session's records. Empty until a session is open.
#[derive(Debug, Default)]
pub struct DataStore {
    pub view: Option<Viewed>,
    /// By position. Rows of an older generation stay until their place is read again, so that nothing flickers.
    rows: BTreeMap<usize, (Generation, RowSummary)>,
    /// The first state of the view in front.
    first: Generation,
    pub opened: Option<(RecordId, Box<Opened>)>,
    /// The record that was asked for last, where it isn't there any more.
    pub gone: Option<RecordId>,
    /// Moves whenever another record, or another content, is open: tokens are asked for once for each.
    pub content: u64,
    pub tokens: Option<(RecordId, Result<Vec<TokenPiece>, String>)>,
    pub statistics: Option<(ViewId, Box<Statistics>)>,
    pub vocabulary: Vocabulary,
    /// What the import that was asked for last would read.
    pub plan: Option<(PathBuf, Result<Box<ImportPlan>, String>)>,
    /// The import that ended last, and what came of it.
    pub imported: Option<(PathBuf, Result<Imported, String>)>,
    /// How many imports have ended.
    pub imports: u64,
    /// What checks have found, by name; nothing where none has run.
    pub findings: Option<Vec<(String, u64)>>,
    /// What is written of blueprints.
    pub coverage: Vec<BlueprintCoverage>,
    /// Records that search finds in its index, and all of them.
    pub indexed: (u64, u64),
    /// The record that was made last, and how many were made.
    pub created: Option<RecordId>,
    pub made: u64,
    /// How many edits of each record were committed.
    pub edits: BTreeMap<RecordId, u64>,
    /// How many edits of each record were not taken, because it was not what they began with.
    pub unmet: BTreeMap<RecordId, u64>,
    /// What was written in this window and not saved, as it is on the disk; nothing until it was read. And how often it
    /// was read: what another window left may come later.
    pub drafts: Option<BTreeMap<DraftOf, KeptDraft>>,
    pub drafts_read: u64,
    /// What was begun elsewhere and not saved.
    pub other_drafts: BTreeMap<DraftOf, OtherDraft>,
    /// How often a new record was not saved.
    pub unmade: u64,
    /// Records that there are drafts of, and that were deleted.
    pub orphaned: BTreeSet<RecordId>,
    /// What waits for a person's word, counted so that each is asked about once.
    pub questions: u64,
    pub question: Option<DataQuestion>,
    /// The records at some positions, as they were asked for last.
    pub numbers: Option<(ViewId, Generation, Range<usize>, Vec<RecordId>)>,
}

/// Something to be asked before it is done.
#[derive(Debug, Clone, PartialEq)]
pub enum DataQuestion {
    /// This change is large or was not made here: take it back?
    Undo(HistoryEntry, MadeBy),
    /// This record was changed meanwhile: write over that?
    Overwrite(Box<EditMet>),
    /// These files are there: write them anew?
    Replace(Box<ExportOrder>, Vec<PathBuf>),
}

impl DataStore {
    /// The row at a position, where it was read.
    #[must_use]
    pub fn row(&self, position: usize) -> Option<&RowSummary> {
        self.rows.get(&position).map(|(_, row)| row)
    }

    /// The row at a position, where it was read for the view in front: what an action may be for. A row of the view
    /// before is only drawn until this one's is there.
    #[must_use]
    pub fn own_row(&self, position: usize) -> Option<&RowSummary> {
        self.rows.get(&position).filter(|(read, _)| *read >= self.first).map(|(_, row)| row)
    }

    /// Whether the row at a position is as it stands now.
    #[must_use]
    pub fn is_fresh(&self, position: usize) -> bool {
        let generation = self.view.as_ref().map(|view| view.generation);
        self.rows.get(&position).is_some_and(|(read, _)| Some(*read) == generation)
    }

    /// Records in the view, as far as it is known.
    #[must_use]
    pub fn count(&self) -> usize {
        self.view.as_ref().map_or(0, |view| view.found.count())
    }

    pub(super) fn apply(&mut self, event: DataEvent) {
        match event {
            DataEvent::Viewed(viewed) => self.see(viewed),
            DataEvent::PageRead { view, generation, start, rows } => {
                if self.view.as_ref().is_some_and(|own| own.view == view) {
                    self.keep(generation, start, rows);
                }
            }
            DataEvent::Opened(id, opened) => {
                let same = self
                    .opened
                    .as_ref()
                    .zip(opened.as_ref())
                    .is_some_and(|((_, own), new)| own.record == new.record);
                self.gone = opened.is_none().then_some(id);
                self.opened = opened.map(|opened| (id, opened));
                if !same {
                    self.content += 1;
                    self.tokens = None;
                }
            }
            DataEvent::TokensRead(id, tokens) => self.tokens = Some((id, tokens)),
            DataEvent::StatisticsRead(view, statistics) => self.statistics = Some((view, statistics)),
            DataEvent::ImportPlanned(path, plan) => self.plan = Some((path, plan)),
            DataEvent::Imported(path, outcome) => {
                self.imported = Some((path, outcome));
                self.imports += 1;
            }
            DataEvent::FindingsRead(found) => self.findings = found,
            DataEvent::CoverageRead(coverage) => self.coverage = coverage,
            DataEvent::VocabularyRead(vocabulary) => self.vocabulary = *vocabulary,
            DataEvent::Indexed { done, total } => self.indexed = (done, total),
            DataEvent::Created(id) => {
                self.created = Some(id);
                self.made += 1;
            }
            DataEvent::Edited(id) => *self.edits.entry(id).or_default() += 1,
            DataEvent::EditMet(met) => {
                self.see_record(&met);
                *self.unmet.entry(met.record).or_default() += 1;
                self.ask(DataQuestion::Overwrite(met));
            }
            DataEvent::UndoAsked(entry, by) => self.ask(DataQuestion::Undo(entry, by)),
            DataEvent::DraftsRead(_, drafts) => {
                self.drafts = Some(drafts);
                self.drafts_read += 1;
            }
            DataEvent::OtherDraftsRead(others) => self.other_drafts = others,
            DataEvent::NotSaved(DraftOf::Record(id)) => *self.unmet.entry(id).or_default() += 1,
            DataEvent::NotSaved(_) => self.unmade += 1,
            DataEvent::DraftKept(of, draft) => self.note_draft(of, draft),
            DataEvent::DraftsOrphaned(records) => self.orphaned = records,
            DataEvent::ExportAsked(order, taken) => self.ask(DataQuestion::Replace(order, taken)),
            DataEvent::NumbersRead { view, generation, positions, ids } => {
                self.numbers = Some((view, generation, positions, ids));
            }
            DataEvent::TokensCounted | DataEvent::Changed { .. } => {}
        }
    }

    fn note_draft(&mut self, of: DraftOf, draft: Option<KeptDraft>) {
        let Some(drafts) = &mut self.drafts else { return };
        match draft {
            Some(draft) => drafts.insert(of, draft),
            None => drafts.remove(&of),
        };
    }

    /// An edit that was not taken says what the record is now: whoever opens it next sees that, also when it has not
    /// been read anew yet.
    fn see_record(&mut self, met: &EditMet) {
        let Some((_, opened)) = self.opened.as_mut().filter(|(id, _)| *id == met.record) else { return };
        match &met.now {
            Some(now) => {
                now.clone().put(&mut opened.record);
                opened.tokens = None;
            }
            None => self.opened = None,
        }
        self.content += 1;
        self.tokens = None;
    }

    fn ask(&mut self, question: DataQuestion) {
        self.questions += 1;
        self.question = Some(question);
    }

    fn see(&mut self, viewed: Viewed) {
        let newer = self.view.as_ref().is_none_or(|own| viewed.view >= own.view);
        if !newer {
            return;
        }
        let count = viewed.found.count();
        if let ViewCount::All(_) = viewed.found {
            self.rows.split_off(&count);
        }
        if self.view.as_ref().is_none_or(|own| viewed.view > own.view) {
            self.first = viewed.generation;
        }
        self.view = Some(viewed);
    }

    fn keep(&mut self, generation: Generation, start: usize, rows: Vec<RowSummary>) {
        let middle = start + rows.len() / 2;
        for (position, row) in (start..).zip(rows) {
            self.rows.insert(position, (generation, row));
        }
        while self.rows.len() > KEPT {
            let first = self.rows.first_key_value().map_or(middle, |(position, _)| *position);
            let last = self.rows.last_key_value().map_or(middle, |(position, _)| *position);
            let farthest = if middle.abs_diff(first) > middle.abs_diff(last) { first } else { last };
            self.rows.remove(&farthest);
        }
    }
}
