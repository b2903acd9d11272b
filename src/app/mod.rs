//! The studio: the loop, the worker, run following, the store.

pub mod store;
