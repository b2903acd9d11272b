//! `dojo rag text`: what is read of a file, as it would be indexed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::cli::print::{complain, say, say_json};
use crate::domain::library::{BlockKind, DocumentBlock, SourceDocument};
use crate::rag::load;

/// Arguments of `dojo rag text`.
#[derive(Args)]
pub(super) struct TextArguments {
    /// A file.
    file: PathBuf,
    /// Say the page and the section of what follows.
    #[arg(long)]
    pages: bool,
}

pub(super) fn run(json: bool, arguments: &TextArguments) -> Result<ExitCode> {
    let document = load::read(&arguments.file)?;
    if json {
        say_json(&serde_json::to_string(&document)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    say(printed(&document, arguments.pages).trim_end())?;
    for notice in &document.notices {
        complain(notice);
    }
    Ok(ExitCode::SUCCESS)
}

/// A document as plain text, headings marked as Markdown does.
fn printed(document: &SourceDocument, with_places: bool) -> String {
    let mut text = String::new();
    let mut last = None;
    for block in &document.blocks {
        let place = (block.page, &block.section);
        let heading = matches!(block.kind, BlockKind::Heading(_));
        if with_places && !heading && last.as_ref() != Some(&place) {
            text.push_str(&format!("[{}]\n\n", named(block)));
            last = Some(place);
        }
        text.push_str(&printed_block(block));
        text.push_str("\n\n");
    }
    text
}

fn printed_block(block: &DocumentBlock) -> String {
    match &block.kind {
        BlockKind::Heading(level) => format!("{} {}", "#".repeat(usize::from(*level)), block.text),
        BlockKind::Prose
        | BlockKind::ListItem
        | BlockKind::Table
        | BlockKind::Footnote
        | BlockKind::Code(_) => block.text.clone(),
    }
}

/// "page 3, 2 Method > 2.1 Data".
fn named(block: &DocumentBlock) -> String {
    let page = block.page.map(|page| format!("page {page}"));
    let section = (!block.section.is_empty()).then(|| block.section.join(" > "));
    let parts: Vec<String> = page.into_iter().chain(section).collect();
    if parts.is_empty() { "beginning".to_owned() } else { parts.join(", ") }
}
