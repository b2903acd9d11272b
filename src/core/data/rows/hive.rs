//! Columns that stand in the names of folders (`label=entailment/part-0.parquet`), as Hive and pyarrow write them. Every
//! row of such a file has them.

use std::path::Path;

use serde_json::Value;

use crate::domain::record::Fields;
use crate::ground::percent::decoded;

/// What stands for no value.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Columns with their one value, the outermost folder's first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::data) struct FolderColumns(Vec<(String, Value)>);

impl FolderColumns {
    /// Of the folders directly above a file, as far as each is called `column=value`.
    pub(in crate::data) fn of(file: &Path) -> Self {
        let folders = file.ancestors().skip(1).map_while(|folder| column(folder.file_name()?.to_str()?));
        let mut columns: Vec<(String, Value)> = folders.collect();
        columns.reverse();
        Self(columns)
    }

    /// Gives a row its columns.
    ///
    /// # Errors
    /// If the row has another value under the same name; the message names both.
    pub(in crate::data) fn put(&self, row: &mut Fields) -> Result<(), String> {
        for (name, value) in &self.0 {
            match row.get(name) {
                None | Some(Value::Null) => {
                    row.insert(name.clone(), value.clone());
                }
                Some(own) if text(own) == text(value) => {}
                Some(own) => {
                    return Err(format!(
                        "its folder says {name}={} and the row itself {name}: {}; only one of them can be right",
                        text(value),
                        text(own)
                    ));
                }
            }
        }
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn column(folder: &str) -> Option<(String, Value)> {
    let (name, value) = folder.split_once('=')?;
    let (name, value) = (decoded(name), decoded(value));
    let is_name = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    is_name.then(|| {
        // `007` is no number: it would lose its zeros.
        let number = value.parse::<i64>().ok().filter(|number| number.to_string() == value);
        let value = match number {
            _ if value == NO_VALUE => Value::Null,
            Some(number) => Value::from(number),
            None => Value::String(value),
        };
        (name, value)
    })
}
