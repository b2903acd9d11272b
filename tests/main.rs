//! All tests, in one binary: a module for each part of the crate.

mod app;
mod data;
mod domain;
mod engine;
mod layers;
mod support;
mod ui;
