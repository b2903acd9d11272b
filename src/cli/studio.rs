//! `dojo` alone, `dojo open`, `dojo new`: the studio.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, CommandFactory};

use crate::app::sessions;
use crate::app::studio::{self, First};
use crate::config::Folders;
use crate::domain::session::SessionInfo;

/// Arguments of `dojo open`.
#[derive(Args)]
pub(super) struct OpenArguments {
    /// A session's name, a sample's, or a session's folder.
    session: String,
}

/// Arguments of `dojo new`.
#[derive(Args)]
pub(super) struct NewArguments {
    /// The session's name: letters, digits, '-', '_' and '.'.
    name: String,
}

/// Opens the studio on the session that was open last.
pub(super) fn run() -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let session = sessions::open_last(&folders);
    show(&folders, session.map_or(First::Welcome, First::Session))
}

pub(super) fn open(arguments: &OpenArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let session = sessions::open_named(&folders, &arguments.session)?;
    remember_and_show(&folders, session, First::Session)
}

pub(super) fn new(arguments: &NewArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let session = sessions::create(&folders, &arguments.name)?;
    if !on_a_terminal() {
        super::print::say(&session.path.display().to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    remember_and_show(&folders, session, First::NewSession)
}

fn remember_and_show(
    folders: &Folders,
    session: SessionInfo,
    first: impl FnOnce(SessionInfo) -> First,
) -> Result<ExitCode> {
    // A session that is there can be worked in, whether or not the next start finds it by itself.
    if let Err(error) = folders.remember_session(&session.path) {
        super::print::complain(&format!(
            "the session is open, but won't be the one that opens next time: {error:#}"
        ));
    }
    show(folders, first(session))
}

fn on_a_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn show(folders: &Folders, first: First) -> Result<ExitCode> {
    if !on_a_terminal() {
        let command = super::Arguments::command();
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        super::print::complain(&format!(
            "the studio needs a terminal, and this is none. Without one, use a subcommand: {}",
            names.join(", ")
        ));
        return Ok(ExitCode::from(2));
    }
    studio::run(folders, first)?;
    Ok(ExitCode::SUCCESS)
}
