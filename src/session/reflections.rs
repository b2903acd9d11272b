//! Reflections and the verdicts on them. A verdict is committed before it is shown, and every one can be undone.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Durability, Result, Session, SessionError, now};
use crate::domain::record::RecordId;
use crate::domain::reflection::{Reflection, ReflectionId, Verdict};
use crate::domain::thought::ThoughtId;

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The text as the person left it; only with [`Verdict::Edited`].
    pub edited: Option<String>,
    /// Why it was rejected.
    pub comment: String,
}

/// What there is to review and what is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReviewCounts {
    pub pending: u64,
    pub approved: u64,
    pub edited: u64,
    pub rejected: u64,
    /// Right thoughts and accepted corrections, the latter only where they reach the label.
    pub ready_for_sft: u64,
    /// Accepted corrections against the flawed thoughts.
    pub preference_pairs: u64,
}

const COLUMNS: &str =
    "id, record, thought, error_analysis, corrected, label, teacher, prompt, verdict, edited, score,
    reasons, reviewer, comment";

/// Holds for a reflection that may be trained on: accepted, and it leads to the thought's true label. What a person
/// has written leads where the person wants it.
const READY: &str = "(verdict = 2 OR verdict = 1 AND EXISTS
    (SELECT 1 FROM thoughts WHERE thoughts.id = reflections.thought AND thoughts.truth = reflections.label))
    AND record IN (SELECT id FROM records)";

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
        let who = self.who.clone();
        self.write("decide on reflections", Durability::EveryChange, |transaction| {
            let step: i64 =
                transaction
                    .query_row("SELECT coalesce(max(step), 0) + 1 FROM verdicts", [], |row| row.get(0))?;
            let mut decided = 0;
            for id in ids {
                decided += decide(transaction, step, *id, decision, &who)?;
            }
            Ok(decided)
        })
    }

    /// Takes the last decision back; says which reflections it met.
    ///
    /// # Errors
    /// Where there is none, or the session can't be written.
    pub fn undo_verdict(&mut self) -> Result<Vec<ReflectionId>> {
        self.write("undo a verdict", Durability::EveryChange, |transaction| {
            let step: Option<i64> =
                transaction
                    .query_row("SELECT max(step) FROM verdicts WHERE undone = 0", [], |row| row.get(0))?;
            let step = step.ok_or(SessionError::NothingLeft("undo"))?;
            transaction.execute(
                "UPDATE reflections SET verdict = before_verdict, edited = before_edited,
                 comment = before_comment, reviewer = before_reviewer
                 FROM verdicts WHERE verdicts.reflection = reflections.id AND verdicts.step = ?1",
                [step],
            )?;
            transaction.execute("UPDATE verdicts SET undone = 1 WHERE step = ?1", [step])?;
            let mut statement =
                transaction.prepare("SELECT reflection FROM verdicts WHERE step = ?1 ORDER BY reflection")?;
            let ids = statement.query_map([step], |row| Ok(ReflectionId(row.get(0)?)))?;
            Ok(ids.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Keeps a judge's score, and the text that it improved, where it did.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn judge(
        &mut self,
        id: ReflectionId,
        score: u8,
        reasons: &str,
        improved: Option<(&str, &str)>,
    ) -> Result<()> {
        self.write("keep a judgement", Durability::WholeJobs, |transaction| {
            transaction.execute(
                "UPDATE reflections SET score = ?2, reasons = ?3 WHERE id = ?1",
                params![id.0, score, reasons],
            )?;
            if let Some((text, label)) = improved {
                transaction.execute(
                    "UPDATE reflections SET corrected = ?2, label = ?3 WHERE id = ?1 AND verdict = 0",
                    params![id.0, text, label],
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
        Ok(ReviewCounts {
            pending: count("reflections WHERE verdict = 0")?,
            approved: count("reflections WHERE verdict = 1")?,
            edited: count("reflections WHERE verdict = 2")?,
            rejected: count("reflections WHERE verdict = 3")?,
            ready_for_sft: lessons,
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

fn add(connection: &Connection, reflection: &Reflection) -> Result<ReflectionId> {
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
             edited, score, reasons, reviewer, comment, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
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
            now()
        ])?;
    Ok(ReflectionId(id))
}

fn decide(
    connection: &Connection,
    step: i64,
    id: ReflectionId,
    decision: &Decision,
    who: &str,
) -> Result<u64> {
    let kept = connection
        .prepare_cached(
            "INSERT INTO verdicts (step, reflection, verdict, edited, comment, reviewer, at, undone,
             before_verdict, before_edited, before_comment, before_reviewer)
             SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, 0, verdict, edited, comment, reviewer
             FROM reflections WHERE id = ?2",
        )?
        .execute(params![
            step,
            id.0,
            number(decision.verdict),
            decision.edited,
            decision.comment,
            who,
            now()
        ])?;
    let reviewer = if decision.verdict == Verdict::Pending { "" } else { who };
    connection
        .prepare_cached(
            "UPDATE reflections SET verdict = ?2, edited = ?3, comment = ?4, reviewer = ?5 WHERE id = ?1",
        )?
        .execute(params![id.0, number(decision.verdict), decision.edited, decision.comment, reviewer])?;
    Ok(kept as u64)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(ReflectionId, Reflection)> {
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
            verdict: Verdict::ALL.into_iter().find(|known| number(*known) == verdict).unwrap_or_default(),
            edited: row.get(9)?,
            score: row.get(10)?,
            reasons: row.get(11)?,
            reviewer: row.get(12)?,
            comment: row.get(13)?,
        },
    ))
}
