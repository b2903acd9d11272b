//! Documents from the network: pages and files by their address, papers of arXiv by id or search. What is fetched is
//! handed to the library's adder as bytes that were read; the library itself knows no network.

mod address;
mod arxiv;
mod fetch;
mod page;

use std::sync::Arc;

use anyhow::Result;

pub use address::{DocumentAddress, shown};

use self::fetch::{FetchTrouble, WebFetcher};
use crate::domain::library::SourceDocument;
use crate::domain::settings::ArxivSettings;
use crate::rag::add::Adder;
use crate::rag::database::{DocumentSource, KnownAddress, LibraryRoot, text_hash};
use crate::rag::files::{FilesReport, add_tags};
use crate::teacher::clock::{Clock, MachineClock};

/// Papers that a search adds unless more are asked for, and the most that may be.
pub const USUAL_PAPERS: u32 = 10;
pub const MOST_PAPERS: u32 = 2000;

/// What documents are fetched with.
pub struct WebDocuments {
    fetcher: WebFetcher,
    arxiv: ArxivSettings,
}

/// What a document is put into the library with.
struct Arrival {
    root: LibraryRoot,
    address: KnownAddress,
    bytes: Vec<u8>,
    read: SourceDocument,
    /// Whether the library had an earlier state of it.
    is_change: bool,
}

impl WebDocuments {
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(arxiv: ArxivSettings) -> Result<Self> {
        Self::with_clock(arxiv, Arc::new(MachineClock::default()))
    }

    /// With another clock, for tests.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_clock(arxiv: ArxivSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self { fetcher: WebFetcher::new(clock)?, arxiv })
    }

    /// Brings a library to what is at an address now. What can't be fetched or read is reported, and what the library has
    /// of it stays: a server that is away or wants a login says nothing about the document. A page that its server says is
    /// gone is taken out, as a removed file is. `tell` is told sentences for people.
    ///
    /// # Errors
    /// Where the library can't be written or a text not be embedded.
    pub fn add(
        &self,
        adder: &mut Adder<'_>,
        root: &LibraryRoot,
        address: &DocumentAddress,
        report: &mut FilesReport,
        tell: &mut dyn FnMut(&str),
    ) -> Result<()> {
        match address {
            DocumentAddress::Page(url) => self.add_page(adder, root, url, report),
            DocumentAddress::Paper(id) => self.add_paper(adder, root, id, report),
            DocumentAddress::Search(words) => self.add_search(adder, root, words, report, tell),
        }
    }
}

/// Puts in what arrived, at once: it was slow to come, and isn't asked for again after a kill.
fn put(adder: &mut Adder<'_>, arrival: Arrival, report: &mut FilesReport) -> Result<()> {
    let Arrival { root, address, bytes, mut read, is_change } = arrival;
    add_tags(&mut read, &root);
    read.source.clone_from(&address.source);
    let from = DocumentSource {
        source: address.source.clone(),
        hash: text_hash(&bytes),
        bytes: bytes.len() as u64,
        modified: 0,
        changed: 0,
    };
    let goes_on = adder.offer(from, &read, root.context.as_deref())? && adder.settle()?;
    if !goes_on {
        report.stopped = true;
        return Ok(());
    }
    adder.set_address(&address)?;
    if is_change {
        report.changed += 1;
    } else {
        report.added += 1;
    }
    Ok(())
}

/// Reports what didn't come.
fn leave_out(report: &mut FilesReport, source: &str, trouble: FetchTrouble) {
    match trouble {
        FetchTrouble::Stopped => report.stopped = true,
        FetchTrouble::Missing(status) => {
            report.leave_out(source, format!("there is no such document (HTTP {status})"));
        }
        FetchTrouble::Refused(why) | FetchTrouble::Away(why) => report.leave_out(source, why),
    }
}
