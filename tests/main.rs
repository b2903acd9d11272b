//! All tests, in one binary: a module for each part of the crate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::pedantic,
    clippy::excessive_precision,
    reason = "a test fails by panicking, and prints what it left out"
)]

mod app;
mod cli;
mod conventions;
mod data;
mod domain;
mod engine;
mod golden;
mod layers;
mod serve;
mod session;
mod support;
mod task;
mod teacher;
mod ui;
