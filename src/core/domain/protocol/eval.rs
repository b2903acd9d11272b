//! Evaluations: which there are, one in full, and a new one.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::evaluation::{EvaluationOrder, EvaluationSummary, KeptEvaluation};

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum EvalCommand {
    List,
    /// Read the one in this folder.
    Open(PathBuf),
    /// Begin a new one. What it doesn't say of records is of the open session.
    Start(Box<EvaluationOrder>),
    /// Go on with the one in this folder.
    Resume(PathBuf),
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EvalEvent {
    Listed(Vec<EvaluationSummary>),
    Opened(PathBuf, Arc<KeptEvaluation>),
    /// One could not be read, or an order is wrong, for this reason.
    Failed(String),
}
