//! Evaluation results.

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum EvalCommand {}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EvalEvent {}
