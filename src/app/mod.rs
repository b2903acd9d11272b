//! The studio: the loop, the worker, run following, the store.

pub mod models;
pub mod process;
pub mod runs;
pub mod sessions;
pub mod store;
pub mod studio;
