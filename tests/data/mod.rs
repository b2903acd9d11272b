//! `src/data`.

mod chat;
mod encode;
mod mask;
mod pack;
pub(crate) mod world;
