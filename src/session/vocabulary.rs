//! The names and values that are in use: what can be typed next in a filter.

use std::collections::HashMap;

use super::{Result, Session, read};
use crate::data::rows::parse_row;
use crate::domain::filter::Vocabulary;

impl Session {
    /// The names in use, for suggestions: the most frequent first.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn vocabulary(&self) -> Result<Vocabulary> {
        let list = |sql: &str| -> Result<Vec<String>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        };
        let by_use = |kind: i64, column: &str| {
            format!(
                "SELECT name FROM names JOIN (SELECT {column} AS id, count(*) AS uses FROM records
                 WHERE {column} IS NOT NULL GROUP BY {column}) AS used USING (id)
                 WHERE kind = {kind} ORDER BY uses DESC, name LIMIT 1000"
            )
        };
        let (columns, values) = self.columns_in_use()?;
        Ok(Vocabulary {
            splits: list(&by_use(1, "split"))?,
            labels: list(&by_use(2, "label"))?,
            tags: list(
                "SELECT name FROM names JOIN (SELECT tag AS id, count(*) AS uses FROM record_tags GROUP BY tag)
                 USING (id) ORDER BY uses DESC, name LIMIT 1000",
            )?,
            sources: list("SELECT name FROM sources ORDER BY name LIMIT 1000")?,
            checks: list("SELECT DISTINCT check_name FROM findings ORDER BY check_name")?,
            columns,
            values,
        })
    }

    /// The columns of some rows, from both ends of the session, with the values of those that have few.
    fn columns_in_use(&self) -> Result<(Vec<String>, Vec<Values>)> {
        let mut columns: Vec<(String, Option<HashMap<String, u32>>)> = Vec::new();
        for direction in ["ASC", "DESC"] {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT fields FROM contents WHERE id IN
                 (SELECT id FROM records ORDER BY id {direction} LIMIT {LOOKED_AT})"
            ))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (fields, _) = parse_row(read::text(row, 0)?.unwrap_or("{}"))?;
                fields.into_iter().for_each(|(column, value)| note(&mut columns, column, &value));
            }
        }
        let values = columns.iter().filter_map(|(column, counted)| {
            let mut counted: Vec<(&String, &u32)> = counted.as_ref()?.iter().collect();
            counted.sort_by(|left, right| right.1.cmp(left.1).then(left.0.cmp(right.0)));
            Some((column.clone(), counted.into_iter().map(|(value, _)| value.clone()).collect()))
        });
        let values = values.collect();
        Ok((columns.into_iter().map(|(column, _)| column).collect(), values))
    }
}

/// A column with its values.
type Values = (String, Vec<String>);

/// Rows that are looked at for columns and their values, at each end of the session.
const LOOKED_AT: usize = 300;
/// Columns that are offered at most.
const MOST_COLUMNS: usize = 200;
/// A column with more values than this, or with longer ones, has texts and not names.
const MOST_VALUES: usize = 40;
const LONGEST_VALUE: usize = 40;

/// Counts a cell. A column that turns out to hold texts keeps its name only.
fn note(
    columns: &mut Vec<(String, Option<HashMap<String, u32>>)>,
    column: String,
    value: &serde_json::Value,
) {
    let known = columns.iter().position(|(known, _)| *known == column);
    if known.is_none() && columns.len() < MOST_COLUMNS {
        columns.push((column, Some(HashMap::new())));
    } else if known.is_none() {
        return;
    }
    let at = known.unwrap_or(columns.len() - 1);
    let Some((_, counted)) = columns.get_mut(at) else { return };
    let text = match value {
        serde_json::Value::Null => return,
        serde_json::Value::String(text) if text.trim().is_empty() => return,
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => value.to_string(),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => return *counted = None,
    };
    if let Some(values) = counted {
        *values.entry(text.clone()).or_default() += 1;
        if values.len() > MOST_VALUES || text.chars().count() > LONGEST_VALUE {
            *counted = None;
        }
    }
}
