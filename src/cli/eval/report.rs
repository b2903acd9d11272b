//! `dojo eval report`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::show::named;
use crate::cli::print;
use crate::config::Folders;
use crate::eval::report::{html, markdown};
use crate::ground::files;

/// Arguments of `dojo eval report`.
#[derive(Args)]
pub(super) struct EvalReportArguments {
    /// The evaluation: its name or folder; the newest otherwise.
    name: Option<String>,
    /// Write one HTML file with its pictures inside.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write Markdown; printed if no file is named at all.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

pub(super) fn run(folders: &Folders, arguments: &EvalReportArguments) -> Result<ExitCode> {
    let kept = named(folders, arguments.name.as_deref())?;
    if let Some(path) = &arguments.html {
        files::write_atomically(path, html(&kept).as_bytes())?;
        print::complain(&format!("written: {}", path.display()));
    }
    if let Some(path) = &arguments.markdown {
        files::write_atomically(path, markdown(&kept).as_bytes())?;
        print::complain(&format!("written: {}", path.display()));
    }
    if arguments.html.is_none() && arguments.markdown.is_none() {
        print::say(markdown(&kept).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}
