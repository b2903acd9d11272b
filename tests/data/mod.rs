//! `src/data`.

mod chat;
mod encode;
mod import;
mod mask;
mod pack;
mod rows;
pub(crate) mod world;
