//! What a person sees: keys in, screen out.

pub(crate) mod harness;
pub(crate) mod world;

mod any_keys;
mod chart;
mod chat;
mod data;
mod keymap;
mod models;
mod review;
mod shell;
mod text;
mod theme;
mod train;
mod visible;
mod whole;
