//! `dojo rag pull`: a library made from a collection that `dojo rag push` wrote.

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::push::address;
use super::{LibraryArguments, RagContext};
use crate::cli::data::stop_on_interrupt;
use crate::cli::{job_bar, print};
use crate::rag::pulling::{PullReport, pull};
use crate::ui::widgets::text;

/// Arguments of `dojo rag pull`.
#[derive(Args)]
pub(super) struct PullArguments {
    /// The collection.
    collection: String,
    #[command(flatten)]
    library: LibraryArguments,
    /// The server's address; as with `dojo rag push --to`.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
}

pub(super) fn run(place: &RagContext, arguments: &PullArguments) -> Result<ExitCode> {
    let folder = arguments.library.folder(place)?;
    let access = address(arguments.from.as_deref())?;
    let stop = stop_on_interrupt()?;
    let mut bar = job_bar::counting();
    let mut host = |report: PullReport| {
        bar(report.chunks, report.all.max(report.chunks + 1));
        !stop.load(Ordering::Relaxed)
    };
    let report = pull(&folder, &access, &arguments.collection, &mut host)?;
    let said = || {
        let PullReport { documents, chunks, .. } = report;
        format!(
            "{} has {} documents in {} chunks from the collection {} at {}",
            folder.display(),
            text::count(documents),
            text::count(chunks),
            arguments.collection,
            access.url()
        )
    };
    let json = json!({ "library": folder, "url": access.url(), "collection": arguments.collection, "pulled": report });
    if report.stopped {
        print::complain("stopped; whole documents are in, and pulling again goes on from there");
        return Ok(ExitCode::from(1));
    }
    place.print(said, &json)?;
    Ok(ExitCode::SUCCESS)
}
