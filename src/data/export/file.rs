//! A file that appears whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Written beside its place under another name, and moved there at the end. Dropping it removes what was written.
pub(super) struct WholeFile {
    out: Option<BufWriter<File>>,
    temporary: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let temporary = beside(path);
        let file = File::create(&temporary).with_context(|| format!("write {}", path.display()))?;
        Ok(Self { out: Some(BufWriter::with_capacity(1 << 16, file)), temporary, path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn finish(mut self) -> Result<()> {
        let context = || format!("write {}", self.path.display());
        if let Some(out) = self.out.take() {
            let file = out.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(context)?;
            file.sync_all().with_context(context)?;
        }
        std::fs::rename(&self.temporary, &self.path).with_context(context)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.as_mut().map_or(Ok(0), |out| out.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        self.out = None;
        // After `finish` it has moved; then there is nothing to remove.
        std::fs::remove_file(&self.temporary).ok();
    }
}

/// A name in the same folder that nobody else uses.
pub(super) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial-{}", std::process::id()))
}
