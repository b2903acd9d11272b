//! The studio: the loop, the worker, run following, the store.

pub mod process;
pub mod runs;
pub mod store;
