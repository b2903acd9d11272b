//! The review queue, one item of it whole, and how the thoughts of a session agree with its labels.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Row, params};

use super::reflections::verdict;
use super::review_sets::asked;
use super::{Result, Session, question};
use crate::domain::agreement_report::{AgreementReport, LastWords, reviewer_pairs};
use crate::domain::draft::DraftOf;
use crate::domain::record::{Record, RecordId};
use crate::domain::reflection::{Checks, JudgedThought, Reflection, ReflectionId, Verdict};
use crate::domain::review::{
    Contents, Disagreement, DraftText, EditDraft, QueueOrder, QueueRow, ReviewItem, Reviewed, VerdictEntry,
    VerdictState, sort,
};
use crate::domain::review_filter::{Facts, Needs, ReviewFilter};
use crate::domain::review_leads::LabelMeanings;
use crate::domain::thought::{Thought, ThoughtId};

/// The columns of a row of the queue, those that its texts are in, and the tables.
type QueueQuery = (&'static str, &'static str, &'static str);

const CORRECTIONS: QueueQuery = (
    "SELECT 0, r.id, r.record, r.verdict, r.score, length(coalesce(r.edited, r.corrected)), t.model,
     r.teacher, t.label, r.label, coalesce(t.truth, ''), split.name",
    ", coalesce(r.edited, r.corrected), t.text, r.error_analysis",
    " FROM reflections AS r JOIN thoughts AS t ON t.id = r.thought
     JOIN records ON records.id = r.record LEFT JOIN names AS split ON split.id = records.split ORDER BY r.id",
);

/// Wrong thoughts that nobody has corrected.
const THOUGHTS: QueueQuery = (
    "SELECT 1, t.id, t.record, 0, NULL, length(t.text), t.model, '', t.label, '', t.truth, split.name",
    ", t.text, '', ''",
    " FROM thoughts AS t JOIN records ON records.id = t.record
     LEFT JOIN names AS split ON split.id = records.split
     WHERE t.truth IS NOT NULL AND t.label <> t.truth
     AND NOT EXISTS (SELECT 1 FROM reflections WHERE thought = t.id) ORDER BY t.id",
);

impl Session {
    /// The reflections, and the wrong thoughts without one, that a filter lets through, in an order. `who` is at the
    /// keyboard: what that person said, and has begun, is told apart.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn review_queue(&self, filter: &ReviewFilter, order: QueueOrder) -> Result<Vec<QueueRow>> {
        let needs = filter.needs();
        let words = self.last_words()?;
        let tags = if filter.is_empty() { HashMap::new() } else { self.tags_of_reviewed()? };
        let labels = if needs == Needs::Record { self.labels()? } else { LabelMeanings::default() };
        let drafts: HashSet<DraftOf> = self.begun()?.into_iter().collect();
        let mut names = SharedNames::default();
        let mut queue = Vec::new();
        for (columns, texts, tables) in [CORRECTIONS, THOUGHTS] {
            let texts = if needs == Needs::Row { "" } else { texts };
            let mut statement = self.connection.prepare_cached(&format!("{columns}{texts}{tables}"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut item = queue_row(row, &mut names)?;
                let said = item.id.correction().and_then(|id| words.get(&id));
                item.mine = said.and_then(|said| said.get(&self.who)).copied();
                let accepted: HashSet<bool> =
                    said.into_iter().flatten().map(|(_, verdict)| verdict.is_accepted()).collect();
                if accepted.len() > 1 {
                    item.disagreement = Disagreement::Reviewers;
                }
                if drafts.contains(&DraftOf::Review(item.id)) {
                    item.draft = EditDraft::Kept;
                }
                if filter.is_empty() || self.lets_through(filter, row, &item, (&words, &tags, &labels))? {
                    queue.push(item);
                }
            }
        }
        sort(&mut queue, order);
        Ok(queue)
    }

    fn lets_through(
        &self,
        filter: &ReviewFilter,
        row: &Row<'_>,
        item: &QueueRow,
        (words, tags, labels): (&LastWords, &HashMap<i64, Vec<String>>, &LabelMeanings),
    ) -> Result<bool> {
        let needs = filter.needs();
        let split: Option<String> = row.get(11)?;
        let text = |column: usize| match needs {
            Needs::Row => Ok(String::new()),
            Needs::Text | Needs::Record => row.get::<_, String>(column),
        };
        let (corrected, flawed, analysis) = (text(12)?, text(13)?, text(14)?);
        let checks = match needs {
            Needs::Record => {
                let record = question(&self.record(item.record)?);
                let looked = JudgedThought {
                    thought: &corrected,
                    label: item.own_label(),
                    truth: &item.truth,
                    record: &record,
                    flawed: &flawed,
                };
                let odds = self.odds(item.id, &corrected)?;
                Some(Checks { odds, ..Checks::of(looked).led(labels, looked, &analysis) })
            }
            Needs::Row | Needs::Text => None,
        };
        let text = format!("{corrected}\n{flawed}\n{analysis}").to_lowercase();
        let said = item.id.correction().and_then(|id| words.get(&id));
        let reviewers: Vec<String> = said.map(|said| said.keys().cloned().collect()).unwrap_or_default();
        Ok(filter.matches(&Facts {
            row: item,
            split: split.as_deref(),
            tags: tags.get(&item.record.0).map_or(&[], Vec::as_slice),
            reviewers: &reviewers,
            text: &text,
            checks: checks.as_ref(),
        }))
    }

    /// A reflection with its thought, its record, its checks and every word that was said on it; or a thought that has
    /// none, with the same.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn review_item(&self, id: impl Into<Reviewed>) -> Result<Option<ReviewItem>> {
        let id = id.into();
        let (reflection, thought) = match id {
            Reviewed::Thought(id) => (None, self.thought(id)?),
            Reviewed::Correction(id) => match self.reflection(id)? {
                None => (None, None),
                Some(reflection) => {
                    let thought = self.thought(reflection.thought)?;
                    (Some(reflection), thought)
                }
            },
        };
        let Some(thought) = thought else { return Ok(None) };
        let record = self.record(thought.record)?;
        let checks = self.checks(id, reflection.as_ref(), &thought, &record)?;
        let source = match record.provenance.source.as_str() {
            "" => "written here".to_owned(),
            source => format!("{source}:{}", record.provenance.line),
        };
        let verdicts = match id {
            Reviewed::Correction(id) => self.verdicts_on(id)?,
            Reviewed::Thought(_) => Vec::new(),
        };
        Ok(Some(ReviewItem {
            id,
            question: asked(&record).into_iter().map(|(name, words)| (name.to_owned(), words)).collect(),
            contents: contents(&record),
            source,
            split: record.split.clone(),
            tags: record.tags.iter().cloned().collect(),
            checks,
            verdicts,
            draft: self.draft(&DraftOf::Review(id))?.and_then(|draft| DraftText::of(&draft)),
            reflection,
            thought,
        }))
    }

    /// What can be seen of the text that would be trained on; without a correction, of the thought itself.
    fn checks(
        &self,
        id: Reviewed,
        reflection: Option<&Reflection>,
        thought: &Thought,
        record: &Record,
    ) -> Result<Checks> {
        let truth = thought.truth.as_deref().unwrap_or_default();
        let record = question(record);
        let (text, label, flawed, analysis) = match reflection {
            None => (&*thought.text, &*thought.label, "", ""),
            Some(reflection) => {
                // What a person wrote leads where the person wants it.
                let label = if reflection.edited.is_some() { truth } else { &reflection.label };
                (reflection.text(), label, &*thought.text, &*reflection.error_analysis)
            }
        };
        let looked = JudgedThought { thought: text, label, truth, record: &record, flawed };
        let led = Checks::of(looked).led(&self.labels()?, looked, analysis);
        Ok(Checks { odds: self.odds(id, text)?, ..led })
    }

    fn verdicts_on(&self, id: ReflectionId) -> Result<Vec<VerdictEntry>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, reviewer, verdict, edited, comment, undone FROM verdicts WHERE reflection = ?1 ORDER BY step",
        )?;
        let rows = statement.query_map([id.0], |row| {
            Ok(VerdictEntry {
                at: row.get(0)?,
                who: row.get(1)?,
                verdict: verdict(row.get(2)?),
                edited: row.get(3)?,
                comment: row.get(4)?,
                state: if row.get(5)? { VerdictState::TakenBack } else { VerdictState::Stands },
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The last word of each person on each reflection; what was taken back or sent back is none.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn last_words(&self) -> Result<LastWords> {
        let mut statement = self.connection.prepare_cached(
            "SELECT reflection, reviewer, verdict FROM verdicts WHERE undone = 0 ORDER BY step",
        )?;
        let mut rows = statement.query([])?;
        let mut words = LastWords::new();
        while let Some(row) = rows.next()? {
            let said = verdict(row.get(2)?);
            let own = words.entry(ReflectionId(row.get(0)?)).or_default();
            if said.is_decided() {
                own.insert(row.get(1)?, said);
            } else {
                own.remove(row.get_ref(1)?.as_str().unwrap_or_default());
            }
        }
        Ok(words)
    }

    /// How the thoughts agree with the labels, and the reviewers with each other.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn agreement(&self) -> Result<AgreementReport> {
        let mut report = AgreementReport::default();
        let mut splits: HashMap<i64, Option<String>> = HashMap::new();
        let mut statement = self.connection.prepare_cached(
            "SELECT records.id, names.name FROM records LEFT JOIN names ON names.id = records.split
             WHERE records.id IN (SELECT record FROM thoughts)",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            splits.insert(row.get(0)?, row.get(1)?);
        }
        let tags = self.tags_where("record IN (SELECT record FROM thoughts)")?;
        for (_, thought) in self.thoughts()? {
            let split = splits.get(&thought.record.0).and_then(Option::as_deref);
            report.add(&thought, split, tags.get(&thought.record.0).map_or(&[], Vec::as_slice));
        }
        report.reviewers = reviewer_pairs(&self.last_words()?);
        report.set_aside = self.set_aside_counts()?;
        Ok(report)
    }

    fn set_aside_counts(&self) -> Result<BTreeMap<String, u64>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT job || ' ' || reason, count(*) FROM set_aside GROUP BY job, reason ORDER BY 1",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn tags_of_reviewed(&self) -> Result<HashMap<i64, Vec<String>>> {
        self.tags_where("record IN (SELECT record FROM thoughts)")
    }

    fn tags_where(&self, condition: &str) -> Result<HashMap<i64, Vec<String>>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT record, name FROM record_tags JOIN names ON names.id = tag WHERE {condition} ORDER BY name"
        ))?;
        let mut rows = statement.query(params![])?;
        let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
        while let Some(row) = rows.next()? {
            tags.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        Ok(tags)
    }
}

/// Equal names are held once: the queue may be long.
#[derive(Default)]
struct SharedNames(HashMap<String, Arc<str>>);

impl SharedNames {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(name);
        self.0.insert(name.to_owned(), Arc::clone(&shared));
        shared
    }
}

fn queue_row(row: &Row<'_>, names: &mut SharedNames) -> Result<QueueRow> {
    let mut name = |column: usize| -> Result<Arc<str>> {
        Ok(names.get(row.get_ref(column)?.as_str().unwrap_or_default()))
    };
    let (student, teacher, flawed, label, truth) = (name(6)?, name(7)?, name(8)?, name(9)?, name(10)?);
    let verdict = verdict(row.get(3)?);
    let id = match (row.get(0)?, row.get(1)?) {
        (0, id) => Reviewed::Correction(ReflectionId(id)),
        (_, id) => Reviewed::Thought(ThoughtId(id)),
    };
    let misses = id.correction().is_some() && label != truth && verdict != Verdict::Edited;
    Ok(QueueRow {
        id,
        record: RecordId(row.get(2)?),
        verdict,
        mine: None,
        score: row.get(4)?,
        tokens: row.get::<_, i64>(5)?.unsigned_abs().div_ceil(4) as u32,
        student,
        teacher,
        flawed,
        label,
        truth,
        disagreement: if misses { Disagreement::Label } else { Disagreement::None },
        draft: EditDraft::None,
    })
}

/// What the record has besides its question.
fn contents(record: &Record) -> Contents {
    Contents {
        turns: record.messages.len(),
        tool_calls: record.messages.iter().map(|turn| turn.tool_calls().len()).sum(),
        thoughts: record.messages.iter().filter(|turn| turn.thought().is_some()).count(),
    }
}
