//! Recipes, runs and their charts.

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {}
