//! `src/data`.

mod chat;
mod check;
mod control;
mod encode;
mod export;
mod hub;
mod import;
mod limits;
mod mask;
mod pack;
mod rows;
mod split;
mod turns;
pub(crate) mod world;
