//! The subcommands: one file each, arguments and printing only. The work is done by the modules below.

mod ask;
mod batch_input;
mod bench;
mod bench_expand;
mod bench_generate;
mod bench_guess;
mod bench_perplexity;
mod bench_review;
mod bench_ui;
mod blueprint;
mod chat;
mod data;
mod demo;
mod doctor;
mod eval;
mod expand;
mod export;
mod generate;
mod generate_batch;
mod job_bar;
mod loading;
mod mcp;
mod models;
mod print;
mod progress;
mod pull;
mod rag;
mod review;
mod review_jobs;
mod reward;
mod runs;
mod sampling;
mod screenshot;
mod serve;
mod studio;
mod sweep;
mod task;
mod tokens;
mod tour;
mod train;
mod trust;
mod turned;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::app::process;
use crate::{config, teacher};

/// A terminal studio that turns a small language model into a specialist.
#[derive(Parser)]
#[command(name = "dojo", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<DojoCommand>,
}

#[derive(Subcommand)]
enum DojoCommand {
    /// Measure this machine's speed.
    #[command(subcommand)]
    Bench(bench::BenchSubcommand),
    /// Blueprints: how a domain is thought, and what a teacher is to write of it.
    Blueprint(Box<blueprint::BlueprintArguments>),
    /// Records of a session: import, list, tag, undo, history.
    Data(data::DataArguments),
    /// Score corrected thoughts with a judge, and improve what scores low.
    Judge(review_jobs::JudgeArguments),
    /// Check the terminal, the machine, models and settings.
    Doctor(doctor::DoctorArguments),
    /// Let other assistants read the library, records and runs (Model Context Protocol).
    Mcp(mcp::McpArguments),
    /// Put adapters into their base's weights: a Hugging Face folder.
    Merge(Box<export::MergeArguments>),
    /// List the models on this machine.
    Models(models::ModelsArguments),
    /// Chat with a model, line by line.
    Chat(Box<chat::ChatArguments>),
    /// Train the shipped sample, then ask the base and the tuned model the same.
    Demo(demo::DemoArguments),
    /// Hold models against each other on the same items: figures with intervals, and whether they differ.
    Eval(Box<eval::EvalArguments>),
    /// Have a teacher write the examples that a blueprint plans, into a session.
    Expand(Box<expand::ExpandArguments>),
    /// Write a trained model for other programs: a GGUF, a merged folder, an adapter; checked against what was trained.
    Export(Box<export::ModelExportArguments>),
    /// Answer a prompt, or a file of them.
    Generate(Box<generate::GenerateArguments>),
    /// Make a session and open it.
    New(studio::NewArguments),
    /// Serve models by OpenAI's HTTP API.
    Serve(Box<serve::ServeArguments>),
    /// Open a session: one of yours, a sample, or a folder.
    Open(studio::OpenArguments),
    /// Fetch a model, so that it can be trained and talked to.
    Pull(pull::PullArguments),
    /// Documents that answers are retrieved from: add, search, measure.
    Rag(Box<rag::RagArguments>),
    /// Correct wrong thoughts with a teacher.
    Reflect(review_jobs::ReflectArguments),
    /// Bring reflections in, decide on them, and write what comes out.
    Review(review::ReviewArguments),
    /// Try, check, measure and attack the rewards of a task.
    Reward(Box<reward::RewardArguments>),
    /// Draw thoughts for records from a student.
    Think(review_jobs::ThinkArguments),
    /// List training runs, or pause, resume, checkpoint, stop or delete one.
    Runs(runs::RunsArguments),
    /// Train a recipe with several values of its keys, and hold the runs against each other.
    Sweep(Box<sweep::SweepArguments>),
    /// See all of it work on the shipped samples, step by step, in a few minutes.
    Tour(tour::TourArguments),
    /// Train a model by a recipe.
    Train(Box<train::TrainArguments>),
    /// Let a folder's tasks, recipes and blueprints run the programs that they name as rewards.
    Trust(trust::TrustArguments),
    /// List the tasks, or try one on records.
    Task(task::TaskArguments),
    /// Show an example's tokens, and which of them are trained on.
    Tokens(tokens::TokensArguments),
    /// Make a picture of a real screen.
    #[command(hide = true)]
    Screenshot(screenshot::ScreenshotArguments),
}

/// Parses the command line, runs it, and maps the outcome to an exit code: 0, 1 (failed) or 2 (wrong usage).
pub fn run() -> ExitCode {
    process::outlive_file_limit();
    let arguments = match Arguments::try_parse_from(turned::spelt_out(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(answer) => return ended(said(&answer)),
    };
    config::remember_keys();
    rag::remember_server();
    // The studio has the screen to itself, and a log.
    if !matches!(arguments.command, None | Some(DojoCommand::Open(_))) {
        teacher::tell_of_waits(print::complain);
    }
    let outcome = match arguments.command {
        None => studio::run(),
        Some(DojoCommand::Bench(what)) => bench::run(&what),
        Some(DojoCommand::Blueprint(arguments)) => blueprint::run(&arguments),
        Some(DojoCommand::Expand(arguments)) => expand::run(&arguments),
        Some(DojoCommand::Data(arguments)) => data::run(&arguments),
        Some(DojoCommand::Judge(arguments)) => review_jobs::judge(&arguments),
        Some(DojoCommand::Mcp(arguments)) => mcp::run(&arguments),
        Some(DojoCommand::Merge(arguments)) => export::merge(&arguments),
        Some(DojoCommand::Models(arguments)) => models::run(&arguments),
        Some(DojoCommand::Chat(arguments)) => chat::run(&arguments),
        Some(DojoCommand::Demo(arguments)) => demo::run(&arguments),
        Some(DojoCommand::Eval(arguments)) => eval::run(&arguments),
        Some(DojoCommand::Export(arguments)) => export::run(&arguments),
        Some(DojoCommand::Generate(arguments)) => generate::run(&arguments),
        Some(DojoCommand::Doctor(arguments)) => doctor::run(&arguments),
        Some(DojoCommand::Screenshot(arguments)) => screenshot::run(&arguments),
        Some(DojoCommand::New(arguments)) => studio::new(&arguments),
        Some(DojoCommand::Serve(arguments)) => serve::run(&arguments),
        Some(DojoCommand::Open(arguments)) => studio::open(&arguments),
        Some(DojoCommand::Pull(arguments)) => pull::run(&arguments),
        Some(DojoCommand::Rag(arguments)) => rag::run(&arguments),
        Some(DojoCommand::Reflect(arguments)) => review_jobs::reflect(&arguments),
        Some(DojoCommand::Review(arguments)) => review::run(&arguments),
        Some(DojoCommand::Think(arguments)) => review_jobs::think(&arguments),
        Some(DojoCommand::Runs(arguments)) => runs::run(&arguments),
        Some(DojoCommand::Reward(arguments)) => reward::run(&arguments),
        Some(DojoCommand::Sweep(arguments)) => sweep::run(&arguments),
        Some(DojoCommand::Tour(arguments)) => tour::run(&arguments),
        Some(DojoCommand::Train(arguments)) => train::run(&arguments),
        Some(DojoCommand::Trust(arguments)) => trust::run(&arguments),
        Some(DojoCommand::Task(arguments)) => task::run(&arguments),
        Some(DojoCommand::Tokens(arguments)) => tokens::run(&arguments),
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
