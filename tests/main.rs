//! All tests, in one binary: a module for each part of the crate.

mod app;
mod data;
mod domain;
mod layers;
mod ui;
