//! Reflections and verdicts.

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum ReviewCommand {}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ReviewEvent {}
