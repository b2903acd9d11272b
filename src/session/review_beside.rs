//! What stands beside reflections and verdicts for the person at the keyboard: earlier comments to write again, and how
//! the texts of the queue begin.

use rusqlite::{OptionalExtension, params};

use super::review_sets::asked;
use super::{Result, Session};
use crate::domain::record::RecordId;
use crate::domain::reflection::{PREFERRED_BLIND, Verdict};
use crate::domain::review::{Glimpse, Reviewed};

/// Of a text: as much as a wide table shows.
const GLIMPSE: usize = 240;
/// Comments that are offered again.
const COMMENTS: i64 = 40;

impl Session {
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
