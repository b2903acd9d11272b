//! What a file's first rows say of its columns, found once for all its rows.

use std::collections::{HashMap, HashSet};

use super::marks::Marked;
use super::masks::speaks_of_learning;
use super::options::Answers;
use super::{splits, verdicts};
use crate::domain::record::Fields;

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Columns {
    /// Whether a column's name speaks of what is learnt.
    learning: HashMap<String, bool>,
    /// Columns that are called like one of splits and also hold something else, and no split for training.
    mixed: HashSet<String>,
    /// What marks and blanks say in columns that keep rows in or leave them out.
    pub(super) marked: Marked,
    /// Whether `answer` holds Prodigy's decisions over the rows.
    pub(super) decisions: bool,
    /// Whether `correct` says which option is right: it judges no answer then.
    pub(super) correct_is_option: bool,
    /// How the answers name the options beside their questions.
    pub(super) answers: Answers,
}

impl Columns {
    pub(super) fn of(sample: &[Fields], answers: Answers) -> Self {
        let mut learning = HashMap::new();
        for name in sample.iter().flat_map(Fields::keys) {
            if !learning.contains_key(name) {
                learning.insert(name.clone(), speaks_of_learning(name));
            }
        }
        Self {
            learning,
            mixed: splits::mixed(sample),
            marked: Marked::of(sample),
            decisions: verdicts::decides(sample),
            correct_is_option: verdicts::names_options(sample),
            answers,
        }
    }

    /// Whether the name of one of these columns speaks of what is learnt.
    pub(super) fn speak_of_learning(&self, fields: &Fields) -> bool {
        let speaks =
            |name: &String| self.learning.get(name).copied().unwrap_or_else(|| speaks_of_learning(name));
        fields.keys().any(speaks)
    }

    /// Whether a column is called like one of splits and is about something else too: only a plain name of a split
    /// counts there.
    pub(super) fn is_mixed(&self, name: &str) -> bool {
        !self.mixed.is_empty() && self.mixed.contains(name)
    }
}
