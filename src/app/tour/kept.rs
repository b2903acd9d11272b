//! What is kept of a tour in its session: what became of each step, and with which model.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::SESSION;
use crate::ground::files;

/// Its file: what tells a tour's session from one of the user's.
pub(super) const FILE: &str = "tour.json";

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    Done,
    Skipped,
    Failed,
}

impl StepOutcome {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "✓ done",
            Self::Skipped => "· skipped",
            Self::Failed => "✗ failed",
        }
    }
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TakenStep {
    pub step: String,
    pub outcome: StepOutcome,
    pub seconds: f64,
    /// Its result in a line, or why it failed.
    pub told: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptTour {
    /// Empty until the first step.
    model: String,
    pub(super) taken: Vec<TakenStep>,
}

impl KeptTour {
    pub(super) fn is_in(session: &Path) -> bool {
        session.join(FILE).is_file()
    }

    /// # Errors
    /// Where it can't be read.
    pub(super) fn load(session: &Path) -> Result<Self> {
        let path = session.join(FILE);
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(&text)
            .with_context(|| format!("read {}: `dojo tour --again` begins anew", path.display()))
    }

    /// # Errors
    /// Where it was begun with another model: its runs are that model's.
    pub(super) fn with_model(self, model: &str) -> Result<Self> {
        ensure!(
            self.model.is_empty() || self.model == model,
            "the session '{SESSION}' was toured with {}: `dojo tour --again` begins anew with {model}",
            self.model
        );
        Ok(Self { model: model.to_owned(), ..self })
    }

    /// # Errors
    /// Where it can't be written.
    pub(super) fn keep(&mut self, session: &Path, taken: TakenStep) -> Result<()> {
        self.taken.retain(|before| before.step != taken.step);
        self.taken.push(taken);
        let path = session.join(FILE);
        files::write_atomically(&path, &serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("write {}", path.display()))
    }
}
