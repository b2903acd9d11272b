//! The subcommands: one file each, arguments and printing only. The work is done by the modules below.

mod ask;
mod bench;
mod bench_generate;
mod bench_guess;
mod bench_perplexity;
mod bench_review;
mod bench_ui;
mod chat;
mod data;
mod demo;
mod doctor;
mod generate;
mod generate_batch;
mod loading;
mod models;
mod print;
mod progress;
mod pull;
mod review;
mod review_jobs;
mod runs;
mod sampling;
mod screenshot;
mod serve;
mod studio;
mod task;
mod tokens;
mod train;
mod turned;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::app::process;
use crate::config;

/// A terminal studio that turns a small language model into a specialist.
#[derive(Parser)]
#[command(name = "dojo", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Measure this machine's speed.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Records of a session: import, list, tag, undo, history.
    Data(data::Data),
    /// Score corrected thoughts with a judge, and improve what scores low.
    Judge(review_jobs::Judge),
    /// Check the terminal, the machine, models and settings.
    Doctor(doctor::Doctor),
    /// List the models on this machine.
    Models(models::Models),
    /// Chat with a model, line by line.
    Chat(Box<chat::Chat>),
    /// Train the shipped sample, then ask the base and the tuned model the same.
    Demo(demo::Demo),
    /// Answer a prompt, or a file of them.
    Generate(Box<generate::Generate>),
    /// Make a session and open it.
    New(studio::New),
    /// Serve models by OpenAI's HTTP API.
    Serve(Box<serve::Serve>),
    /// Open a session: one of yours, a sample, or a folder.
    Open(studio::Open),
    /// Fetch a model, so that it can be trained and talked to.
    Pull(pull::Pull),
    /// Correct wrong thoughts with a teacher.
    Reflect(review_jobs::Reflect),
    /// Bring reflections in, decide on them, and write what comes out.
    Review(review::Review),
    /// Draw thoughts for records from a student.
    Think(review_jobs::Think),
    /// List training runs, or pause, resume, checkpoint, stop or delete one.
    Runs(runs::Runs),
    /// Train a model by a recipe.
    Train(Box<train::Train>),
    /// List the tasks, or try one on records.
    Task(task::Task),
    /// Show an example's tokens, and which of them are trained on.
    Tokens(tokens::Tokens),
    /// Make a picture of a real screen.
    #[command(hide = true)]
    Screenshot(screenshot::Screenshot),
}

/// Parses the command line, runs it, and maps the outcome to an exit code: 0, 1 (failed) or 2 (wrong usage).
pub fn run() -> ExitCode {
    process::outlive_file_limit();
    let arguments = match Arguments::try_parse_from(turned::spelt_out(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(answer) => return ended(said(&answer)),
    };
    config::remember_keys();
    let outcome = match arguments.command {
        None => studio::run(),
        Some(Command::Bench(what)) => bench::run(&what),
        Some(Command::Data(arguments)) => data::run(&arguments),
        Some(Command::Judge(arguments)) => review_jobs::judge(&arguments),
        Some(Command::Models(arguments)) => models::run(&arguments),
        Some(Command::Chat(arguments)) => chat::run(&arguments),
        Some(Command::Demo(arguments)) => demo::run(&arguments),
        Some(Command::Generate(arguments)) => generate::run(&arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&arguments),
        Some(Command::Screenshot(arguments)) => screenshot::run(&arguments),
        Some(Command::New(arguments)) => studio::new(&arguments),
        Some(Command::Serve(arguments)) => serve::run(&arguments),
        Some(Command::Open(arguments)) => studio::open(&arguments),
        Some(Command::Pull(arguments)) => pull::run(&arguments),
        Some(Command::Reflect(arguments)) => review_jobs::reflect(&arguments),
        Some(Command::Review(arguments)) => review::run(&arguments),
        Some(Command::Think(arguments)) => review_jobs::think(&arguments),
        Some(Command::Runs(arguments)) => runs::run(&arguments),
        Some(Command::Train(arguments)) => train::run(&arguments),
        Some(Command::Task(arguments)) => task::run(&arguments),
        Some(Command::Tokens(arguments)) => tokens::run(&arguments),
    };
    ended(outcome)
}

/// Says what clap has to say: help and version are results, everything else is wrong usage.
fn said(answer: &clap::Error) -> Result<ExitCode> {
    let code = ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
    let outcome = answer.print().and_then(|()| std::io::stdout().flush());
    if answer.use_stderr() {
        return Ok(code);
    }
    print::written(outcome).map(|()| code)
}

fn ended(outcome: Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        if error.is::<print::Gone>() {
            return ExitCode::SUCCESS;
        }
        print::complain(&sentence(&error));
        ExitCode::from(1)
    })
}

/// What went wrong and to what. A full disk is said first, wherever it was met: it is what a person can mend.
fn sentence(error: &anyhow::Error) -> String {
    let met = |kind: ErrorKind| {
        error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == kind))
    };
    if met(ErrorKind::StorageFull) {
        format!("the disk is full: make room and try again; {error:#}")
    } else if met(ErrorKind::FileTooLarge) {
        format!("a file has reached the size that it may have: raise `ulimit -f` and try again; {error:#}")
    } else {
        format!("{error:#}")
    }
}
