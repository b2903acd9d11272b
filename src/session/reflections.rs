//! Reflections and the verdicts on them. A verdict is committed before it is shown, and every one can be undone.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::drafts::{forget_saved_draft, keep_what_was_edited};
use super::{Durability, Result, Session, SessionError};
use crate::domain::record::RecordId;
use crate::domain::reflection::{Decision, Reflection, ReflectionId, Verdict};
use crate::domain::review::{LastStep, ReviewCounts};
use crate::domain::thought::{Thought, ThoughtId};
use crate::ground::clock;

pub(super) const COLUMNS: &str =
    "id, record, thought, error_analysis, corrected, label, teacher, prompt, verdict, edited, score,
    reasons, reviewer, comment, judge, improved_by";

/// Holds for a reflection that may be trained on: accepted, and it leads to the thought's true label. What a person
/// has written leads where the person wants it.
const READY: &str = "(verdict = 2 OR verdict = 1 AND EXISTS
    (SELECT 1 FROM thoughts WHERE thoughts.id = reflections.thought AND thoughts.truth = reflections.label))
    AND record IN (SELECT id FROM records)";

/// Holds for a wrong thought `t` that nobody has corrected.
pub(super) const UNCORRECTED: &str = "t.truth IS NOT NULL AND t.label <> t.truth
    AND NOT EXISTS (SELECT 1 FROM reflections WHERE thought = t.id) AND t.record IN (SELECT id FROM records)";

/// What a judge said of a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeWord<'a> {
    /// 1 to 5.
    pub score: u8,
    pub reasons: &'a str,
    /// Who judged, and with which version of the prompt.
    pub judge: &'a str,
    pub improved: Option<Improved<'a>>,
}

/// A text that stands in the place of the teacher's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Improved<'a> {
    pub text: &'a str,
    pub label: &'a str,
    pub by: &'a str,
}

impl Session {
    /// Adds reflections. One that is there already (same thought, teacher and corrected text) is not added again.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is added.
    pub fn add_reflections(&mut self, reflections: &[Reflection]) -> Result<Vec<ReflectionId>> {
        self.write("add reflections", Durability::WholeJobs, |transaction| {
            reflections.iter().map(|reflection| add(transaction, reflection)).collect()
        })
    }

    /// One reflection, where it is there.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn reflection(&self, id: ReflectionId) -> Result<Option<Reflection>> {
        let query = format!("SELECT {COLUMNS} FROM reflections WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&query)?;
        Ok(statement.query_row([id.0], read).optional()?.map(|(_, reflection)| reflection))
    }

    /// How a reflection stands, where it is there.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn verdict_of(&self, id: ReflectionId) -> Result<Option<Verdict>> {
        let mut statement =
            self.connection.prepare_cached("SELECT verdict FROM reflections WHERE id = ?1")?;
        Ok(statement.query_row([id.0], |row| Ok(verdict(row.get(0)?))).optional()?)
    }

    /// All reflections with this verdict, or all, in order.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn reflections(&self, verdict: Option<Verdict>) -> Result<Vec<(ReflectionId, Reflection)>> {
        let query = format!(
            "SELECT {COLUMNS} FROM reflections WHERE (?1 IS NULL OR verdict = ?1)
             AND record IN (SELECT id FROM records) ORDER BY id"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([verdict.map(number)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The first undecided reflection behind one, in order of their numbers; the first at all behind the last.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn next_pending(&self, behind: Option<ReflectionId>) -> Result<Option<ReflectionId>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM reflections WHERE verdict = 0 ORDER BY id <= ?1, id LIMIT 1")?;
        let behind = behind.map_or(0, |id| id.0);
        Ok(statement.query_row([behind], |row| Ok(ReflectionId(row.get(0)?))).optional()?)
    }

    /// Decides on reflections, as one step that [`Session::undo_verdict`] takes back whole.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is decided.
    pub fn decide(&mut self, ids: &[ReflectionId], decision: &Decision) -> Result<u64> {
        let (who, window) = (self.who.clone(), self.window.clone());
        self.write("decide on reflections", Durability::EveryChange, |transaction| {
            let step = next_step(transaction)?;
            let mut decided = 0;
            for id in ids {
                decided += decide(transaction, step, *id, decision, &who)?;
                forget_saved_draft(transaction, *id, &who, &window)?;
            }
            Ok(decided)
        })
    }

    /// What [`Session::undo_verdict`] would take back; nothing when nothing is left.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn last_step(&self) -> Result<Option<LastStep>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT step, verdict, count(*), max(at) FROM verdicts
             WHERE step = (SELECT max(step) FROM verdicts WHERE undone = 0 AND reviewer = ?1)
             GROUP BY step",
        )?;
        let step = statement.query_row([&self.who], |row| {
            Ok(LastStep {
                number: row.get(0)?,
                verdict: verdict(row.get(1)?),
                reflections: row.get::<_, i64>(2)?.unsigned_abs(),
                at: row.get(3)?,
            })
        });
        Ok(step.optional()?)
    }

    /// Takes the last decision of this person back; says which reflections it met. Where somebody else has decided
    /// since, their word stands. A text that was edited becomes a draft.
    ///
    /// # Errors
    /// Where there is none, or the session can't be written.
    pub fn undo_verdict(&mut self) -> Result<Vec<ReflectionId>> {
        let who = self.who.clone();
        self.write("undo a verdict", Durability::EveryChange, |transaction| {
            let step: Option<i64> = transaction.query_row(
                "SELECT max(step) FROM verdicts WHERE undone = 0 AND reviewer = ?1",
                [who],
                |row| row.get(0),
            )?;
            let step = step.ok_or(SessionError::NothingLeft("undo"))?;
            keep_what_was_edited(transaction, step)?;
            transaction.execute(
                "UPDATE reflections SET verdict = before_verdict, edited = before_edited,
                 comment = before_comment, reviewer = before_reviewer,
                 error_analysis = coalesce(before_analysis, error_analysis)
                 FROM verdicts WHERE verdicts.reflection = reflections.id AND verdicts.step = ?1
                 AND NOT EXISTS (SELECT 1 FROM verdicts AS later WHERE later.reflection = reflections.id
                                 AND later.step > ?1 AND later.undone = 0)",
                [step],
            )?;
            transaction.execute("UPDATE verdicts SET undone = 1 WHERE step = ?1", [step])?;
            let mut statement =
                transaction.prepare("SELECT reflection FROM verdicts WHERE step = ?1 ORDER BY reflection")?;
            let ids = statement.query_map([step], |row| Ok(ReflectionId(row.get(0)?)))?;
            Ok(ids.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Keeps a judge's word, and the text that was improved, where it was. The score is the record's too, until another
    /// correction of it is judged or its text is edited.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn judge(&mut self, id: ReflectionId, word: &JudgeWord<'_>) -> Result<()> {
        self.write("keep a judgement", Durability::WholeJobs, |transaction| {
            transaction.execute(
                "UPDATE reflections SET score = ?2, reasons = ?3, judge = ?4 WHERE id = ?1",
                params![id.0, word.score, word.reasons, word.judge],
            )?;
            transaction.execute(
                "UPDATE records SET score = ?2 WHERE id = (SELECT record FROM reflections WHERE id = ?1)",
                params![id.0, word.score],
            )?;
            if let Some(improved) = &word.improved {
                transaction.execute(
                    "UPDATE reflections SET corrected = ?2, label = ?3, improved_by = ?4
                     WHERE id = ?1 AND verdict = 0",
                    params![id.0, improved.text, improved.label, improved.by],
                )?;
            }
            Ok(())
        })
    }

    /// Counts for the review's header.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn review_counts(&self) -> Result<ReviewCounts> {
        let count = |condition: &str| -> Result<u64> {
            let query = format!("SELECT count(*) FROM {condition}");
            Ok(self.connection.prepare_cached(&query)?.query_row([], |row| row.get::<_, i64>(0))? as u64)
        };
        let pairs = count(&format!("reflections WHERE {READY}"))?;
        let lessons = count(&format!(
            "(SELECT record, text FROM thoughts WHERE label = truth AND record IN (SELECT id FROM records)
              UNION SELECT record, coalesce(edited, corrected) FROM reflections WHERE {READY})"
        ))?;
        let thoughts: BTreeMap<ThoughtId, Thought> = self.thoughts()?.into_iter().collect();
        let left_out: HashSet<(RecordId, &str)> = self
            .contradicting(&thoughts)?
            .keys()
            .filter_map(|id| thoughts.get(id))
            .map(|thought| (thought.record, thought.text.as_str()))
            .collect();
        let contradicting = left_out.len() as u64;
        Ok(ReviewCounts {
            contradicting,
            pending: count("reflections WHERE verdict = 0")?,
            approved: count("reflections WHERE verdict = 1")?,
            edited: count("reflections WHERE verdict = 2")?,
            rejected: count("reflections WHERE verdict = 3")?,
            sent_back: count("reflections WHERE verdict = 4")?,
            uncorrected: count(&format!("thoughts AS t WHERE {UNCORRECTED}"))?,
            ready_for_sft: lessons.saturating_sub(contradicting),
            preference_pairs: pairs,
        })
    }

    /// Reflections that may be trained on, in order.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn accepted_reflections(&self) -> Result<Vec<(ReflectionId, Reflection)>> {
        let query = format!("SELECT {COLUMNS} FROM reflections WHERE {READY} ORDER BY id");
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn number(verdict: Verdict) -> i64 {
    verdict as i64
}

/// The verdict that a column holds.
pub(super) fn verdict(number: i64) -> Verdict {
    Verdict::ALL.into_iter().find(|known| *known as i64 == number).unwrap_or_default()
}

pub(super) fn add(connection: &Connection, reflection: &Reflection) -> Result<ReflectionId> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT id FROM reflections WHERE thought = ?1 AND teacher = ?2 AND corrected = ?3")?
        .query_row(params![reflection.thought.0, reflection.teacher, reflection.corrected], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(ReflectionId(id));
    }
    let id = connection
        .prepare_cached(
            "INSERT INTO reflections (record, thought, error_analysis, corrected, label, teacher, prompt, verdict,
             edited, score, reasons, reviewer, comment, at, judge, improved_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .insert(params![
            reflection.record.0,
            reflection.thought.0,
            reflection.error_analysis,
            reflection.corrected,
            reflection.label,
            reflection.teacher,
            reflection.prompt,
            number(reflection.verdict),
            reflection.edited,
            reflection.score,
            reflection.reasons,
            reflection.reviewer,
            reflection.comment,
            clock::milliseconds(),
            reflection.judge,
            reflection.improved_by
        ])?;
    if let Some(score) = reflection.score {
        let mut update = connection.prepare_cached("UPDATE records SET score = ?2 WHERE id = ?1")?;
        update.execute(params![reflection.record.0, score])?;
    }
    Ok(ReflectionId(id))
}

pub(super) fn next_step(connection: &Connection) -> Result<i64> {
    let query = "SELECT coalesce(max(step), 0) + 1 FROM verdicts";
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}

pub(super) fn decide(
    connection: &Connection,
    step: i64,
    id: ReflectionId,
    decision: &Decision,
    who: &str,
) -> Result<u64> {
    let kept = connection
        .prepare_cached(
            "INSERT INTO verdicts (step, reflection, verdict, edited, comment, reviewer, at, undone,
             before_verdict, before_edited, before_comment, before_reviewer, analysis, before_analysis)
             SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, 0, verdict, edited, comment, reviewer, ?8,
             iif(?8 IS NULL, NULL, error_analysis) FROM reflections WHERE id = ?2",
        )?
        .execute(params![
            step,
            id.0,
            number(decision.verdict),
            decision.edited,
            decision.comment,
            who,
            clock::milliseconds(),
            decision.analysis
        ])?;
    let reviewer = if decision.verdict == Verdict::Pending { "" } else { who };
    connection
        .prepare_cached(
            "UPDATE reflections SET verdict = ?2, edited = ?3, comment = ?4, reviewer = ?5,
             error_analysis = coalesce(?6, error_analysis) WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            number(decision.verdict),
            decision.edited,
            decision.comment,
            reviewer,
            decision.analysis
        ])?;
    Ok(kept as u64)
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(ReflectionId, Reflection)> {
    let verdict: i64 = row.get(8)?;
    Ok((
        ReflectionId(row.get(0)?),
        Reflection {
            record: RecordId(row.get(1)?),
            thought: ThoughtId(row.get(2)?),
            error_analysis: row.get(3)?,
            corrected: row.get(4)?,
            label: row.get(5)?,
            teacher: row.get(6)?,
            prompt: row.get(7)?,
            verdict: self::verdict(verdict),
            edited: row.get(9)?,
            score: row.get(10)?,
            reasons: row.get(11)?,
            reviewer: row.get(12)?,
            comment: row.get(13)?,
            judge: row.get(14)?,
            improved_by: row.get(15)?,
        },
    ))
}
