//! What a person sees: keys in, screen out.

pub(crate) mod harness;

mod data;
mod chart;
mod keymap;
mod shell;
mod theme;
mod train;
