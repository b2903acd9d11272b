//! The studio: the loop, the worker, run following, the store.

pub mod bench_runs;
mod chat;
pub(crate) mod checks;
pub mod checkup;
pub mod cuts;
mod elsewhere;
pub mod events;
pub(crate) mod exports;
pub mod follow;
pub(crate) mod forbidden;
pub(crate) mod imports;
mod jobs;
pub mod library;
mod lost;
pub mod models;
pub mod process;
pub mod recipes;
pub(crate) mod record_tokenizer;
mod records;
pub mod review;
mod run_lock;
pub mod runs;
pub mod sessions;
pub mod store;
pub mod studio;
pub mod train;
mod unkept;
