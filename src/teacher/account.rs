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
    /// Answers that say another model gave them than was asked, by that name.
    pub other_models: BTreeMap<String, u64>,
}
