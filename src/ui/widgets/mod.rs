//! Small things that panes are made of.

pub mod chart;
pub mod cursor;
pub mod diff;
pub mod empty;
pub mod field;
pub mod float;
mod fold;
pub mod gauge;
pub(crate) mod highlight;
pub(crate) mod markdown;
pub(crate) mod path_field;
pub mod progress;
pub mod text;
pub mod uneven;
pub mod visible;
pub mod writing;
