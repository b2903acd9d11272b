//! What a person sees: keys in, screen out.

pub(crate) mod harness;

mod chart;
mod data;
mod keymap;
mod shell;
mod theme;
mod train;
