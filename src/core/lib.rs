//! What Dojo knows without a model or a screen: plain data, the user's settings, datasets, tasks.
//!
//! A crate of its own so that what reads a million records is optimised in every build, and what draws need not be.
//! Its modules, and who may import whom, are in the map of `dojo_studio`.

pub mod blueprint;
pub mod config;
pub mod data;
pub mod domain;
pub mod ground;
pub mod task;
