//! Thoughts and what could not be read as one: written by jobs and imports, never changed afterwards.

use rusqlite::{OptionalExtension, Row, params};

use super::{Durability, Result, Session};
use crate::data::rows::parse_row;
use crate::domain::record::RecordId;
use crate::domain::reflection::BY_HAND;
use crate::domain::thought::{Thought, ThoughtId};
use crate::ground::clock;

/// An answer that could not be used, kept for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// `think`, `reflect` or `judge`.
    pub job: String,
    pub record: RecordId,
    pub model: String,
    /// A short name, for counting: `cut-off`, `filtered`.
    pub reason: String,
    /// The answer as it came; empty where there was none.
    pub raw: String,
}

const COLUMNS: &str = "id, record, text, label, truth, tokens, model, prompt";

impl Session {
    /// Adds thoughts. One that is there already (same record, model and text) is not added again; its number is
    /// given back in its place.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is added.
    pub fn add_thoughts(&mut self, thoughts: &[Thought]) -> Result<Vec<ThoughtId>> {
        self.write("add thoughts", Durability::WholeJobs, |transaction| {
            let mut find = transaction
                .prepare_cached("SELECT id FROM thoughts WHERE record = ?1 AND model = ?2 AND text = ?3")?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO thoughts (record, text, label, truth, tokens, model, prompt, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            let mut ids = Vec::with_capacity(thoughts.len());
            for thought in thoughts {
                let found: Option<i64> = find
                    .query_row(params![thought.record.0, thought.model, thought.text], |row| row.get(0))
                    .optional()?;
                let id = match found {
                    Some(id) => id,
                    None => insert.insert(params![
                        thought.record.0,
                        thought.text,
                        thought.label,
                        thought.truth,
                        thought.tokens,
                        thought.model,
                        thought.prompt,
                        clock::milliseconds()
                    ])?,
                };
                ids.push(ThoughtId(id));
            }
            Ok(ids)
        })
    }

    /// Whether there is any thought at all.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn has_thoughts(&self) -> Result<bool> {
        Ok(self.connection.query_row("SELECT EXISTS (SELECT 1 FROM thoughts)", [], |row| row.get(0))?)
    }

    /// All thoughts for records that are there, in order.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn thoughts(&self) -> Result<Vec<(ThoughtId, Thought)>> {
        self.thoughts_where("record IN (SELECT id FROM records) ORDER BY id", &[])
    }

    /// One thought, where it is there.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn thought(&self, id: ThoughtId) -> Result<Option<Thought>> {
        let found = self.thoughts_where("id = ?1", &[&id.0])?;
        Ok(found.into_iter().next().map(|(_, thought)| thought))
    }

    /// Wrong thoughts that no reflection of this teacher corrects yet, or whose last one was sent back: then with what
    /// the reviewer said of it. What a person has corrected needs no teacher.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn thoughts_to_reflect(&self, teacher: &str) -> Result<Vec<(ThoughtId, Thought, String)>> {
        const LAST: &str =
            "FROM reflections WHERE thought = thoughts.id AND teacher = ?1 ORDER BY id DESC LIMIT 1";
        let query = format!(
            "SELECT {COLUMNS}, coalesce((SELECT comment {LAST}), '') FROM thoughts
             WHERE truth IS NOT NULL AND label <> truth AND record IN (SELECT id FROM records)
             AND coalesce((SELECT verdict {LAST}), 4) = 4 AND NOT EXISTS
             (SELECT 1 FROM reflections WHERE thought = thoughts.id AND prompt = ?2 AND verdict IN (0, 1, 2))
             ORDER BY id"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([teacher, BY_HAND], |row| {
            let (id, thought) = read(row)?;
            Ok((id, thought, row.get(8)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Records that have no thought of this model under this prompt, in order: what a job still has to do.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn records_to_think(&self, model: &str, prompt: &str) -> Result<Vec<RecordId>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM records WHERE NOT EXISTS
             (SELECT 1 FROM thoughts WHERE record = records.id AND model = ?1 AND prompt = ?2) ORDER BY id",
        )?;
        let ids = statement.query_map([model, prompt], |row| Ok(RecordId(row.get(0)?)))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps an answer that could not be used; an earlier one of the same job, record and model is replaced.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn set_aside(&mut self, answer: &SetAside) -> Result<()> {
        self.write("set an answer aside", Durability::WholeJobs, |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO set_aside (job, record, model, reason, raw, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    answer.job,
                    answer.record.0,
                    answer.model,
                    answer.reason,
                    answer.raw,
                    clock::milliseconds()
                ],
            )?;
            Ok(())
        })
    }

    /// What was set aside and waits for a person, in order.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn all_set_aside(&self) -> Result<Vec<SetAside>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT job, record, model, reason, raw FROM set_aside ORDER BY job, record, model",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(SetAside {
                job: row.get(0)?,
                record: RecordId(row.get(1)?),
                model: row.get(2)?,
                reason: row.get(3)?,
                raw: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every label that a record has, in order.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn label_names(&self) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare("SELECT name FROM names WHERE id IN (SELECT label FROM records) ORDER BY name")?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether the first record was imported with these columns.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn has_columns(&self, columns: &[&str]) -> Result<bool> {
        let query = "SELECT fields FROM contents WHERE id = (SELECT min(id) FROM records)";
        let fields: Option<String> = self.connection.query_row(query, [], |row| row.get(0)).optional()?;
        let (fields, _) = fields.as_deref().map(parse_row).transpose()?.unwrap_or_default();
        Ok(columns.iter().all(|column| fields.contains_key(*column)))
    }

    fn thoughts_where(
        &self,
        condition: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<(ThoughtId, Thought)>> {
        let query = format!("SELECT {COLUMNS} FROM thoughts WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<(ThoughtId, Thought)> {
    Ok((
        ThoughtId(row.get(0)?),
        Thought {
            record: RecordId(row.get(1)?),
            text: row.get(2)?,
            label: row.get(3)?,
            truth: row.get(4)?,
            tokens: row.get(5)?,
            model: row.get(6)?,
            prompt: row.get(7)?,
        },
    ))
}
