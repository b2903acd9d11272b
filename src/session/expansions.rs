//! What was written for blueprints: which example of which cell, as which record; and what checks did not let through,
//! kept with its reason.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Row, Transaction, params};

use super::change::{self, ChangeKind};
use super::content::{self, Prepared};
use super::{Durability, Result, Session, index, insert};
use crate::domain::coverage::{BlueprintCoverage, CellCoverage, CellName};
use crate::domain::record::{Record, RecordId, Status};
use crate::ground::clock;

/// An example as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandedExample {
    pub blueprint: String,
    pub version: String,
    pub cell: CellName,
    pub number: u32,
    /// Who wrote it.
    pub teacher: String,
    pub outcome: ExpandedOutcome,
}

/// What became of an example.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpandedOutcome {
    Kept(Box<Record>),
    Rejected { reason: String, words: String, raw: String },
}

/// An example that checks did not let through.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RejectedExample {
    #[serde(flatten)]
    pub cell: CellName,
    pub number: u32,
    pub teacher: String,
    /// A short name, for counting.
    pub reason: String,
    pub words: String,
    /// What was written.
    pub raw: String,
}

/// What was written of one cell so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenCell {
    /// Examples that need no asking: kept, taken out by a person, or rejected under this version of the blueprint.
    pub done: BTreeSet<u32>,
    /// Those that are in the session, and were not rejected by a person.
    pub good: u64,
}

impl Session {
    /// Remembers how many examples each cell is to have.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn remember_plan(
        &mut self,
        blueprint: &str,
        version: &str,
        planned: &[(CellName, u64)],
    ) -> Result<()> {
        let plan = serde_json::to_string(planned)?;
        self.write("plan a blueprint", Durability::EveryChange, |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO blueprints VALUES (?1, ?2, ?3, ?4)",
                params![blueprint, version, plan, clock::milliseconds()],
            )?;
            Ok(())
        })
    }

    /// What was written for a blueprint, by cell.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn written_of(&self, blueprint: &str, version: &str) -> Result<HashMap<CellName, WrittenCell>> {
        let mut statement = self.connection.prepare(
            "SELECT subtopic, evolution, form, number, version, expanded.record,
                 records.status, removed.removed_by <> removed.change
             FROM expanded LEFT JOIN records ON records.id = expanded.record
                 LEFT JOIN removed ON removed.id = expanded.record
             WHERE blueprint = ?1",
        )?;
        let mut cells: HashMap<CellName, WrittenCell> = HashMap::new();
        let mut rows = statement.query([blueprint])?;
        while let Some(row) = rows.next()? {
            let (number, record): (u32, Option<i64>) = (row.get(3)?, row.get(5)?);
            let (status, taken_out): (Option<i64>, Option<bool>) = (row.get(6)?, row.get(7)?);
            let done = match record {
                // Undone with its whole expansion: it is kept again, and costs nothing.
                Some(_) => status.is_some() || taken_out == Some(true),
                // Other checks may let it through.
                None => row.get::<_, String>(4)? == version,
            };
            let cell = cells.entry(cell(row)?).or_default();
            if done {
                cell.done.insert(number);
            }
            cell.good += u64::from(status.is_some_and(|status| status != Status::Rejected as i64));
        }
        Ok(cells)
    }

    /// Keeps an example, or why it is none. All records of one run are one change, which is begun with the first; a run
    /// that was undone while it goes on begins another.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is kept.
    pub fn keep_expanded(
        &mut self,
        change: &mut Option<i64>,
        example: ExpandedExample,
    ) -> Result<Option<RecordId>> {
        let who = self.who.clone();
        let ExpandedExample { blueprint, version, cell, number, teacher, outcome } = example;
        let what = format!("expand {blueprint}");
        let (prepared, [reason, words, raw]) = match outcome {
            ExpandedOutcome::Kept(record) => (Some(Prepared::of(*record)?), Default::default()),
            ExpandedOutcome::Rejected { reason, words, raw } => (None, [reason, words, raw]),
        };
        let begun = *change;
        let (now, record) = self.write(&what, Durability::WholeJobs, |transaction| {
            let (now, record) = match &prepared {
                Some(prepared) => {
                    let now = open(transaction, begun, &who, &what)?;
                    (Some(now), Some(add(transaction, now, prepared)?))
                }
                None => (begun, None),
            };
            let mut insert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO expanded VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            let CellName { subtopic, evolution, form } = &cell;
            let at = clock::milliseconds();
            insert.execute(params![
                blueprint, subtopic, evolution, form, number, version, teacher, record, reason, words, raw,
                at
            ])?;
            Ok((now, record))
        })?;
        *change = now;
        Ok(record.map(RecordId))
    }

    /// What there is of every blueprint that was planned here.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn coverage(&self) -> Result<Vec<BlueprintCoverage>> {
        let mut statement =
            self.connection.prepare_cached("SELECT name, plan FROM blueprints ORDER BY name")?;
        let plans = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let plans: Vec<(String, String)> = plans.collect::<rusqlite::Result<_>>()?;
        plans.into_iter().map(|(name, plan)| self.coverage_of(name, &plan)).collect()
    }

    fn coverage_of(&self, blueprint: String, plan: &str) -> Result<BlueprintCoverage> {
        let planned: Vec<(CellName, u64)> = serde_json::from_str(plan)?;
        let mut cells: Vec<CellCoverage> =
            planned.into_iter().map(|(cell, planned)| CellCoverage::of(cell, planned)).collect();
        let mut places: BTreeMap<CellName, usize> =
            cells.iter().enumerate().map(|(place, cell)| (cell.cell.clone(), place)).collect();
        let mut statement = self.connection.prepare_cached(
            "SELECT subtopic, evolution, form, count(records.id),
                 count(*) FILTER (WHERE records.status = 1), count(*) FILTER (WHERE records.status = 2),
                 count(*) FILTER (WHERE record IS NULL)
             FROM expanded LEFT JOIN records ON records.id = expanded.record
             WHERE blueprint = ?1 GROUP BY subtopic, evolution, form",
        )?;
        let mut rows = statement.query([&blueprint])?;
        while let Some(row) = rows.next()? {
            let name = cell(row)?;
            // Of a cell that the blueprint has no more.
            let place = *places.entry(name.clone()).or_insert_with(|| {
                cells.push(CellCoverage::of(name, 0));
                cells.len() - 1
            });
            let Some(cell) = cells.get_mut(place) else { continue };
            let count = |column: usize| row.get::<_, i64>(column).map(|count| count as u64);
            (cell.kept, cell.approved) = (count(3)?, count(4)?);
            (cell.refused, cell.rejected) = (count(5)?, count(6)?);
        }
        Ok(BlueprintCoverage { blueprint, cells })
    }

    /// The examples of a blueprint that checks did not let through, in the order of their cells.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn rejected_examples(&self, blueprint: &str) -> Result<Vec<RejectedExample>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT subtopic, evolution, form, number, teacher, reason, words, raw FROM expanded
             WHERE blueprint = ?1 AND record IS NULL ORDER BY subtopic, evolution, form, number",
        )?;
        let rows = statement.query_map([blueprint], |row| {
            Ok(RejectedExample {
                cell: cell(row)?,
                number: row.get(3)?,
                teacher: row.get(4)?,
                reason: row.get(5)?,
                words: row.get(6)?,
                raw: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Records of a blueprint that wait for a person, and all that are there.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn undecided_of(&self, blueprint: &str) -> Result<(u64, u64)> {
        Ok(self.connection.query_row(
            "SELECT count(*) FILTER (WHERE records.status = 0), count(*)
             FROM expanded JOIN records ON records.id = expanded.record WHERE blueprint = ?1",
            [blueprint],
            |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)),
        )?)
    }
}

fn cell(row: &Row<'_>) -> rusqlite::Result<CellName> {
    Ok(CellName { subtopic: row.get(0)?, evolution: row.get(1)?, form: row.get(2)? })
}

/// The run's change, begun if there is none or if it was undone meanwhile.
fn open(transaction: &Transaction<'_>, begun: Option<i64>, who: &str, what: &str) -> Result<i64> {
    let holds = |change: i64| {
        let mut statement = transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM changes WHERE id = ?1 AND state = 0)")?;
        statement.query_row([change], |row| row.get::<_, bool>(0))
    };
    match begun {
        Some(change) if holds(change)? => Ok(change),
        Some(_) | None => change::open(transaction, who, ChangeKind::Import, what),
    }
}

fn add(transaction: &Transaction<'_>, change: i64, record: &Prepared) -> Result<i64> {
    let number = insert::next_record(transaction)?;
    insert::insert_records(transaction, change, number, &[record])?;
    insert::set_next_record(transaction, number + 1)?;
    let text = content::searchable(&record.fields, record.body.as_deref());
    index::replace(transaction, number, &text)?;
    transaction
        .prepare_cached("UPDATE changes SET records = records + 1 WHERE id = ?1")?
        .execute([change])?;
    Ok(number)
}

/// Plans of blueprints, and what was written for them.
pub(super) const EXPANSIONS: &str = "
-- `plan`: how many examples each cell is to have, as JSON in the blueprint's order.
CREATE TABLE blueprints (name TEXT PRIMARY KEY, version TEXT NOT NULL, plan TEXT NOT NULL, at INTEGER NOT NULL)
    WITHOUT ROWID;
-- One row for each example that was written; `record` is NULL for one that checks did not let through.
CREATE TABLE expanded (
    blueprint TEXT NOT NULL,
    subtopic TEXT NOT NULL,
    evolution TEXT NOT NULL,
    form TEXT NOT NULL,
    number INTEGER NOT NULL,
    version TEXT NOT NULL,
    teacher TEXT NOT NULL,
    record INTEGER,
    reason TEXT NOT NULL,
    words TEXT NOT NULL,
    raw TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (blueprint, subtopic, evolution, form, number)
) WITHOUT ROWID;
";
