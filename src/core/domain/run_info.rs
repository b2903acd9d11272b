//! What the studio knows of a run besides its values: where it is, how it stands, its settings, tags and notes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::run::{RunFolder, RunState, Standing};

/// Names a run: its folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(Arc<Path>);

impl RunId {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(Arc::from(folder.into()))
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The names of the files in it.
    #[must_use]
    pub fn files(&self) -> RunFolder {
        RunFolder::new(self.folder())
    }

    /// The folder's name: `sft-0412`.
    #[must_use]
    pub fn name(&self) -> String {
        self.files().name()
    }
}

/// A run as the list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    pub id: RunId,
    pub origin: RunOrigin,
    /// `None` until the run has written its first state.
    pub state: Option<RunState>,
    pub life: Life,
    /// The recipe's keys, flat: `train.learning_rate` -> `0.0001`.
    pub settings: BTreeMap<String, String>,
    pub notes: Notes,
    /// Which file of the folder can't be read, and why.
    pub problem: Option<String>,
}

impl RunInfo {
    /// How the run stands, a dead process taken into account.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let Some(state) = &self.state else { return Standing::Starting };
        let gone = state.phase.is_live() && self.life == Life::Gone;
        if gone { Standing::Crashed } else { state.phase.into() }
    }

    /// Whether it can be taken up where it was left: it ended early, and there is a checkpoint, or no step was made yet, so
    /// that nothing is lost by the first step. What was computed before it, such as a reference, is kept.
    #[must_use]
    pub fn can_resume(&self) -> bool {
        let early = matches!(self.standing(), Standing::Stopped | Standing::Failed | Standing::Crashed);
        early && self.state.as_ref().is_some_and(|state| state.checkpoint_step.is_some() || state.step == 0)
    }

    /// Seconds from the start to the last sign of life, or to now for one that lives.
    #[must_use]
    pub fn seconds(&self, now: f64) -> f64 {
        let Some(state) = &self.state else { return 0.0 };
        let until = if self.standing().is_live() { now.max(state.heartbeat) } else { state.heartbeat };
        (until - state.started).max(0.0)
    }

    /// Whether it was asked to pause and has not yet.
    #[must_use]
    pub fn is_pausing(&self) -> bool {
        self.standing() == Standing::Running && self.state.as_ref().is_some_and(RunState::is_pausing)
    }

    /// Whether it was asked to stop and has not yet.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.standing().is_live() && self.state.as_ref().is_some_and(RunState::is_stopping)
    }

    /// Seconds until its end, or while it starts until the end of what it is doing, as far as that is known.
    #[must_use]
    pub fn seconds_left(&self) -> Option<f64> {
        let moves = matches!(self.standing(), Standing::Running | Standing::Starting);
        self.state.as_ref().filter(|_| moves && !self.is_stopping())?.seconds_left
    }

    /// The value of a recipe key: by its full name, else by its last part.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let last = |key: &str| key.rsplit('.').next() == Some(name);
        let found = self.settings.get(name);
        found
            .or_else(|| self.settings.iter().find(|(key, _)| last(key)).map(|(_, value)| value))
            .map(String::as_str)
    }
}

/// In which folder a run was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunOrigin {
    /// The open session's `runs/`.
    Session,
    /// Runs of no session, started by hand.
    Global,
}

/// Whether there is a process behind a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    /// Its heartbeat goes on; or its phase says that none is due.
    Sound,
    /// Its heartbeat stopped, or its process is gone from this machine.
    Gone,
}

/// `notes.toml` in a run's folder: what people say of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notes {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Notes {
    /// Reads one line as a person types it: words that start with `#` are tags, the rest is the note.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let (tags, words): (Vec<&str>, Vec<&str>) =
            line.split_whitespace().partition(|word| word.len() > 1 && word.starts_with('#'));
        let mut tags: Vec<String> = tags.iter().map(|tag| tag.trim_start_matches('#').to_owned()).collect();
        tags.retain(|tag| !tag.is_empty());
        tags.dedup();
        Self { tags, text: words.join(" ") }
    }

    /// The inverse of [`Notes::parse`].
    #[must_use]
    pub fn line(&self) -> String {
        let tags = self.tags.iter().map(|tag| format!("#{tag}"));
        tags.chain(Some(self.text.clone()).filter(|text| !text.is_empty())).collect::<Vec<_>>().join(" ")
    }
}
