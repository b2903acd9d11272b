//! What a filter matches, in an order: the numbers of all records in it, so that any row of a million is a step away.
//!
//! Eight bytes a record; a page is read by its records' numbers, never by skipping rows.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};

use super::read::RecordRow;
use super::{Result, Session, query};
use crate::domain::change::Selection;
use crate::domain::filter::Filter;
use crate::domain::view::{SortDirection, SortField, SortOrder};

/// The records that a filter matched when it was opened, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    ids: Vec<i64>,
}

impl View {
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The numbers of the records, in order.
    #[must_use]
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// Where a record stands: a look at each number at worst, a millisecond for a million.
    #[must_use]
    pub fn position(&self, id: i64) -> Option<usize> {
        self.ids.iter().position(|&other| other == id)
    }

    /// The rows in a range of positions; what lies beyond the end is left out.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn rows(&self, session: &Session, range: Range<usize>) -> Result<Vec<RecordRow>> {
        let range = range.start.min(self.ids.len())..range.end.min(self.ids.len());
        session.rows(self.ids.get(range).unwrap_or_default())
    }
}

impl Session {
    /// Opens a view.
    ///
    /// # Errors
    /// Where the file can't be read, or the query was interrupted.
    pub fn view(&self, filter: &Filter, order: SortOrder) -> Result<View> {
        if order.field == SortField::Id {
            return Ok(View { ids: in_order_of_numbers(&self.connection, filter, order.direction)? });
        }
        let keyed = keyed(&self.connection, filter, key_column(order.field))?;
        Ok(View { ids: sorted(&self.connection, keyed, order)? })
    }

    /// The numbers of the records that a selection holds, in their order.
    ///
    /// # Errors
    /// As [`Session::view`].
    pub fn selected(&self, selection: &Selection) -> Result<Vec<i64>> {
        match selection {
            Selection::Records(records) => {
                let mut ids: Vec<i64> = records.iter().map(|record| record.0).collect();
                ids.sort_unstable();
                ids.dedup();
                Ok(ids)
            }
            Selection::Matching(filter) => Ok(self.view(filter, SortOrder::default())?.ids),
            Selection::AllBut(filter, left_out) => {
                let left_out: HashSet<i64> = left_out.iter().map(|record| record.0).collect();
                let mut ids = self.view(filter, SortOrder::default())?.ids;
                ids.retain(|id| !left_out.contains(id));
                Ok(ids)
            }
        }
    }

    /// The first records of a view in the order of their numbers: what can be shown before the whole is known.
    ///
    /// # Errors
    /// Where the file can't be read, or the query was interrupted.
    pub fn first(&self, filter: &Filter, most: usize) -> Result<View> {
        let query = query::build(&self.connection, filter, "0")?;
        let sql = format!("{} LIMIT {most}", query.sql);
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map(params_from_iter(query.parameters), |row| row.get(0))?;
        let mut ids: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
        ids.sort_unstable();
        Ok(View { ids })
    }
}

fn in_order_of_numbers(
    connection: &Connection,
    filter: &Filter,
    direction: SortDirection,
) -> Result<Vec<i64>> {
    let query = query::build(connection, filter, "0")?;
    // Gathered inside the database: handing out a million rows one by one takes four times as long.
    let sql = format!("WITH matching (id, key) AS ({}) SELECT dojo_ids(id) FROM matching", query.sql);
    let mut statement = connection.prepare(&sql)?;
    let gathered: Vec<u8> = statement
        .query_row(params_from_iter(query.parameters), |row| row.get::<_, Option<_>>(0))?
        .unwrap_or_default();
    let (ids, _) = gathered.as_chunks::<8>();
    let mut ids: Vec<i64> = ids.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
    // Mostly they are: the database walks its table.
    if !ids.is_sorted() {
        ids.sort_unstable();
    }
    if direction == SortDirection::Falling {
        ids.reverse();
    }
    Ok(ids)
}

/// A sort key: numbers as they are, nothing after everything.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SortKey {
    Number(f64),
    Nothing,
}

fn keyed(connection: &Connection, filter: &Filter, column: &str) -> Result<Vec<(i64, SortKey)>> {
    let query = query::build(connection, filter, column)?;
    let mut statement = connection.prepare(&query.sql)?;
    let mut rows = statement.query(params_from_iter(query.parameters))?;
    let mut keyed = Vec::new();
    while let Some(row) = rows.next()? {
        let key = match row.get_ref(1)? {
            ValueRef::Integer(number) => SortKey::Number(number as f64),
            ValueRef::Real(number) => SortKey::Number(number),
            ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => SortKey::Nothing,
        };
        keyed.push((row.get(0)?, key));
    }
    Ok(keyed)
}

/// Sorts by key, then by number. Keys that stand for names are turned into the names' places in the alphabet.
fn sorted(connection: &Connection, mut keyed: Vec<(i64, SortKey)>, order: SortOrder) -> Result<Vec<i64>> {
    if let Some(names) = names_of(order.field) {
        let places = places(connection, names)?;
        for (_, key) in &mut keyed {
            if let SortKey::Number(number) = key {
                *key =
                    places.get(&(*number as i64)).map_or(SortKey::Nothing, |&place| SortKey::Number(place));
            }
        }
    }
    keyed.sort_by(|(id, key), (other, other_key)| {
        compare(*key, *other_key, order.direction).then(id.cmp(other))
    });
    Ok(keyed.into_iter().map(|(id, _)| id).collect())
}

/// Records without a value come last in either direction.
fn compare(left: SortKey, right: SortKey, direction: SortDirection) -> std::cmp::Ordering {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match (left, right) {
        (SortKey::Number(left), SortKey::Number(right)) => match direction {
            SortDirection::Rising => left.total_cmp(&right),
            SortDirection::Falling => right.total_cmp(&left),
        },
        (SortKey::Number(_), SortKey::Nothing) => Less,
        (SortKey::Nothing, SortKey::Number(_)) => Greater,
        (SortKey::Nothing, SortKey::Nothing) => Equal,
    }
}

const fn key_column(field: SortField) -> &'static str {
    match field {
        SortField::Id => "0",
        SortField::Status => "records.status",
        SortField::Split => "records.split",
        SortField::Label => "records.label",
        SortField::Tokens => "records.tokens",
        SortField::Score => "records.score",
        SortField::Characters => "records.characters",
        SortField::Turns => "records.turns",
        SortField::Source => "records.source",
        SortField::Prompt => "records.prompt",
    }
}

fn names_of(field: SortField) -> Option<&'static str> {
    match field {
        SortField::Split => Some("SELECT id FROM names WHERE kind = 1 ORDER BY name"),
        SortField::Label => Some("SELECT id FROM names WHERE kind = 2 ORDER BY name"),
        SortField::Source => Some("SELECT id FROM sources ORDER BY name"),
        SortField::Id
        | SortField::Status
        | SortField::Tokens
        | SortField::Score
        | SortField::Characters
        | SortField::Turns
        | SortField::Prompt => None,
    }
}

fn places(connection: &Connection, query: &str) -> Result<HashMap<i64, f64>> {
    let mut statement = connection.prepare_cached(query)?;
    let ids = statement.query_map([], |row| row.get::<_, i64>(0))?;
    ids.enumerate().map(|(place, id)| Ok((id?, place as f64))).collect()
}
