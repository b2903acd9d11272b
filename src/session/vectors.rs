//! What records mean, as vectors of length 1 by a model: kept by record, gone when its text changes. Knows no model:
//! vectors are handed in.

use rusqlite::{Connection, OptionalExtension, params};

use super::names::{self, NameKind};
use super::{Durability, Result, Session, content, read};

/// The step of the schema: vectors by record and model (names of kind 4), f32, little-endian.
pub(super) const VECTORS: &str = "
CREATE TABLE record_vectors (
    record INTEGER NOT NULL,
    model INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (model, record)
);
CREATE INDEX record_vectors_record ON record_vectors (record);
";

/// Records in the answer at most, the nearest of all.
const MOST: usize = 100;
/// Records whose cosine is less are about something else.
const NEAR: f32 = 0.5;

impl Session {
    /// The model that records are compared by; none if they are compared by their words.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn similar_by(&self) -> Result<Option<String>> {
        model(&self.connection)
    }

    /// Compares records by a model from now on.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn find_similar_by(&mut self, model: &str) -> Result<()> {
        if self.similar_by()?.as_deref() == Some(model) {
            return Ok(());
        }
        self.write("choose how records are compared", Durability::EveryChange, |transaction| {
            transaction.execute("INSERT OR REPLACE INTO meta VALUES ('similar_by', ?1)", [model])?;
            Ok(())
        })
    }

    /// Records without a vector by a model, in the order of their numbers.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn without_vectors(&self, model: &str) -> Result<Vec<i64>> {
        let model = names::find(&self.connection, NameKind::Model, model)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM records WHERE NOT EXISTS
             (SELECT 1 FROM record_vectors WHERE model = ?1 AND record = records.id) ORDER BY id",
        )?;
        let ids = statement.query_map([model], |row| row.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// Computes the vectors of some records' texts and keeps them, as one transaction. Where somebody changed a text
    /// meanwhile, they are computed anew.
    ///
    /// # Errors
    /// Where the session can't be read or written, or what computes gives up.
    pub fn keep_vectors<E: From<super::SessionError>>(
        &mut self,
        model: &str,
        ids: &[i64],
        mut embed: impl FnMut(&[&str]) -> std::result::Result<Vec<Vec<f32>>, E>,
    ) -> std::result::Result<(), E> {
        loop {
            let before = self.texts()?;
            let mut texts: Vec<(i64, String)> = Vec::with_capacity(ids.len());
            for &id in ids {
                // It may be gone by now.
                texts.extend(text(&self.connection, id)?.map(|text| (id, text)));
            }
            let words: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
            let vectors = embed(&words)?;
            let kept = self.write("keep what records mean", Durability::WholeJobs, |transaction| {
                let now: i64 =
                    transaction
                        .query_row("SELECT value FROM meta WHERE key = 'texts'", [], |row| row.get(0))?;
                if now != before {
                    return Ok(false);
                }
                let model = names::intern(transaction, NameKind::Model, model)?;
                let sql = "INSERT OR REPLACE INTO record_vectors (record, model, vector) VALUES (?1, ?2, ?3)";
                let mut put = transaction.prepare_cached(sql)?;
                for ((id, _), vector) in texts.iter().zip(&vectors) {
                    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
                    put.execute(params![id, model, bytes])?;
                }
                Ok(true)
            })?;
            if kept {
                return Ok(());
            }
        }
    }
}

fn model(connection: &Connection) -> Result<Option<String>> {
    let asked = "SELECT value FROM meta WHERE key = 'similar_by'";
    Ok(connection.prepare_cached(asked)?.query_row([], |row| row.get(0)).optional()?)
}

/// The numbers of the records that mean what one does, that one among them. Nothing if it has no vector by the model that
/// records are compared by.
pub(super) fn near(connection: &Connection, record: i64) -> Result<Option<Vec<i64>>> {
    let Some(model) = model(connection)? else { return Ok(None) };
    let Some(model) = names::find(connection, NameKind::Model, &model)? else { return Ok(None) };
    let own: Option<Vec<u8>> = connection
        .prepare_cached("SELECT vector FROM record_vectors WHERE model = ?1 AND record = ?2")?
        .query_row([model, record], |row| row.get(0))
        .optional()?;
    let Some(own) = own else { return Ok(None) };
    let own = values(&own);
    let mut statement = connection.prepare_cached(
        "SELECT record, vector FROM record_vectors JOIN records ON records.id = record WHERE model = ?1",
    )?;
    let mut rows = statement.query([model])?;
    let mut near: Vec<(f32, i64)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let bytes = row.get_ref(1)?.as_blob().unwrap_or_default();
        let cosine = dot(&own, bytes);
        if id == record || cosine >= NEAR {
            near.push((if id == record { f32::INFINITY } else { cosine }, id));
        }
    }
    near.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let mut found: Vec<i64> = near.into_iter().take(MOST).map(|(_, id)| id).collect();
    found.sort_unstable();
    Ok(Some(found))
}

/// A record's text as it is searched and compared.
pub(super) fn text(connection: &Connection, record: i64) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT fields, body FROM contents WHERE id = ?1")?;
    let mut rows = statement.query([record])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(content::searchable(read::text(row, 0)?.unwrap_or_default(), read::text(row, 1)?)))
}

fn values(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

/// With a vector as it is kept; one of another length is another model's, and far.
fn dot(own: &[f32], bytes: &[u8]) -> f32 {
    let words = bytes.as_chunks::<4>().0;
    if words.len() != own.len() {
        return -1.0;
    }
    own.iter().zip(words).map(|(value, &word)| value * f32::from_le_bytes(word)).sum()
}

/// A record's text is another: no model's vector of it holds any longer.
pub(super) fn forget(connection: &Connection, record: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM record_vectors WHERE record = ?1")?.execute([record])?;
    Ok(())
}
