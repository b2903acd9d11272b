//! Files read into their words, in reading order. Each form has a reader of its own; what one can't read ends in a
//! sentence. Knows no index and no network.

mod archive;
mod bytes;
mod code;
mod docx;
mod epub;
pub(super) mod feed;
mod folder;
mod form;
mod html;
pub(in crate::rag) mod language;
mod latex;
mod markdown;
mod pdf;
mod text;
mod writer;
mod xml;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub(in crate::rag) use bytes::moment;
pub use folder::{FolderFiles, UnreadFile, files_under};
pub use form::DocumentForm;

use crate::data::chat::fence::{self, Bounds, Stopped};
use crate::domain::library::SourceDocument;
use archive::Archive;
use html::Markup;
use writer::BlockWriter;

/// What reading one file may take. The largest books need a tenth of it.
const BOUNDS: Bounds = Bounds { bytes: 1 << 30, time: Duration::from_secs(300) };

/// Reads a file; its form is told by its content and its name.
///
/// # Errors
/// If it can't be read, is too large, is of no form that words are read from, or holds none.
pub fn read(path: &Path) -> Result<SourceDocument> {
    let read = bytes::steady(path).and_then(|bytes| within_bounds(path, bytes));
    read.with_context(|| format!("read {}", path.display()))
}

/// Whether a file's name promises that words can be read from it.
#[must_use]
pub fn promises_words(name: &Path) -> bool {
    form::by_name(name).is_some()
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
    within_bounds(path, bytes.to_vec())
}

/// The form that a file's name promises; none if it has no ending that is known.
#[must_use]
pub fn form_named(path: &Path) -> Option<DocumentForm> {
    form::by_name(path)
}

/// Within bounds on memory, time and depth: files come from anywhere, and the readers of their forms from others.
fn within_bounds(path: &Path, bytes: Vec<u8>) -> Result<SourceDocument> {
    let (name, form) = (path.to_owned(), form::of(path, &bytes)?);
    match fence::run(BOUNDS, move || read_as(form, &name, &bytes)) {
        Ok((read, _)) => read,
        Err(Stopped::Failed) => bail!("it is damaged in a way that its reader doesn't expect; save it anew"),
        Err(stopped) => bail!("reading it {stopped}: it is damaged, or made to do harm"),
    }
}

fn read_as(form: DocumentForm, path: &Path, bytes: &[u8]) -> Result<SourceDocument> {
    let mut out = BlockWriter::new();
    match form {
        DocumentForm::Text => text::read(&mut out, &bytes::decoded(bytes)),
        DocumentForm::Markdown => markdown::read(&mut out, &bytes::decoded(bytes)),
        DocumentForm::Html => html::read(&mut out, &bytes::decoded(bytes), Markup::Html),
        DocumentForm::Latex => latex::read(&mut out, path, &bytes::decoded(bytes)),
        DocumentForm::Docx => docx::read(&mut out, &mut Archive::open(bytes)?)?,
        DocumentForm::Epub => epub::read(&mut out, &mut Archive::open(bytes)?)?,
        DocumentForm::Pdf => pdf::read(&mut out, bytes)?,
        DocumentForm::Code(language) => code::read(&mut out, &bytes::decoded(bytes), language),
    }
    out.finish(path)
}
