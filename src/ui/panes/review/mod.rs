//! The approval queue for reflections.

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {}
