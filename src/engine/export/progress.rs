//! How far an export is.

use std::io::{self, Write};

use anyhow::{Result, ensure};

use dojo_core::ground::files::WholeFile;

/// Told what an export is doing.
pub trait ExportProgress {
    /// So many bytes are going to be written.
    fn begin(&mut self, what: &str, bytes: u64);

    /// So many more were.
    fn advance(&mut self, bytes: u64);

    /// What is done beside writing: a sentence.
    fn note(&mut self, text: &str);

    /// Whether to go on; what was written is removed if not.
    fn go_on(&self) -> bool {
        true
    }
}

/// Tells nobody.
pub struct SilentExport;

impl ExportProgress for SilentExport {
    fn begin(&mut self, _: &str, _: u64) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
}

/// # Errors
/// If nobody wants the export any more.
pub(super) fn still_wanted(progress: &dyn ExportProgress) -> Result<()> {
    ensure!(progress.go_on(), "the export was stopped; nothing is left of it");
    Ok(())
}

/// A file whose bytes are told as they are written.
pub(super) struct WrittenBytes<'a> {
    file: WholeFile,
    progress: &'a mut dyn ExportProgress,
}

impl<'a> WrittenBytes<'a> {
    pub(super) fn new(file: WholeFile, progress: &'a mut dyn ExportProgress) -> Self {
        Self { file, progress }
    }

    pub(super) fn go_on(&self) -> Result<()> {
        still_wanted(self.progress)
    }

    pub(super) fn into_inner(self) -> WholeFile {
        self.file
    }
}

impl Write for WrittenBytes<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.progress.advance(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
