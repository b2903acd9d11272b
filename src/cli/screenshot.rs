//! `dojo screenshot`, for the documents: a real screen as an SVG picture or as text.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use super::print;
use crate::app::sessions;
use crate::app::studio::headless::Headless;
use crate::config::Folders;

/// Arguments of `dojo screenshot`.
#[derive(Args)]
pub(super) struct ScreenshotArguments {
    /// The session to open, by name or folder; the welcome without one.
    #[arg(long)]
    session: Option<String>,
    /// Columns and rows.
    #[arg(long, default_value = "120x36", value_parser = size)]
    size: (u16, u16),
    /// Wait for this text before pressing keys.
    #[arg(long)]
    first: Option<String>,
    /// Keys to press, parted by spaces: "6 down".
    #[arg(long, default_value = "")]
    keys: String,
    /// Wait for this text before taking the picture.
    #[arg(long)]
    until: Option<String>,
    /// Seconds to wait at most.
    #[arg(long, default_value_t = 20)]
    patience: u64,
    /// Where the SVG goes; the screen's text is printed without it.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &ScreenshotArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let session =
        arguments.session.as_deref().map(|name| sessions::open_named(&folders, name)).transpose()?;
    let mut studio = Headless::start(&folders, session, arguments.size)?;
    let patience = Duration::from_secs(arguments.patience);
    studio.wait_for(arguments.first.as_deref().unwrap_or("dojo"), patience)?;
    studio.keys(&arguments.keys)?;
    studio.wait_for(arguments.until.as_deref().unwrap_or("dojo"), patience)?;
    match &arguments.out {
        Some(path) => {
            std::fs::write(path, studio.svg())
                .with_context(|| format!("write the picture {}", path.display()))?;
        }
        None => print::say(&studio.text())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parsed =
        text.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    parsed.ok_or_else(|| format!("'{text}' is not a size; write 120x36"))
}
