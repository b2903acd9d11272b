//! A session: one project's folder, and what `session.toml` says of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `session.toml`. Unknown keys are kept out loudly: a typing mistake must not be ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFile {
    /// Shown in the header and the picker.
    pub title: String,
    /// One or two sentences: what this session is for.
    #[serde(default)]
    pub about: String,
    /// The base model, by alias or path.
    #[serde(default)]
    pub model: String,
    /// How a record becomes a prompt: a shipped task's name or a file.
    #[serde(default)]
    pub task: String,
    /// The recipe that `start training` begins with, relative to the session's folder.
    #[serde(default)]
    pub recipe: String,
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// The folder's name.
    pub name: String,
    pub path: PathBuf,
    pub file: SessionFile,
}

impl SessionInfo {
    /// Where its runs are, one folder each.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// Where its recipes are.
    #[must_use]
    pub fn recipes(&self) -> PathBuf {
        self.path.join("recipes")
    }
}

/// One row of the session picker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSummary {
    pub name: String,
    pub title: String,
    pub about: String,
    pub place: SessionPlace,
    /// Runs in it, of any state.
    pub runs: usize,
}

/// Where a session comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionPlace {
    /// In this folder.
    Folder(PathBuf),
    /// Shipped with the program, not copied yet.
    Sample,
}
