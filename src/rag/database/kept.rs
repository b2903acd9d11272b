//! Embeddings by what was embedded, with which model: each is computed once.

use std::collections::HashMap;

use anyhow::{Context, Result};
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::LibraryDatabase;
use crate::rag::embedding::EmbeddingModel;

/// The first half of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextHash(pub [u8; 16]);

impl TextHash {
    /// Two hexadecimal digits for each byte.
    #[must_use]
    pub fn to_hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// What [`Self::to_hex`] wrote.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        u128::from_str_radix(digits, 16)
            .ok()
            .filter(|_| digits.len() == 32)
            .map(|all| Self(all.to_be_bytes()))
    }
}

/// The hash of a text, or of a file's bytes.
#[must_use]
pub fn text_hash(bytes: &[u8]) -> TextHash {
    let mut half = [0; 16];
    half.iter_mut().zip(Sha256::digest(bytes)).for_each(|(to, from)| *to = from);
    TextHash(half)
}

impl ToSql for TextHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for TextHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}

/// The number of a model within a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelNumber(pub(super) i64);

impl ModelNumber {
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0
    }
}

impl LibraryDatabase {
    /// The model that this library's chunks are found by, if one has been chosen.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn model(&self) -> Result<Option<(ModelNumber, EmbeddingModel)>> {
        let Some(number) = self.meta("model")? else { return Ok(None) };
        let number: i64 = number.parse().context("read the library's model")?;
        let read = |row: &Row<'_>| {
            Ok(EmbeddingModel {
                name: row.get(0)?,
                dimensions: row.get::<_, i64>(1)? as usize,
                passage_prefix: row.get(2)?,
                query_prefix: row.get(3)?,
                endpoint: row.get(4)?,
            })
        };
        let model = self.connection.query_row(
            "SELECT name, dimensions, passage_prefix, query_prefix, endpoint FROM models WHERE id = ?",
            [number],
            read,
        );
        Ok(model.optional().context("read the library's model")?.map(|model| (ModelNumber(number), model)))
    }

    /// Chooses the model that chunks are found by; embeddings of others stay, and are used again when theirs is chosen
    /// again.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn choose(&mut self, model: &EmbeddingModel) -> Result<ModelNumber> {
        let number = self.model_number(model)?;
        self.set_meta("model", &number.0.to_string())?;
        Ok(number)
    }

    /// The number of a model, which it gets when it is asked for first.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn model_number(&self, model: &EmbeddingModel) -> Result<ModelNumber> {
        let EmbeddingModel { name, dimensions, passage_prefix, query_prefix, endpoint } = model;
        let said = params![name, *dimensions as i64, passage_prefix, query_prefix, endpoint];
        self.connection.execute(
            "INSERT OR IGNORE INTO models (name, dimensions, passage_prefix, query_prefix, endpoint)
             VALUES (?, ?, ?, ?, ?)",
            said,
        )?;
        let number = self.connection.query_row(
            "SELECT id FROM models
             WHERE name = ? AND dimensions = ? AND passage_prefix = ? AND query_prefix = ? AND endpoint = ?",
            said,
            |row| row.get(0),
        );
        number.map(ModelNumber).context("name the library's model")
    }

    /// Takes the vectors of the library's model for those of another, which gives the same from another place.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn take_over(&mut self, model: &EmbeddingModel) -> Result<()> {
        let Some((before, _)) = self.model()? else { return Ok(()) };
        let now = self.model_number(model)?;
        let mut moved = || -> rusqlite::Result<()> {
            let change = self.connection.transaction()?;
            // What both have embedded is the same.
            change.execute(
                "UPDATE OR IGNORE embeddings SET model = ? WHERE model = ?",
                params![now.0, before.0],
            )?;
            let model = now.0.to_string();
            change.execute("INSERT OR REPLACE INTO meta VALUES ('model', ?)", params![model])?;
            change.commit()
        };
        moved().context("take over the library's embeddings")
    }

    /// Which of some texts have no embedding by a model.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn lacking(&self, model: ModelNumber, texts: &[TextHash]) -> Result<Vec<bool>> {
        let mut asked =
            self.connection.prepare_cached("SELECT 1 FROM embeddings WHERE model = ? AND text = ?")?;
        let lacks = |text: &TextHash| asked.exists(params![model.0, text.0]).map(|is_there| !is_there);
        texts.iter().map(lacks).collect::<rusqlite::Result<_>>().context("read the library's embeddings")
    }

    /// Keeps embeddings, all of them or none.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn keep(&mut self, model: ModelNumber, embedded: &[(TextHash, Vec<f32>)]) -> Result<()> {
        let mut keep = || -> rusqlite::Result<()> {
            let change = self.connection.transaction()?;
            let sql = "INSERT OR IGNORE INTO embeddings (model, text, vector) VALUES (?, ?, ?)";
            let mut add = change.prepare_cached(sql)?;
            for (text, vector) in embedded {
                add.execute(params![model.0, text, bytes_of(vector)])?;
            }
            drop(add);
            change.commit()
        };
        keep().context("keep embeddings in the library")
    }

    /// The kept vectors of some chunks, by the chunks' numbers.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn vectors_of(&self, model: ModelNumber, chunks: &[u64]) -> Result<HashMap<u64, Vec<f32>>> {
        let mut asked = self.connection.prepare_cached(
            "SELECT vector FROM embeddings, chunks
             WHERE chunks.id = ? AND embeddings.model = ? AND embeddings.text = chunks.embedded",
        )?;
        let mut vectors = HashMap::new();
        for &chunk in chunks {
            let found: Option<Vec<u8>> =
                asked.query_row(params![chunk as i64, model.0], |row| row.get(0)).optional()?;
            vectors.extend(found.map(|bytes| (chunk, vector_of(&bytes))));
        }
        Ok(vectors)
    }
}

fn bytes_of(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(super) fn vector_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect()
}
