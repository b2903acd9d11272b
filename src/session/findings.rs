//! What a check found, kept so that `check:NAME` filters by it; and scores, kept beside the record.

use rusqlite::params;

use super::{Durability, Result, Session};
use crate::domain::record::RecordId;

impl Session {
    /// Replaces what a check found before.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn replace_findings(&mut self, check: &str, found: &[(RecordId, String)]) -> Result<()> {
        self.write("dojo data check", Durability::WholeJobs, |transaction| {
            transaction.execute("DELETE FROM findings WHERE check_name = ?1", [check])?;
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO findings VALUES (?1, ?2, ?3)")?;
            for (record, note) in found {
                insert.execute(params![check, record.0, note])?;
            }
            Ok(())
        })
    }

    /// Stores a score (a judge's, for instance) of each record.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn store_scores(&mut self, scores: &[(RecordId, f64)]) -> Result<()> {
        self.write("store scores", Durability::WholeJobs, |transaction| {
            let mut update = transaction.prepare_cached("UPDATE records SET score = ?2 WHERE id = ?1")?;
            for (record, score) in scores {
                update.execute(params![record.0, score])?;
            }
            Ok(())
        })
    }
}
