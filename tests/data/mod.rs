//! `src/data`.

mod beside;
mod bombs;
mod calls;
mod chat;
mod check;
mod control;
mod encode;
mod exact;
mod export;
mod forms;
mod glance;
pub(crate) mod hub;
mod import;
mod limits;
mod mask;
mod pack;
mod pairs;
mod parquet;
mod rivals;
mod rows;
mod settings;
mod shapes;
mod shown;
mod split;
mod stretch;
mod turns;
pub(crate) mod world;
