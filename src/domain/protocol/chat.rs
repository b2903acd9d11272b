//! Conversations with a model.

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatCommand {}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {}
