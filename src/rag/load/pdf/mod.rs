//! PDF: words in the order that a person reads them. `unpdf` says what stands where on a page; which line comes after
//! which, what is a heading, a footnote or the page's own furniture is found here.

mod block;
mod furniture;
mod heading;
mod hyphen;
mod line;
mod line_numbers;
mod nesting;
mod one_page;
mod order;
mod pages;
mod table;

use anyhow::{Result, bail};

use super::writer::BlockWriter;
use pages::PdfPages;

/// Reads a document's pages.
///
/// # Errors
/// If it is encrypted, damaged beyond reading, or has no pages.
pub(super) fn read(out: &mut BlockWriter, bytes: &[u8]) -> Result<()> {
    let mut pages = PdfPages::open(bytes)?;
    pages.facts(out);
    if pages.count() == 0 {
        bail!("it has no pages");
    }
    let mut lines = pages.lines();
    furniture::remove(&mut lines);
    for page in &mut lines {
        order::settle(page);
    }
    out.facts.pages = Some(pages.count());
    out.notices.extend(pages.notices());
    block::write(out, &lines);
    Ok(())
}
