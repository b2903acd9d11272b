//! Data on its way to the engine: import, chat templates, loss mask, packing, splits. Knows no session and no screen.

pub mod calls;
pub mod chat;
pub mod check;
pub mod control;
pub mod encode;
pub mod export;
mod file_splits;
pub mod glance;
pub mod hash;
pub mod hub;
mod idle;
pub mod import;
pub mod mapping;
pub mod mask;
mod missing;
pub mod noticed;
pub mod pack;
pub(crate) mod prose;
pub(crate) mod quiet;
pub(crate) mod regular;
pub mod rows;
mod sample;
pub(crate) mod shown;
pub mod split;
pub mod stretch;
mod tally;
pub mod vocabulary;
