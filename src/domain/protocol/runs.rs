//! Training runs: following them and asking things of them.

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum RunsCommand {}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum RunsEvent {}
