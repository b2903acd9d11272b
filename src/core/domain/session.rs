//! A session: one project's folder, and what `session.toml` says of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a folder has to be a session.
pub const FILE: &str = "session.toml";

/// [`FILE`]. Every key may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionFile {
    /// What it is called; the folder's name otherwise.
    #[serde(alias = "name")]
    pub title: String,
    /// One or two sentences: what this session is for.
    #[serde(alias = "description")]
    pub about: String,
    /// The base model, by alias or path.
    #[serde(alias = "base_model")]
    pub model: String,
    /// How a record becomes a prompt: a shipped task's name or a file.
    pub task: String,
    /// The recipe to start with, relative to the session's folder.
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
    /// The folder's name.
    pub name: String,
    pub about: String,
    pub place: SessionPlace,
    /// Runs in it, of any state.
    pub runs: usize,
    /// Bytes of the files that opening it would copy (samples), or of all that is in its folder.
    pub bytes: u64,
    /// What training in it has to fetch first.
    pub download: Download,
    /// What one does first in it.
    pub begins: Begins,
}

/// What one does first in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Begins {
    /// It has no records yet.
    Data,
    /// It brings thoughts and corrections that wait for a verdict.
    Review,
    #[default]
    Train,
}

/// What has to be fetched before a session's model can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Download {
    /// It names no model.
    Nothing,
    /// The model is on this machine.
    Here(String),
    /// The model has to be pulled; its size, where it is known before.
    Needed { model: String, bytes: Option<u64> },
}

/// Where a session comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionPlace {
    /// In this folder.
    Folder(PathBuf),
    /// Shipped with the program, not copied yet.
    Sample,
}
