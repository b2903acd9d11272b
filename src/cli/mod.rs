//! The subcommands: one file each, arguments and printing only. The work is done by the modules below.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A terminal studio that turns a small language model into a specialist.
#[derive(Parser)]
#[command(name = "dojo", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {}

/// Parses the command line, runs it, and maps the outcome to an exit code: 0, 1 (failed) or 2 (wrong usage).
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome: anyhow::Result<()> = match arguments.command {
        Some(command) => match command {},
        None => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the command line is where errors reach people")]
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("dojo: {error:#}");
    ExitCode::from(1)
}
