//! A GGUF header's values, with the conversions that readers of them want.

use super::Header;
use anyhow::{Context, Result, bail};

/// One value. Integers of all widths are one case, floats likewise.
#[derive(Debug, Clone, PartialEq)]
pub enum GgufValue {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    Bools(Vec<bool>),
    Texts(Vec<String>),
}

impl Header {
    /// A text, or nothing where the key is missing or something else.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.metadata.get(key) {
            Some(GgufValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn boolean(&self, key: &str) -> Option<bool> {
        match self.metadata.get(key) {
            Some(GgufValue::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn float(&self, key: &str) -> Result<Option<f32>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(GgufValue::Float(value)) => Ok(Some(*value as f32)),
            Some(GgufValue::Integer(value)) => Ok(Some(*value as f32)),
            Some(_) => bail!("{key} is not a number"),
        }
    }

    /// A count. Where a file gives one number per layer and they are all the same, that number.
    pub(crate) fn count(&self, key: &str) -> Result<Option<usize>> {
        let integer = match self.metadata.get(key) {
            None => return Ok(None),
            Some(GgufValue::Integer(value)) => *value,
            Some(GgufValue::Integers(values)) => match values.split_first() {
                Some((first, rest)) if rest.iter().all(|value| value == first) => *first,
                _ => bail!("{key} differs between layers, which Dojo doesn't support"),
            },
            Some(_) => bail!("{key} is not a number"),
        };
        usize::try_from(integer).map(Some).with_context(|| format!("{key} is {integer}, below zero"))
    }

    pub(crate) fn required_count(&self, key: &str) -> Result<usize> {
        self.count(key)?.with_context(|| format!("{key} is missing from the header"))
    }

    pub(crate) fn token_id(&self, key: &str) -> Option<u32> {
        match self.metadata.get(key) {
            Some(GgufValue::Integer(value)) => u32::try_from(*value).ok(),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, key: &str) -> Option<&[String]> {
        match self.metadata.get(key) {
            Some(GgufValue::Texts(texts)) => Some(texts),
            _ => None,
        }
    }

    pub(crate) fn integers(&self, key: &str) -> Option<&[i64]> {
        match self.metadata.get(key) {
            Some(GgufValue::Integers(values)) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn floats(&self, key: &str) -> Option<&[f64]> {
        match self.metadata.get(key) {
            Some(GgufValue::Floats(values)) => Some(values),
            _ => None,
        }
    }
}
