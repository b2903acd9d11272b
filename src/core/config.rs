//! The folders that Dojo reads and writes. Knows no format and opens no file.

mod secrets;
mod settings;

pub use secrets::remember_keys;

use std::path::PathBuf;

use anyhow::{Context, Result};

/// Where things live. `DOJO_HOME` moves all of it under one folder (tests, shared machines).
#[derive(Debug, Clone)]
pub struct Folders {
    /// The user's own sessions and runs.
    pub data: PathBuf,
    /// Settings, the user's themes and keys.
    pub settings: PathBuf,
    /// Models and everything else that can be fetched again.
    pub cache: PathBuf,
}

impl Folders {
    /// From `DOJO_HOME` where it is set, else the platform's own places.
    ///
    /// # Errors
    /// Where the platform names no home folder and `DOJO_HOME` is not set.
    pub fn from_environment() -> Result<Self> {
        if let Some(home) = std::env::var_os("DOJO_HOME").filter(|home| !home.is_empty()) {
            return Ok(Self::under(&PathBuf::from(home)));
        }
        let places = directories::ProjectDirs::from("", "", "dojo")
            .context("find the home folder; set DOJO_HOME to a folder that Dojo may use")?;
        Ok(Self {
            data: places.data_dir().to_path_buf(),
            settings: places.config_dir().to_path_buf(),
            cache: places.cache_dir().to_path_buf(),
        })
    }

    /// Everything under one folder.
    #[must_use]
    pub fn under(home: &std::path::Path) -> Self {
        Self { data: home.join("data"), settings: home.join("settings"), cache: home.join("cache") }
    }

    /// Pulled models.
    #[must_use]
    pub fn models(&self) -> PathBuf {
        self.cache.join("models")
    }

    /// The user's sessions, one folder each.
    #[must_use]
    pub fn sessions(&self) -> PathBuf {
        self.data.join("sessions")
    }

    /// What was asked in `dojo chat`.
    #[must_use]
    pub fn chat_history(&self) -> PathBuf {
        self.data.join("chat-history")
    }

    /// Runs that belong to no session.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.data.join("runs")
    }
}
