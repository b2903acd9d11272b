//! `dojo rag embed`: the embeddings of a library computed with another model, for the first time, or where they lack.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{BarHost, LibraryArguments, RagContext};
use crate::app::documents::ADDING;
use crate::cli::data::stop_on_interrupt;
use crate::cli::{job_bar, print};
use crate::rag::add::embed_anew;
use crate::rag::library::Library;
use crate::session::JobLock;

/// Arguments of `dojo rag embed`.
#[derive(Args)]
pub(super) struct EmbedArguments {
    #[command(flatten)]
    library: LibraryArguments,
    /// The embedding model, or the name of an endpoint in `[embedders]` of settings.toml; else the library's own, whose
    /// missing embeddings are computed.
    #[arg(long, visible_alias = "embeddings")]
    model: Option<String>,
}

pub(super) fn run(place: &RagContext, arguments: &EmbedArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let mut library = Library::open(&folder)?;
    let _lock = JobLock::take(&folder, ADDING, "dojo rag embed")?;
    let stop = stop_on_interrupt()?;
    let embedder = place.embedder(&mut library, arguments.model.as_deref(), &stop)?;
    let all = library.database().counts()?.chunks;
    let mut host = BarHost { stop: &stop, bar: Box::new(job_bar::counting()), all };
    if !embed_anew(&mut library, embedder.as_ref(), &mut host)? {
        print::complain("stopped; what is embedded is kept, and embedding again goes on from there");
        return Ok(ExitCode::from(1));
    }
    library.index()?;
    let (counts, spent) = (library.counts()?, embedder.spent());
    let words = format!("{} chunks are embedded with {}", counts.chunks, embedder.model().name);
    place.print(
        || [words].into_iter().chain(spent.clone()).collect::<Vec<_>>().join("; "),
        &json!({ "library": folder, "now": counts, "spent": spent }),
    )?;
    Ok(ExitCode::SUCCESS)
}
