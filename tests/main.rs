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

/// As in the program, so that the bounds on templates hold here too.
#[global_allocator]
static ALLOCATOR: dojo_studio::data::chat::fence::Metered<std::alloc::System> =
    dojo_studio::data::chat::fence::Metered(std::alloc::System);

mod app;
mod blueprint;
mod cli;
mod config;
mod conventions;
mod data;
mod domain;
mod engine;
mod eval;
mod golden;
mod ground;
mod layers;
mod rag;
mod reward;
mod serve;
mod session;
mod support;
mod task;
mod teacher;
mod ui;
