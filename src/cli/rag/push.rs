//! `dojo rag push`, `store`: a library's index on a Qdrant server.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{LibraryArguments, RagContext};
use crate::cli::data::stop_on_interrupt;
use crate::cli::{job_bar, print};
use crate::rag::database::IndexStore;
use crate::rag::index::server::{ServerAccess, URL_VARIABLE};
use crate::rag::library::Library;
use crate::rag::upkeep::{Brought, UpkeepReport};
use crate::ui::widgets::text;

/// Arguments of `dojo rag push`.
#[derive(Args)]
pub(super) struct PushArguments {
    #[command(flatten)]
    library: LibraryArguments,
    /// The server's address (<http://localhost:6334>); else that in `DOJO_QDRANT_URL`, or url under [qdrant] in
    /// settings.toml. Its key is in `DOJO_QDRANT_KEY`.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// The collection; else the one that this library was pushed to last, or one named after the library.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

/// Arguments of `dojo rag store`.
#[derive(Args)]
pub(super) struct StoreArguments {
    /// Where; without it, where it is now.
    #[arg(value_enum)]
    store: Option<StoreArgument>,
    #[command(flatten)]
    library: LibraryArguments,
    /// The collection on the server; as with `dojo rag push`.
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

/// Where an index is kept, as it is written on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoreArgument {
    /// On this machine, beside the documents.
    Edge,
    /// On the Qdrant server in `DOJO_QDRANT_URL` or settings.toml: what is missing there is pushed first.
    Server,
}

pub(super) fn run(place: &RagContext, arguments: &PushArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::open(&folder)?;
    let access = address(arguments.to.as_deref())?;
    let collection = collection(&library, arguments.collection.as_deref())?;
    let Some(report) = push(&mut library, &access, &collection)? else { return Ok(ExitCode::from(1)) };
    let left = library.database().without_chunks()?;
    if left > 0 {
        print::complain(&format!("{left} documents have no text, and are not on the server"));
    }
    let json = json!({ "library": folder, "url": access.url(), "collection": collection, "pushed": report,
                       "documents_without_text": left });
    place.print(|| said(&report, &access, &collection), &json)?;
    Ok(ExitCode::SUCCESS)
}

fn said(report: &UpkeepReport, access: &ServerAccess, collection: &str) -> String {
    let place = format!("the collection {collection} at {}", access.url());
    match (report.put, report.removed) {
        (0, 0) => format!("{place} is up to date"),
        (put, 0) => format!("put {} chunks into {place}", text::count(put)),
        (put, removed) => {
            format!("put {} chunks into {place}, took out {}", text::count(put), text::count(removed))
        }
    }
}

/// Nothing if a person stopped it.
fn push(library: &mut Library, access: &ServerAccess, collection: &str) -> Result<Option<UpkeepReport>> {
    let stop = stop_on_interrupt()?;
    let mut bar = job_bar::counting();
    let mut host = |report: UpkeepReport| {
        bar(report.put, report.all.max(report.put + 1));
        !stop.load(Ordering::Relaxed)
    };
    match library.push(access, collection, &mut host)? {
        Brought::UpToDate(report) => Ok(Some(report)),
        Brought::Stopped(_) => {
            print::complain("stopped; pushing again goes on from there");
            Ok(None)
        }
    }
}

/// The address that is said, or the one that was set; its key goes to no other.
pub(super) fn address(said: Option<&str>) -> Result<ServerAccess> {
    match said {
        Some(url) => {
            // One that can't be read doesn't matter if another is said.
            let told = ServerAccess::told().unwrap_or_default();
            match &told {
                Some(told) => ServerAccess::elsewhere(Some(told), url),
                // The key without an address is for the one that is said.
                None => ServerAccess::new(url, super::server_key().as_deref()),
            }
        }
        None => ServerAccess::needed(),
    }
}

/// The collection that is said, or the last one, or one named after the library's session or folder.
fn collection(library: &Library, said: Option<&str>) -> Result<String> {
    if let Some(said) = said {
        return Ok(said.to_owned());
    }
    if let IndexStore::Server { collection } = library.store()? {
        return Ok(collection);
    }
    if let Some(last) = library.database().last_collection()? {
        return Ok(last);
    }
    let name = named_after(library.folder());
    ensure!(!name.is_empty(), "name the collection with --collection NAME");
    Ok(name)
}

fn named_after(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let own = last(&whole).unwrap_or_default();
    // A session's library is called `library`.
    let name = if own == "library" { whole.parent().and_then(last).unwrap_or(own) } else { own };
    name.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' })
        .collect()
}

pub(super) fn store(place: &RagContext, arguments: &StoreArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::open(&folder)?;
    match arguments.store {
        None => {}
        Some(StoreArgument::Edge) => library.keep_index(&IndexStore::Edge)?,
        Some(StoreArgument::Server) => {
            let access = ServerAccess::needed()?;
            let collection = collection(&library, arguments.collection.as_deref())?;
            if push(&mut library, &access, &collection)?.is_none() {
                return Ok(ExitCode::from(1));
            }
            library.keep_index(&IndexStore::Server { collection })?;
        }
    }
    let store = library.store()?;
    place.print(|| in_words(&store), &json!({ "library": folder, "index": store }))?;
    Ok(ExitCode::SUCCESS)
}

/// Where an index is, for people.
pub(super) fn in_words(store: &IndexStore) -> String {
    match store {
        IndexStore::Edge => "the index is on this machine, beside the documents".to_owned(),
        IndexStore::Server { collection } => {
            let at = match ServerAccess::told() {
                Ok(Some(access)) => access.url().to_owned(),
                Ok(None) | Err(_) => format!("the server that {URL_VARIABLE} names, which is not set"),
            };
            format!("the index is the collection {collection} at {at}")
        }
    }
}
