//! `dojo rag`: documents that answers are retrieved from.

mod add;
mod ask;
mod embed;
mod eval;
mod explained;
mod groundedness;
mod list;
mod models;
mod numbers;
mod pull;
mod push;
mod roots;
mod search;
mod text;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::{Args, Subcommand};

use super::print;
use crate::app::library::embedder::{EmbedderOpening, OpenEmbedder, open_for};
use crate::app::library::folder;
use crate::config::Folders;
use crate::engine::hub::Network;
use crate::rag::add::{AddHost, AddProgress};
use crate::rag::index::server::{KEY_VARIABLE, ServerAccess, URL_VARIABLE};
use crate::rag::library::Library;

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
    /// Add files, folders, addresses and arXiv's papers: PDF, DOCX, EPUB, HTML, LaTeX, Markdown, text, source code. Unchanged ones are passed over, changed ones replaced.
    Add(add::AddArguments),
    /// Compute the embeddings with another model, or those of a library that has none.
    Embed(embed::EmbedArguments),
    /// Find passages: words, meanings, or both.
    Search(Box<search::SearchArguments>),
    /// Answer a question from the passages, with citations that are checked.
    Ask(Box<ask::AskArguments>),
    /// Print what is read of a file: PDF, DOCX, EPUB, HTML, LaTeX, Markdown, text, source code.
    Text(text::TextArguments),
    /// List the documents.
    List(list::DocumentsArguments),
    /// Take documents out.
    Remove(list::RemoveArguments),
    /// Say what the library holds, and how large it is.
    Status(list::LibraryStatusArguments),
    /// Send the library to a Qdrant server: vectors, terms and texts; what is new, changed or gone since.
    Push(push::PushArguments),
    /// Make a library from a collection that `dojo rag push` wrote.
    Pull(pull::PullArguments),
    /// Say where the index is kept that is searched, or have it kept elsewhere: on this machine, or on a Qdrant server.
    Store(push::StoreArguments),
    /// Measure rankings on a collection with judged questions (nDCG@10, recall@100, MRR@10, latency), and how grounded
    /// answers are.
    Eval(Box<eval::EvalArguments>),
}

/// Which library.
#[derive(Args)]
struct LibraryArguments {
    /// The library: a session's (its name, a sample's, or its folder), or a folder of its own; else that of the session
    /// in `DOJO_SESSION`, else of the one that was open last.
    #[arg(long)]
    library: Option<String>,
}

impl LibraryArguments {
    fn folder(&self, place: &RagContext) -> Result<PathBuf> {
        let named = self.library.clone().or_else(|| std::env::var("DOJO_SESSION").ok());
        folder(&place.folders, named.as_deref())
    }
}

/// Shows how far adding is, and ends it when a person wants to.
struct BarHost<'a> {
    stop: &'a AtomicBool,
    bar: Box<dyn FnMut(u64, u64)>,
    all: u64,
}

impl AddHost for BarHost<'_> {
    fn goes_on(&mut self, progress: &AddProgress) -> bool {
        let done = (progress.embedded + progress.kept).max(progress.chunks);
        (self.bar)(done, self.all.max(done + 1));
        !self.stop.load(Ordering::Relaxed)
    }
}

/// Has every library of this process know the Qdrant server that a person named, in the environment or the settings.
pub(super) fn remember_server() {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let named = || Folders::from_environment().ok()?.read_settings().0.qdrant.url;
    let access = set(URL_VARIABLE).or_else(named).map(|url| ServerAccess::new(&url, server_key().as_deref()));
    ServerAccess::tell(access.transpose());
}

/// The key to that server.
fn server_key() -> Option<String> {
    std::env::var(KEY_VARIABLE).ok()
}

/// What every subcommand is told.
struct RagContext {
    folders: Folders,
    json: bool,
}

pub(super) fn run(arguments: &RagArguments) -> Result<ExitCode> {
    let place = RagContext { folders: Folders::from_environment()?, json: arguments.json };
    match &arguments.command {
        RagSubcommand::Add(arguments) => add::run(&place, arguments),
        RagSubcommand::Embed(arguments) => embed::run(&place, arguments),
        RagSubcommand::Search(arguments) => search::run(&place, arguments),
        RagSubcommand::Ask(arguments) => ask::run(&place, arguments),
        RagSubcommand::Text(arguments) => text::run(place.json, arguments),
        RagSubcommand::List(arguments) => list::run(&place, arguments),
        RagSubcommand::Remove(arguments) => list::remove(&place, arguments),
        RagSubcommand::Status(arguments) => list::status(&place, arguments),
        RagSubcommand::Push(arguments) => push::run(&place, arguments),
        RagSubcommand::Pull(arguments) => pull::run(&place, arguments),
        RagSubcommand::Store(arguments) => push::store(&place, arguments),
        RagSubcommand::Eval(arguments) => eval::run(&place, arguments),
    }
}

impl RagContext {
    fn print(&self, people: impl FnOnce() -> String, json: &serde_json::Value) -> Result<()> {
        if self.json {
            return print::say_json(&json.to_string());
        }
        let text = people();
        if text.is_empty() { Ok(()) } else { print::say(text.trim_end_matches('\n')) }
    }

    /// What embeds: the one that is named, else the library's own, else the usual one; fetched if it isn't here.
    fn embedder(
        &self,
        library: &mut Library,
        named: Option<&str>,
        stop: &Arc<AtomicBool>,
    ) -> Result<OpenEmbedder> {
        let opening = EmbedderOpening {
            folders: &self.folders,
            network: Network::Allowed,
            progress: &mut super::pull::Bar::new(),
            stop: Arc::clone(stop),
        };
        open_for(library, named, opening)
    }
}
