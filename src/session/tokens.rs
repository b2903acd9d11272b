//! How many tokens each record has. `records.tokens` holds the counts of one model, the session's; what was counted
//! for others stands beside it, so that going back to a model costs no counting. A count goes when its text changes.

use rusqlite::{OptionalExtension, Transaction, params};

use super::names::{self, NameKind};
use super::{Durability, RecordRow, Result, Session, content, vectors};

/// What a stretch of counting did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountedTokens {
    pub counted: u64,
    /// Can't be cut into tokens as they are: columns only, or a conversation that the template refuses.
    pub refused: u64,
}

impl Session {
    /// The model that the counts are of.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn tokenizer(&self) -> Result<Option<String>> {
        Ok(self
            .connection
            .query_row("SELECT max(value) FROM meta WHERE key = 'tokenizer'", [], |row| row.get(0))?)
    }

    /// Makes the counts those of a model: what is known of it comes back, what is known of the last one is kept.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn use_tokenizer(&mut self, model: &str) -> Result<()> {
        let before = self.tokenizer()?;
        if before.as_deref() == Some(model) {
            return Ok(());
        }
        self.write("count tokens", Durability::WholeJobs, |transaction| {
            let new = names::intern(transaction, NameKind::Model, model)?;
            for table in ["records", "removed"] {
                if let Some(old) = &before {
                    let old = names::intern(transaction, NameKind::Model, old)?;
                    transaction.execute(
                        &format!(
                            "INSERT OR REPLACE INTO token_counts
                             SELECT ?1, id, tokens FROM {table} WHERE tokens IS NOT NULL"
                        ),
                        [old],
                    )?;
                }
                transaction.execute(
                    &format!(
                        "UPDATE {table} SET flags = flags & ~{}, tokens =
                         (SELECT tokens FROM token_counts WHERE model = ?1 AND record = {table}.id)",
                        content::REFUSED
                    ),
                    [new],
                )?;
            }
            transaction.execute("DELETE FROM token_counts WHERE model = ?1", [new])?;
            transaction.execute("INSERT OR REPLACE INTO meta VALUES ('tokenizer', ?1)", [model])?;
            Ok(())
        })
    }

    /// The records that have no count and were not refused one, in the order of their numbers.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn uncounted(&self) -> Result<Vec<i64>> {
        let query =
            format!("SELECT id FROM records WHERE tokens IS NULL AND (flags & {}) = 0", content::REFUSED);
        let mut statement = self.connection.prepare_cached(&query)?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// Counts some records' tokens for a model and stores them, as one transaction. `count` gives nothing for a row
    /// that can't be cut. Where somebody changed a text meanwhile, the stretch is counted anew.
    ///
    /// # Errors
    /// Where the session can't be read or written.
    pub fn count_tokens(
        &mut self,
        model: &str,
        ids: &[i64],
        count: impl Fn(&[RecordRow]) -> Vec<Option<u32>>,
    ) -> Result<CountedTokens> {
        self.use_tokenizer(model)?;
        loop {
            let texts = self.texts()?;
            let rows = self.rows(ids)?;
            let counts = count(&rows);
            let stored = self.write("count tokens", Durability::WholeJobs, |transaction| {
                if texts_in(transaction)? == texts {
                    store(transaction, &rows, &counts).map(Some)
                } else {
                    Ok(None)
                }
            })?;
            if let Some(counted) = stored {
                return Ok(counted);
            }
        }
    }

    /// Moves whenever a record's text changes.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn texts(&self) -> Result<i64> {
        texts_in(&self.connection)
    }
}

fn texts_in(connection: &rusqlite::Connection) -> Result<i64> {
    let moved = connection
        .prepare_cached("SELECT value FROM meta WHERE key = 'texts'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(moved.unwrap_or_default())
}

fn store(transaction: &Transaction<'_>, rows: &[RecordRow], counts: &[Option<u32>]) -> Result<CountedTokens> {
    let mut counted = CountedTokens::default();
    let mut put = transaction.prepare_cached("UPDATE records SET tokens = ?2 WHERE id = ?1")?;
    let refuse = format!("UPDATE records SET flags = flags | {} WHERE id = ?1", content::REFUSED);
    let mut refuse = transaction.prepare_cached(&refuse)?;
    for (row, count) in rows.iter().zip(counts) {
        if let Some(tokens) = count {
            put.execute(params![row.id.0, tokens])?;
            counted.counted += 1;
        } else {
            refuse.execute([row.id.0])?;
            counted.refused += 1;
        }
    }
    Ok(counted)
}

/// A record's text is another: no model's count of it holds any longer.
pub(super) fn forget(connection: &rusqlite::Connection, record: i64) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM token_counts WHERE model IN (SELECT id FROM names WHERE kind = 4) AND record = ?1",
        )?
        .execute([record])?;
    vectors::forget(connection, record)?;
    connection.prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'texts'")?.execute([])?;
    Ok(())
}
