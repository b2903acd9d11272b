//! Evaluations: what a person names becomes items and models, every answer is kept as it comes, and the figures of all
//! become a report in a folder of its own. `eval` knows the figures; here is who answers, and what is kept.

mod candidates;
pub(crate) mod desk;
mod endpoint;
mod engine;
mod items;
mod kept;
mod plan;
mod run;

use std::sync::atomic::AtomicBool;

use crate::engine::hub::Network;
use crate::teacher::course::Silence;

pub use kept::{EvaluationFolder, folder_of, list, load, make_folder};
pub use run::evaluate;

/// How far an evaluation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationProgress {
    pub done: u64,
    pub all: u64,
    /// Who answers.
    pub note: String,
    /// Who is waited for while nothing comes.
    pub silence: Option<Silence>,
}

/// Who waits for an evaluation.
pub struct EvaluationHost<'a> {
    /// Set once a person wants it to stop: within a token, what was answered stays.
    pub stop: &'a AtomicBool,
    pub network: Network,
    pub tell: &'a mut dyn FnMut(EvaluationProgress),
}
