//! What stands beside reflections and verdicts for the person at the keyboard: texts that were begun and not saved,
//! earlier comments to write again, and how the texts of the queue begin.

use rusqlite::{Connection, OptionalExtension, params};

use super::review_leads::key;
use super::review_sets::asked;
use super::{Durability, Result, Session, now};
use crate::domain::record::RecordId;
use crate::domain::reflection::{PREFERRED_BLIND, ReflectionId, Verdict};
use crate::domain::review::{DraftText, Glimpse, Reviewed};
use crate::domain::thought::ThoughtId;

/// Of a text: as much as a wide table shows.
const GLIMPSE: usize = 240;
/// Comments that are offered again.
const COMMENTS: i64 = 40;

impl Session {
    /// Keeps what this person has written of a correction and not saved, in the place of an earlier draft of it; or
    /// lets go of that.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn keep_review_draft(&mut self, of: Reviewed, draft: Option<&DraftText>) -> Result<()> {
        let who = self.who.clone();
        // Comes with every key: the last of them may be lost in a power cut, no more.
        self.write("keep a draft", Durability::WholeJobs, |transaction| {
            let Some(draft) = draft else { return forget_draft(transaction, of, &who) };
            let (kind, id) = key(of);
            transaction.execute(
                "INSERT OR REPLACE INTO review_drafts (kind, id, who, text, analysis, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![kind, id, who, draft.text, draft.analysis, draft.at],
            )?;
            Ok(())
        })
    }

    /// What this person has written of a correction and not saved.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn draft(&self, of: Reviewed) -> Result<Option<DraftText>> {
        let (kind, id) = key(of);
        let mut statement = self.connection.prepare_cached(
            "SELECT text, analysis, at FROM review_drafts WHERE kind = ?1 AND id = ?2 AND who = ?3",
        )?;
        let draft = statement.query_row(params![kind, id, self.who], |row| {
            Ok(DraftText { text: row.get(0)?, analysis: row.get(1)?, at: row.get(2)? })
        });
        Ok(draft.optional()?)
    }

    /// Everything that this person has begun and not saved.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn review_drafts(&self) -> Result<Vec<Reviewed>> {
        let mut statement =
            self.connection.prepare_cached("SELECT kind, id FROM review_drafts WHERE who = ?1")?;
        let drafts = statement.query_map([&self.who], |row| {
            let id = row.get(1)?;
            Ok(match row.get(0)? {
                0 => Reviewed::Correction(ReflectionId(id)),
                _ => Reviewed::Thought(ThoughtId(id)),
            })
        })?;
        Ok(drafts.collect::<rusqlite::Result<_>>()?)
    }

    /// What people said with this verdict, the last first, each once.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn comments(&self, verdict: Verdict) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT comment FROM verdicts WHERE verdict = ?1 AND undone = 0 AND comment NOT IN ('', ?2)
             GROUP BY comment ORDER BY max(step) DESC LIMIT ?3",
        )?;
        let comments =
            statement.query_map(params![verdict as i64, PREFERRED_BLIND, COMMENTS], |row| row.get(0))?;
        Ok(comments.collect::<rusqlite::Result<_>>()?)
    }

    /// How a row of the queue begins: the question that was answered, and the text as it would be trained on. Nothing
    /// where it is gone.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn glimpse(&self, of: Reviewed) -> Result<Option<Glimpse>> {
        let query = match of {
            Reviewed::Correction(_) => {
                "SELECT record, substr(coalesce(edited, corrected), 1, ?2) FROM reflections
                 WHERE id = ?1 AND record IN (SELECT id FROM records)"
            }
            Reviewed::Thought(_) => {
                "SELECT record, substr(text, 1, ?2) FROM thoughts
                 WHERE id = ?1 AND record IN (SELECT id FROM records)"
            }
        };
        let mut statement = self.connection.prepare_cached(query)?;
        let found = statement.query_row(params![of.number(), GLIMPSE as i64], |row| {
            Ok((RecordId(row.get(0)?), row.get::<_, String>(1)?))
        });
        let Some((record, text)) = found.optional()? else { return Ok(None) };
        let parts = asked(&self.record(record)?);
        let parts: Vec<&str> = parts.iter().map(|(_, words)| words.as_str()).collect();
        let question = parts.join(" / ").chars().take(GLIMPSE).collect();
        Ok(Some(Glimpse { question, text }))
    }
}

/// Lets go of a person's draft: it was saved, or is not wanted.
pub(super) fn forget_draft(connection: &Connection, of: Reviewed, who: &str) -> Result<()> {
    let (kind, id) = key(of);
    connection
        .prepare_cached("DELETE FROM review_drafts WHERE kind = ?1 AND id = ?2 AND who = ?3")?
        .execute(params![kind, id, who])?;
    Ok(())
}

/// Lets go of a person's draft that says what is saved now. One that says something else is being written in another
/// window, or was left: it stays.
pub(super) fn forget_saved_draft(connection: &Connection, id: ReflectionId, who: &str) -> Result<()> {
    let (kind, id) = key(Reviewed::Correction(id));
    connection
        .prepare_cached(
            "DELETE FROM review_drafts WHERE kind = ?1 AND id = ?2 AND who = ?3 AND EXISTS (
             SELECT 1 FROM reflections WHERE reflections.id = ?2
             AND coalesce(reflections.edited, corrected) = review_drafts.text
             AND coalesce(error_analysis, '') = review_drafts.analysis)",
        )?
        .execute(params![kind, id, who])?;
    Ok(())
}

/// Before a step is undone: texts that it brought become drafts, so that nothing typed is lost.
pub(super) fn keep_what_was_edited(connection: &Connection, step: i64) -> Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO review_drafts (kind, id, who, text, analysis, at)
         SELECT 0, reflection, verdicts.reviewer, coalesce(verdicts.edited, corrected),
         coalesce(verdicts.analysis, error_analysis), ?2
         FROM verdicts JOIN reflections ON reflections.id = reflection
         WHERE step = ?1 AND (verdicts.edited IS NOT before_edited AND verdicts.edited IS NOT NULL
                              OR verdicts.analysis IS NOT before_analysis)",
        params![step, now()],
    )?;
    Ok(())
}
