//! `dojo trust`: leave for a folder's tasks, recipes and blueprints to run the programs that they name as rewards.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::print::{say, say_json};
use crate::app::rewards::trust::{FolderCommands, Trust, commands_in, forget, trust, trust_of};
use crate::config::Folders;

/// Arguments of `dojo trust`.
#[derive(Args)]
pub(super) struct TrustArguments {
    /// The folder of a session, or of a task's file.
    folder: PathBuf,
    /// Trust it without asking, after having looked at what it would run.
    #[arg(long, conflicts_with = "remove")]
    yes: bool,
    /// Trust it no longer.
    #[arg(long)]
    remove: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &TrustArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    if arguments.remove {
        let was = forget(&folders, &arguments.folder)?;
        let told = if was { "is trusted no longer" } else { "was not trusted" };
        return done(arguments, &json!({"removed": was}), &format!("{} {told}", arguments.folder.display()));
    }
    let found = commands_in(&arguments.folder)?;
    let before = trust_of(&folders, &found)?;
    if !arguments.json {
        say(&shown(&found, before))?;
    }
    if found.commands.is_empty() {
        return done(arguments, &json!({"found": found, "trust": before}), "there is nothing to trust");
    }
    if before != Trust::Trusted {
        if !arguments.yes && !agrees()? {
            return Ok(ExitCode::from(1));
        }
        trust(&folders, &found)?;
    }
    let told = format!("{} is trusted as it is now", found.folder.display());
    done(arguments, &json!({"found": found, "trust": Trust::Trusted}), &told)
}

fn done(arguments: &TrustArguments, json: &serde_json::Value, told: &str) -> Result<ExitCode> {
    if arguments.json {
        say_json(&json.to_string())?;
    } else {
        say(told)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(found: &FolderCommands, before: Trust) -> String {
    let mut out = match before {
        Trust::Changed => "what was trusted here has changed\n".to_owned(),
        Trust::Trusted | Trust::Unknown => String::new(),
    };
    if !found.commands.is_empty() {
        out += &format!("as you, in {}, Dojo would run:\n", found.folder.display());
    }
    for command in &found.commands {
        out +=
            &format!("  {}, reward {}: {}\n", command.file.display(), command.reward, command.line.join(" "));
    }
    if !found.files.is_empty() {
        out += "a change of these files asks again; what else they load is not looked at:\n";
    }
    for file in &found.files {
        out += &format!("  {}\n", file.strip_prefix(&found.folder).unwrap_or(file).display());
    }
    out.trim_end().to_owned()
}

fn agrees() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody is here to ask: read what it would run, then add --yes");
    }
    say("Trust this folder? Type yes to do so")?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}
