//! Columns that examples are sampled from: values with weights, which may depend on another column's value.

use crate::ground::random::SplitMix64;

/// One value, and how often it is drawn against the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub value: String,
    pub weight: f64,
}

/// What a column's values depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnParent {
    Subtopic,
    Evolution,
    Form,
    /// A column before it.
    Column(usize),
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub parent: Option<ColumnParent>,
    /// The values where no other list is meant.
    pub values: Vec<Choice>,
    /// The values for each value of the parent.
    pub when: Vec<(String, Vec<Choice>)>,
}

impl Column {
    /// What may be drawn when the parent has this value.
    #[must_use]
    pub fn choices(&self, parent: Option<&str>) -> &[Choice] {
        let when = parent.and_then(|value| self.when.iter().find(|(name, _)| name == value));
        when.map_or(&self.values, |(_, choices)| choices)
    }

    /// Every value that it can have, once each.
    #[must_use]
    pub fn all_values(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        let lists = std::iter::once(&self.values).chain(self.when.iter().map(|(_, choices)| choices));
        for choice in lists.flatten() {
            if !all.contains(&choice.value.as_str()) {
                all.push(&choice.value);
            }
        }
        all
    }
}

/// Draws one by its weight.
pub(super) fn draw<'c>(choices: &'c [Choice], random: &mut SplitMix64) -> Option<&'c Choice> {
    let sum: f64 = choices.iter().map(|choice| choice.weight).sum();
    let mut left = f64::from(random.uniform()) * sum;
    for choice in choices {
        left -= choice.weight;
        if left < 0.0 {
            return Some(choice);
        }
    }
    choices.last()
}
