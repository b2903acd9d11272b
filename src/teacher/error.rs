//! Why an answer didn't come, each in one sentence that says what to do. None of them holds a key.

use std::time::Duration;

use super::budget::Spending;

/// Why an answer didn't come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("teacher {teacher} needs a key: set the environment variable {variable} and run this again")]
    KeyMissing { teacher: String, variable: String },
    #[error(
        "key_env of teacher {teacher} in settings.toml is no name of an environment variable, but perhaps a key: put \
         the key into a variable, and its name there"
    )]
    KeyInSettings { teacher: String },
    #[error(
        "teacher {teacher} redirects to another host ({to}), which was sent nothing: if you trust it, set base_url to it"
    )]
    Redirected { teacher: String, to: String },
    #[error("teacher {teacher} needs a key, and {place} gives none ({why}): {what}")]
    NoKeyThere { teacher: String, place: String, why: String, what: String },
    #[error("teacher {teacher} refuses the key (HTTP {status}): check {place}")]
    KeyRefused { teacher: String, status: u16, place: String },
    #[error("teacher {teacher} has no credit left ({message}): add credit, then run this again to continue")]
    NoCredit { teacher: String, message: String },
    #[error(
        "teacher {teacher} knows no model {model} at {url} (HTTP 404): check base_url and model in settings.toml"
    )]
    NotFound { teacher: String, model: String, url: String },
    #[error("teacher {teacher} can't be reached ({why}): run this again to continue where it stopped")]
    Unreachable { teacher: String, why: String },
    #[error("teacher {teacher} asks to wait for {} s: run this again then, it continues where it stopped", .wait.as_secs())]
    RateLimited { teacher: String, wait: Duration },
    #[error("the budget is reached ({}, {} tokens spent): raise it and run this again to continue", .0.money, .0.tokens())]
    BudgetReached(Spending),
    #[error(
        "keep the answers that were paid for: {0}; nothing more was asked, run this again to go on from there"
    )]
    Cache(String),
    #[error("{0}")]
    Local(String),
    #[error("teacher {teacher} refused the request (HTTP {status}: {message})")]
    Refused { teacher: String, status: u16, message: String },
    #[error("teacher {teacher} held its answer back (content filter)")]
    Filtered { teacher: String },
    #[error("teacher {teacher} gave no usable answer ({why})")]
    Unusable { teacher: String, why: String },
}

impl AskError {
    /// Whether asking for something else makes no sense either.
    #[must_use]
    pub const fn stops_job(&self) -> bool {
        match self {
            Self::KeyMissing { .. }
            | Self::KeyInSettings { .. }
            | Self::Redirected { .. }
            | Self::NoKeyThere { .. }
            | Self::KeyRefused { .. }
            | Self::NoCredit { .. }
            | Self::NotFound { .. }
            | Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::BudgetReached(_)
            | Self::Cache(_)
            | Self::Local(_) => true,
            Self::Refused { .. } | Self::Filtered { .. } | Self::Unusable { .. } => false,
        }
    }

    /// A short name, for counting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::KeyMissing { .. } | Self::KeyInSettings { .. } | Self::NoKeyThere { .. } => "key-missing",
            Self::Redirected { .. } => "redirected",
            Self::KeyRefused { .. } => "key-refused",
            Self::NoCredit { .. } => "no-credit",
            Self::NotFound { .. } => "not-found",
            Self::Unreachable { .. } => "unreachable",
            Self::RateLimited { .. } => "rate-limited",
            Self::BudgetReached(_) => "budget",
            Self::Cache(_) => "cache",
            Self::Local(_) => "local",
            Self::Refused { .. } => "refused",
            Self::Filtered { .. } => "filtered",
            Self::Unusable { .. } => "unusable",
        }
    }
}
