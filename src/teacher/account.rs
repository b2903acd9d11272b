//! What a speaker was asked, and what that took.

use std::collections::BTreeMap;

use super::budget::Spending;

/// What happened so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    pub spent: Spending,
    /// Answers paid for.
    pub answers: u64,
    /// Answers that were there already.
    pub from_cache: u64,
    /// Trouble that was overcome or not, by name.
    pub troubles: BTreeMap<&'static str, u64>,
    /// The last of it, in a line without the key.
    pub last_trouble: Option<String>,
    /// Answers that say another model gave them than was asked, by that name.
    pub other_models: BTreeMap<String, u64>,
}

/// Endpoints add dates to names (`gpt-4o` answers as `gpt-4o-2024-08-06`), and file paths.
pub(super) fn is_same_model(asked: &str, answered: &str) -> bool {
    answered.is_empty()
        || answered.starts_with(asked)
        || asked.ends_with(answered)
        || answered.ends_with(asked)
}
