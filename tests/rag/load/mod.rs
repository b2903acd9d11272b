//! `src/rag/load`.

mod archives;
mod folder;
mod hostile;
mod html;
mod latex;
mod markdown;
mod paper;
mod pdf;
mod pdf_order;
mod shares;

use std::path::Path;

use dojo_studio::domain::library::{BlockKind, SourceDocument};
use dojo_studio::rag::load::read_bytes;

/// What is read of a file of that name.
pub(super) fn read(name: &str, bytes: &[u8]) -> SourceDocument {
    read_bytes(Path::new(name), bytes).unwrap()
}

/// Why nothing is read of it.
fn refused(name: &str, bytes: &[u8]) -> String {
    format!("{:#}", read_bytes(Path::new(name), bytes).unwrap_err())
}

/// Blocks as lines: "section / kind: text".
pub(super) fn told(document: &SourceDocument) -> Vec<String> {
    let kind = |kind: &BlockKind| match kind {
        BlockKind::Heading(level) => format!("h{level}"),
        BlockKind::Prose => "prose".to_owned(),
        BlockKind::ListItem => "item".to_owned(),
        BlockKind::Table => "table".to_owned(),
        BlockKind::Footnote => "note".to_owned(),
        BlockKind::Code(language) => format!("code {}", language.as_deref().unwrap_or("?")),
    };
    let line = |section: &[String]| section.iter().map(|heading| format!("{heading} / ")).collect::<String>();
    document.blocks.iter().map(|b| format!("{}{}: {}", line(&b.section), kind(&b.kind), b.text)).collect()
}
