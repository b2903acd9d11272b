//! `dojo data`: a session's records from the shell.

mod change;
mod check;
mod export;
mod import;
mod list;
mod show;
mod split;
mod table;

pub(super) use table::{Align, table};

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use crate::app::sessions;
use crate::config::Folders;
use crate::domain::filter::{Filter, parse};
use crate::domain::record::{Record, RecordId};
use crate::domain::session::SessionInfo;
use crate::domain::view::SortOrder;
use crate::session::{Access, DATABASE, Session};

/// Arguments of `dojo data`.
#[derive(Args)]
pub(super) struct DataArguments {
    /// The session: its name, a sample's, or a folder; else what `DOJO_SESSION` says, else the one that was open last.
    #[arg(long, global = true)]
    session: Option<String>,
    /// One JSON object instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: DataSubcommand,
}

#[derive(Subcommand)]
enum DataSubcommand {
    /// Bring in a file or a folder: JSONL, JSON, CSV, TSV, Parquet, text.
    Import(import::ImportArguments),
    /// List records that a filter matches.
    List(list::ListArguments),
    /// Show one record whole.
    Show(show::ShowArguments),
    /// Say what was done to the session, or to one record.
    History(show::HistoryArguments),
    /// Count what a filter matches: labels, splits, lengths, repeats.
    Stats(list::StatsArguments),
    /// Add a tag to records, or take it off.
    Tag(change::TagArguments),
    /// Mark records as new, approved or rejected.
    Mark(change::MarkArguments),
    /// Set the label of records.
    Label(change::LabelArguments),
    /// Delete records; undo brings them back.
    Delete(change::DeleteArguments),
    /// Take the last change back.
    Undo,
    /// Do again what was undone last.
    Redo,
    /// Hold out a share of the records, by prompt or column.
    Split(split::SplitArguments),
    /// Find what may be wrong: repeats, leakage, empty turns, truncation, secrets.
    Check(check::CheckArguments),
    /// Write records as files that other programs read.
    Export(export::ExportArguments),
    /// List the imports, and the lines that could not be read.
    Imports(show::ImportsArguments),
    /// Count every record's tokens with a model's tokenizer and chat template.
    Tokens(import::CountArguments),
    /// Build the full-text index to its end.
    Index,
}

/// What every subcommand is told.
struct DataContext {
    folders: Folders,
    session: Option<String>,
    json: OutputForm,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OutputForm {
    People,
    Json,
}

pub(super) fn run(arguments: &DataArguments) -> Result<ExitCode> {
    let place = DataContext {
        folders: Folders::from_environment()?,
        session: arguments.session.clone().or_else(|| std::env::var("DOJO_SESSION").ok()),
        json: if arguments.json { OutputForm::Json } else { OutputForm::People },
    };
    match &arguments.command {
        DataSubcommand::Import(arguments) => import::run(&place, arguments)?,
        DataSubcommand::List(arguments) => list::run(&place, arguments)?,
        DataSubcommand::Show(arguments) => show::run(&place, arguments)?,
        DataSubcommand::History(arguments) => show::history(&place, arguments)?,
        DataSubcommand::Stats(arguments) => list::stats(&place, arguments)?,
        DataSubcommand::Tag(arguments) => change::tag(&place, arguments)?,
        DataSubcommand::Mark(arguments) => change::mark(&place, arguments)?,
        DataSubcommand::Label(arguments) => change::label(&place, arguments)?,
        DataSubcommand::Delete(arguments) => change::delete(&place, arguments)?,
        DataSubcommand::Undo => change::undo(&place)?,
        DataSubcommand::Redo => change::redo(&place)?,
        DataSubcommand::Split(arguments) => split::run(&place, arguments)?,
        DataSubcommand::Check(arguments) => check::run(&place, arguments)?,
        DataSubcommand::Export(arguments) => export::run(&place, arguments)?,
        DataSubcommand::Imports(arguments) => show::imports(&place, arguments)?,
        DataSubcommand::Tokens(arguments) => import::tokens(&place, arguments)?,
        DataSubcommand::Index => import::index(&place)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl DataContext {
    fn info(&self) -> Result<SessionInfo> {
        match &self.session {
            Some(name) => sessions::open_named(&self.folders, name),
            None => sessions::open_last(&self.folders)
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
            OutputForm::People => {
                let text = people();
                if text.is_empty() { Ok(()) } else { super::print::say(text.trim_end_matches('\n')) }
            }
            OutputForm::Json => super::print::say_json(&json.to_string()),
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
pub(in crate::cli) fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
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
