//! All tests, in one binary: a module for each part of the crate.

mod layers;
mod ui;
