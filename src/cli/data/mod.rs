//! `dojo data`: a session's records from the shell.

mod change;
mod check;
mod export;
mod import;
mod list;
mod show;
mod split;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use crate::app::{sessions, studio};
use crate::config::Folders;
use crate::domain::filter::{Filter, parse};
use crate::domain::record::{Record, RecordId};
use crate::domain::session::SessionInfo;
use crate::domain::view::SortOrder;
use crate::session::{Access, DATABASE, Session};

/// Arguments of `dojo data`.
#[derive(Args)]
pub(super) struct Data {
    /// The session: its name, a sample's, or a folder; else what `DOJO_SESSION` says, else the one that was open last.
    #[arg(long, global = true)]
    session: Option<String>,
    /// One JSON object instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring in a file or a folder: JSONL, JSON, CSV, TSV, Parquet, text.
    Import(import::Import),
    /// List records that a filter matches.
    List(list::List),
    /// Show one record whole.
    Show(show::Show),
    /// Say what was done to the session, or to one record.
    History(show::History),
    /// Count what a filter matches: labels, splits, lengths, repeats.
    Stats(list::Stats),
    /// Add a tag to records, or take it off.
    Tag(change::Tag),
    /// Mark records as new, approved or rejected.
    Mark(change::Mark),
    /// Set the label of records.
    Label(change::Label),
    /// Delete records; undo brings them back.
    Delete(change::Delete),
    /// Take the last change back.
    Undo,
    /// Do again what was undone last.
    Redo,
    /// Hold out a share of the records, by prompt or column.
    Split(split::Split),
    /// Find what may be wrong: repeats, leakage, empty turns, truncation, secrets.
    Check(check::Check),
    /// Write records as files that other programs read.
    Export(export::Export),
    /// List the imports, and the lines that could not be read.
    Imports(show::Imports),
    /// Count every record's tokens with a model's tokenizer and chat template.
    Tokens(import::Tokens),
    /// Build the full-text index to its end.
    Index,
}

/// What every subcommand is told.
struct Place {
    folders: Folders,
    session: Option<String>,
    json: Form,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    People,
    Json,
}

pub(super) fn run(arguments: &Data) -> Result<ExitCode> {
    let place = Place {
        folders: Folders::from_environment()?,
        session: arguments.session.clone().or_else(|| std::env::var("DOJO_SESSION").ok()),
        json: if arguments.json { Form::Json } else { Form::People },
    };
    match &arguments.command {
        Command::Import(arguments) => import::run(&place, arguments)?,
        Command::List(arguments) => list::run(&place, arguments)?,
        Command::Show(arguments) => show::run(&place, arguments)?,
        Command::History(arguments) => show::history(&place, arguments)?,
        Command::Stats(arguments) => list::stats(&place, arguments)?,
        Command::Tag(arguments) => change::tag(&place, arguments)?,
        Command::Mark(arguments) => change::mark(&place, arguments)?,
        Command::Label(arguments) => change::label(&place, arguments)?,
        Command::Delete(arguments) => change::delete(&place, arguments)?,
        Command::Undo => change::undo(&place)?,
        Command::Redo => change::redo(&place)?,
        Command::Split(arguments) => split::run(&place, arguments)?,
        Command::Check(arguments) => check::run(&place, arguments)?,
        Command::Export(arguments) => export::run(&place, arguments)?,
        Command::Imports(arguments) => show::imports(&place, arguments)?,
        Command::Tokens(arguments) => import::tokens(&place, arguments)?,
        Command::Index => import::index(&place)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Place {
    fn info(&self) -> Result<SessionInfo> {
        match &self.session {
            Some(name) => sessions::open_named(&self.folders, name),
            None => studio::last_session(&self.folders)
                .context("no session was open; say --session NAME, or make one with `dojo new NAME`"),
        }
    }

    /// The session, to be read.
    fn reader(&self) -> Result<Session> {
        let folder = self.folder_with_records()?;
        Ok(Session::open(&folder, Access::Read)?)
    }

    /// The session, to be written; its database is made where there is none.
    fn writer(&self) -> Result<Session> {
        Ok(Session::create(&self.info()?.path)?)
    }

    fn folder_with_records(&self) -> Result<PathBuf> {
        let info = self.info()?;
        if !info.path.join(DATABASE).is_file() {
            bail!("the session {} has no records yet: `dojo data import PATH` brings some", info.name);
        }
        Ok(info.path)
    }

    fn print(&self, people: impl FnOnce() -> String, json: &serde_json::Value) -> Result<()> {
        match self.json {
            Form::People => {
                let text = people();
                if text.is_empty() { Ok(()) } else { super::print::say(text.trim_end_matches('\n')) }
            }
            Form::Json => super::print::say_as_it_is(&json.to_string()),
        }
    }
}

/// So many records are in memory at once.
const PAGE: usize = 4096;

/// Calls `each` with the records that a filter's words match, page by page, in the order of their numbers.
fn each_page(
    session: &Session,
    words: &[String],
    mut each: impl FnMut(Vec<(RecordId, Record)>) -> Result<()>,
) -> Result<()> {
    let view = session.view(&filter(words)?, SortOrder::default())?;
    for ids in view.ids().chunks(PAGE) {
        each(session.rows(ids)?.into_iter().map(|row| (row.id, row.record)).collect())?;
    }
    Ok(())
}

/// Reads a filter from the words of a command line; a wrong one is shown with a caret under what is wrong.
fn filter(words: &[String]) -> Result<Filter> {
    let line = words.join(" ");
    parse(&line).map_err(|error| anyhow::anyhow!("the filter can't be read\n{}", error.pointed(&line)))
}

/// Becomes true when the person presses Ctrl-C; a second one ends the program at once.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if seen.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
    });
    Ok(stop)
}
