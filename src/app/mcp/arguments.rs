//! What tools are called with. Names are those of QMD's tools, so that a set-up changes in one line; a name that isn't
//! known is refused.

use anyhow::{Result, anyhow};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What is searched for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct QueryArguments {
    #[serde(default)]
    pub(super) searches: Vec<TypedSearch>,
    /// Plain words, or lines that begin with `lex:`, `vec:` or `hyde:`.
    pub(super) query: Option<String>,
    #[serde(default = "ten")]
    pub(super) limit: usize,
    #[serde(default)]
    pub(super) min_score: f64,
    pub(super) candidate_limit: Option<usize>,
    pub(super) collections: Option<Vec<String>>,
    pub(super) intent: Option<String>,
    pub(super) rerank: Option<bool>,
}

/// One line of a search.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypedSearch {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) query: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetArguments {
    pub(super) file: String,
    pub(super) from_line: Option<usize>,
    pub(super) max_lines: Option<usize>,
    #[serde(default)]
    pub(super) line_numbers: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MultiGetArguments {
    pub(super) pattern: String,
    pub(super) max_lines: Option<usize>,
    #[serde(default = "ten_kilobytes")]
    pub(super) max_bytes: usize,
    #[serde(default)]
    pub(super) line_numbers: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoArguments {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MetricsArguments {
    pub(super) run: String,
    #[serde(default)]
    pub(super) names: Vec<String>,
    #[serde(default = "hundred")]
    pub(super) last: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RecordsArguments {
    #[serde(default)]
    pub(super) filter: String,
    #[serde(default = "ten")]
    pub(super) limit: usize,
    #[serde(default)]
    pub(super) after: usize,
}

const fn ten() -> usize {
    10
}

const fn hundred() -> usize {
    100
}

const fn ten_kilobytes() -> usize {
    10_240
}

/// Reads a call's arguments.
///
/// # Errors
/// Names what is missing, of another type, or not known.
pub(super) fn read<T: DeserializeOwned>(tool: &str, arguments: Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| anyhow!("{tool} can't be called so: {error}"))
}
