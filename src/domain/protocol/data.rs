//! Records: pages, searches, edits.

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum DataCommand {}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum DataEvent {}
