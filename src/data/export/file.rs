//! A file that appears whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Written beside its place under another name, and moved there at the end. Dropping it removes what was written.
pub(super) struct WholeFile {
    out: Option<BufWriter<File>>,
    temporary: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// Behind a link, the file that it leads to is the one that is written.
    ///
    /// # Errors
    /// When nothing can be written there, or something else than a file is there.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        ensure!(
            !path.exists() || path.is_file(),
            "{} is there and is no file; give the export another name",
            path.display()
        );
        let temporary = beside(&path);
        let file = File::create(&temporary).with_context(|| format!("write {}", path.display()))?;
        Ok(Self { out: Some(BufWriter::with_capacity(1 << 16, file)), temporary, path })
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

/// A name in the same folder that nobody else uses. What killed processes left of such names is removed.
pub(super) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beginning = format!(".{name}.partial-");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for left in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let left_name = left.file_name();
        let process = left_name.to_str().and_then(|left| left.strip_prefix(&beginning)?.parse::<u32>().ok());
        if process.is_some_and(is_gone) {
            let gone = left.path();
            let removed =
                if gone.is_dir() { std::fs::remove_dir_all(&gone) } else { std::fs::remove_file(&gone) };
            tracing::debug!(?gone, ?removed, "remains of a killed export");
        }
    }
    path.with_file_name(format!("{beginning}{}", std::process::id()))
}

/// Whether no process has this number.
fn is_gone(process: u32) -> bool {
    let process = sysinfo::Pid::from_u32(process);
    let Ok(mut system) = sysinfo::System::new() else { return false };
    system.refresh_processes_specifics(
        sysinfo::ProcessesToUpdate::Some(&[process]),
        true,
        sysinfo::ProcessRefreshKind::nothing(),
    );
    system.process(process).is_none()
}
