//! What a check found, kept so that `check:NAME` filters by it; and scores, kept beside the record.

use std::collections::BTreeMap;

use rusqlite::params;

use super::{Durability, Result, Session};
use crate::domain::record::RecordId;
use crate::ground::clock;

impl Session {
    /// Replaces what checks have found before, those that found nothing among them.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn replace_findings(&mut self, found: &BTreeMap<&str, Vec<(RecordId, String)>>) -> Result<()> {
        self.write("dojo data check", Durability::WholeJobs, |transaction| {
            let mut clear = transaction.prepare_cached("DELETE FROM findings WHERE check_name = ?1")?;
            let mut insert =
                transaction.prepare_cached("INSERT OR REPLACE INTO findings VALUES (?1, ?2, ?3)")?;
            for (check, records) in found {
                clear.execute([check])?;
                for (record, note) in records {
                    insert.execute(params![check, record.0, note])?;
                }
            }
            transaction
                .execute("INSERT OR REPLACE INTO meta VALUES ('checked_at', ?1)", [clock::milliseconds()])?;
            Ok(())
        })
    }

    /// What checks have found, by name; nothing where none has run.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn findings(&self) -> Result<Option<BTreeMap<String, u64>>> {
        let at: Option<i64> =
            self.connection
                .query_row("SELECT max(value) FROM meta WHERE key = 'checked_at'", [], |row| row.get(0))?;
        if at.is_none() {
            return Ok(None);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT check_name, count(*) FROM findings CROSS JOIN records ON records.id = record GROUP BY check_name",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
        Ok(Some(rows.collect::<rusqlite::Result<_>>()?))
    }

    /// What checks have found in one record: their names and words.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn findings_of(&self, record: RecordId) -> Result<Vec<(String, String)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT check_name, note FROM findings WHERE record = ?1 ORDER BY check_name")?;
        let rows = statement.query_map([record.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
