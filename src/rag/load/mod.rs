//! Files read into their words, in reading order. Each form has a reader of its own; what one can't read ends in a
//! sentence. Knows no index and no network.

mod bytes;
mod code;
mod folder;
mod form;
mod markdown;
mod text;
mod writer;

use std::path::Path;

use anyhow::{Context, Result};

pub use folder::{FolderFiles, UnreadFile, files_under};
pub use form::DocumentForm;

use crate::domain::library::SourceDocument;
use writer::BlockWriter;

/// Reads a file; its form is told by its content and its name.
///
/// # Errors
/// If it can't be read, is too large, is of no form that words are read from, or holds none.
pub fn read(path: &Path) -> Result<SourceDocument> {
    let bytes = bytes::steady(path).with_context(|| format!("read {}", path.display()))?;
    read_bytes(path, &bytes).with_context(|| format!("read {}", path.display()))
}

/// A file's bytes, all of one moment.
///
/// # Errors
/// If it can't be read, is too large, or changes all the time.
pub fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    bytes::steady(path)
}

/// Reads what a file of that name holds.
///
/// # Errors
/// As [`read`], but for the file itself.
pub fn read_bytes(path: &Path, bytes: &[u8]) -> Result<SourceDocument> {
    let form = form::of(path, bytes)?;
    let mut out = BlockWriter::new();
    match form {
        DocumentForm::Text => text::read(&mut out, &bytes::decoded(bytes)),
        DocumentForm::Markdown => markdown::read(&mut out, &bytes::decoded(bytes)),
        DocumentForm::Code(language) => code::read(&mut out, &bytes::decoded(bytes), language),
    }
    out.finish(path)
}
