//! Evaluations: those that there are, and the one that was read last.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::evaluation::{EvaluationSummary, KeptEvaluation};
use crate::domain::protocol::EvalEvent;

/// What is known.
#[derive(Debug, Default)]
pub struct Evaluations {
    /// The newest first. `None` until they were looked for.
    pub listed: Option<Vec<EvaluationSummary>>,
    opened: Option<(PathBuf, Arc<KeptEvaluation>)>,
    /// Why the last thing that was asked could not be done.
    pub failed: Option<String>,
}

impl Evaluations {
    pub(super) fn apply(&mut self, event: EvalEvent) {
        match event {
            EvalEvent::Listed(listed) => {
                self.failed = None;
                self.listed = Some(listed);
            }
            EvalEvent::Opened(folder, kept) => {
                self.failed = None;
                self.opened = Some((folder, kept));
            }
            EvalEvent::Failed(why) => self.failed = Some(why),
        }
    }

    /// The one in this folder, if it was read last.
    #[must_use]
    pub fn opened(&self, folder: &Path) -> Option<&Arc<KeptEvaluation>> {
        self.opened.as_ref().filter(|(of, _)| of == folder).map(|(_, kept)| kept)
    }
}
