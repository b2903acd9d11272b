//! `dojo rag`: documents that answers are retrieved from.

mod text;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Arguments of `dojo rag`.
#[derive(Args)]
pub(super) struct RagArguments {
    /// One JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: RagSubcommand,
}

#[derive(Subcommand)]
enum RagSubcommand {
    /// Print what is read of a file: PDF, DOCX, EPUB, HTML, LaTeX, Markdown, text, source code.
    Text(text::TextArguments),
}

pub(super) fn run(arguments: &RagArguments) -> Result<ExitCode> {
    match &arguments.command {
        RagSubcommand::Text(text) => text::run(arguments.json, text),
    }
}
