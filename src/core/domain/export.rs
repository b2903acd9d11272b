//! What records can be written as. Knows no file.

use std::path::Path;

use serde::Serialize;

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportFormat {
    /// OpenAI's `messages`, one JSON object a line.
    Messages,
    /// `prompt` and `completion`, one JSON object a line.
    PromptCompletion,
    /// TRL's `prompt`, `chosen` and `rejected` as turns, one JSON object a line.
    Preference,
    /// The rows as they were imported, one JSON object a line.
    Rows,
    Csv,
    Parquet,
    /// A Hugging Face dataset: Parquet files by split, and a card.
    Folder,
}

impl ExportFormat {
    pub const ALL: [Self; 7] = [
        Self::Messages,
        Self::PromptCompletion,
        Self::Preference,
        Self::Rows,
        Self::Csv,
        Self::Parquet,
        Self::Folder,
    ];

    /// The name that the command line uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::PromptCompletion => "prompt-completion",
            Self::Preference => "preference",
            Self::Rows => "rows",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Folder => "folder",
        }
    }

    /// What a file of this form holds, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Messages => "JSONL with OpenAI's messages",
            Self::PromptCompletion => "JSONL with prompt and completion",
            Self::Preference => "JSONL with prompt, chosen and rejected",
            Self::Rows => "JSONL with the rows as they were imported",
            Self::Csv => "a table with commas",
            Self::Parquet => "a Parquet file",
            Self::Folder => "a folder: Parquet files by split, and a card",
        }
    }

    /// The ending of such a file's name; a folder has none.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Messages | Self::PromptCompletion | Self::Preference | Self::Rows => ".jsonl",
            Self::Csv => ".csv",
            Self::Parquet => ".parquet",
            Self::Folder => "",
        }
    }

    /// The form of that name.
    ///
    /// # Errors
    /// Lists the names that are known.
    pub fn from_name(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|form| form.name() == name);
        found.ok_or_else(|| format!("{name:?} is no form of export; there are {}", known()))
    }

    /// The form that a path's ending suggests.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl") => Some(Self::Messages),
            Some("csv") => Some(Self::Csv),
            Some("parquet") => Some(Self::Parquet),
            Some(_) => None,
            None => Some(Self::Folder),
        }
    }
}

/// Whether each split gets a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Splits {
    #[default]
    Together,
    /// `data.train.jsonl`, `data.eval.jsonl`, ... Records of no split go to the plain name.
    Apart,
}
