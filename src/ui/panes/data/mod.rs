//! Records: a table, their detail, statistics.

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {}
