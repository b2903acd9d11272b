//! Classes that a Parquet file counts and names: `datasets` writes their names into the file's metadata.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use parquet::file::metadata::FileMetaData;
use serde_json::{Map, Value};

use crate::domain::record::Fields;

/// The metadata that `datasets` writes.
const KEY: &str = "huggingface";
/// Stands for an example without a class.
const NONE: i64 = -1;
/// Class names that a sentence tells.
const TOLD: usize = 4;

/// A column, or what is in it, as far as there are classes in it.
#[derive(Debug)]
enum Feature {
    Class(Vec<String>),
    Each(Box<Self>),
    Group(BTreeMap<String, Self>),
}

/// The columns with classes; none where no column has any.
#[derive(Debug)]
pub(super) struct Classes(BTreeMap<String, Feature>);

impl Classes {
    pub(super) fn of(facts: &FileMetaData) -> Option<Self> {
        let pair = facts.key_value_metadata()?.iter().find(|pair| pair.key == KEY)?;
        let described: Value = serde_json::from_str(pair.value.as_deref()?).ok()?;
        let columns = group(described.pointer("/info/features")?.as_object()?);
        (!columns.is_empty()).then_some(Self(columns))
    }

    /// Puts the names where the row has numbers.
    ///
    /// # Errors
    /// Names a number that no class has.
    pub(super) fn put(&self, fields: &mut Fields) -> Result<()> {
        for (name, feature) in &self.0 {
            if let Some(value) = fields.get_mut(name.as_str()) {
                feature.put(name, value)?;
            }
        }
        Ok(())
    }
}

fn group(features: &Map<String, Value>) -> BTreeMap<String, Feature> {
    features.iter().filter_map(|(name, value)| Some((name.clone(), Feature::of(value)?))).collect()
}

impl Feature {
    fn of(described: &Value) -> Option<Self> {
        let each = |inner: &Value| Some(Self::Each(Box::new(Self::of(inner)?)));
        // An older form of a list.
        if let Value::Array(items) = described {
            return each(items.first()?);
        }
        let described = described.as_object()?;
        match described.get("_type").and_then(Value::as_str) {
            Some("ClassLabel") => {
                let names = described.get("names")?.as_array()?;
                let names: Option<Vec<String>> =
                    names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
                names.filter(|names| !names.is_empty()).map(Self::Class)
            }
            Some(_) => each(described.get("feature")?),
            None => Some(group(described)).filter(|group| !group.is_empty()).map(Self::Group),
        }
    }

    fn put(&self, column: &str, value: &mut Value) -> Result<()> {
        match (self, value) {
            (Self::Class(names), value) => {
                if let Some(number) = value.as_i64() {
                    *value = class(number, names, column)?;
                }
                Ok(())
            }
            // A list of groups is kept as a group of lists, or the other way round.
            (Self::Each(inner), Value::Array(items)) => {
                items.iter_mut().try_for_each(|item| inner.put(column, item))
            }
            (Self::Each(inner), value) => match (inner.as_ref(), value) {
                (Self::Group(_), value @ Value::Object(_)) => inner.put(column, value),
                _ => Ok(()),
            },
            (group @ Self::Group(_), Value::Array(items)) => {
                items.iter_mut().try_for_each(|item| group.put(column, item))
            }
            (Self::Group(inner), Value::Object(fields)) => {
                for (name, feature) in inner {
                    let Some(value) = fields.get_mut(name.as_str()) else { continue };
                    let path = format!("{column}.{name}");
                    match (feature, value) {
                        (Self::Class(_), Value::Array(items)) => {
                            items.iter_mut().try_for_each(|item| feature.put(&path, item))?;
                        }
                        (feature, value) => feature.put(&path, value)?,
                    }
                }
                Ok(())
            }
            (Self::Group(_), _) => Ok(()),
        }
    }
}

fn class(number: i64, names: &[String], column: &str) -> Result<Value> {
    if number == NONE {
        return Ok(Value::Null);
    }
    let name = usize::try_from(number).ok().and_then(|number| names.get(number));
    name.map(|name| Value::from(name.as_str())).ok_or_else(|| {
        let more = if names.len() > TOLD { ", ..." } else { "" };
        let first = names.get(..TOLD).unwrap_or(names).join(", ");
        anyhow!(
            "column {column:?} has the class {number}, and the file names {} classes from 0 on ({first}{more}); mend the \
             number, or the names in the file's \"{KEY}\" metadata",
            names.len()
        )
    })
}
