//! Small things that panes are made of.

pub mod empty;
pub mod text;
