//! Files that appear whole or not at all: a crash or a full disk never leaves half of one under its own name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};

use super::process::{host_name, is_alive};

/// The end of the names of what isn't whole yet.
pub(super) const PARTIAL: &str = "partial";
/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// As the user's mask says.
    Anybody,
    Owner,
}

/// A file that is written beside its place under another name, and moved there at the end. Dropping it before that
/// removes what was written.
#[derive(Debug)]
pub struct WholeFile {
    out: Option<BufWriter<File>>,
    partial: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// # Errors
    /// Where nothing can be written there.
    pub fn create(path: &Path, readers: Readers) -> io::Result<Self> {
        let partial = partial_beside(path);
        let mode = if readers == Readers::Owner { 0o600 } else { 0o666 };
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(&partial)?;
        Ok(Self { out: Some(BufWriter::with_capacity(BUFFER, file)), partial, path: path.to_owned() })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes it to the disk and puts it in its place.
    ///
    /// # Errors
    /// Where the disk is full or the folder can't be written; what stood there is then as it was.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(out) = self.out.take() {
            out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        }
        fs::rename(&self.partial, &self.path)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.as_mut().map_or(Ok(0), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        self.out = None;
        // After `finish` it has moved; then there is nothing to remove.
        fs::remove_file(&self.partial).ok();
    }
}

/// Writes a file so that it is there whole or not at all.
///
/// # Errors
/// Where the disk is full or the folder can't be written; the old file is then as it was.
pub fn replace(path: &Path, readers: Readers, bytes: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::create(path, readers)?;
    file.write_all(bytes)?;
    file.finish()
}

/// The same, with the file's name in what goes wrong.
///
/// # Errors
/// As [`replace`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, Readers::Anybody, bytes).with_context(|| format!("write {}", path.display()))
}

/// Writes a file and flushes it to the disk.
///
/// # Errors
/// Where the disk is full or the folder can't be written.
pub fn write_flushed(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path).with_context(|| format!("write {}", path.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.with_context(|| format!("write {}", path.display()))
}

/// Removes a folder or a file, if there is one.
///
/// # Errors
/// Where it is there and can't be removed.
pub fn remove_if_there(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(what) if what.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Flushes a folder's entries, so that a rename in it outlives a power cut.
///
/// # Errors
/// Where the folder can't be opened.
pub fn flush_folder(folder: &Path) -> Result<()> {
    let opened = File::open(folder).and_then(|folder| folder.sync_all());
    opened.with_context(|| format!("flush {}", folder.display()))
}

/// Removes the partial files that [`WholeFile`] left in a folder when its process was killed. Those of a process
/// that lives, or of another machine, stay.
pub fn remove_partial_files(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let writer = writer(&name).filter(|&writer| writer != std::process::id());
        if writer.is_some_and(|writer| !is_alive(writer)) {
            // One that can't be removed harms nobody.
            let _ = remove_if_there(&entry.path());
        }
    }
}

/// The process of this machine whose partial file a name is: `.state.json.HOST.PROCESS-COUNT.partial`, and as earlier
/// versions wrote it `.state.json.PROCESS.partial`.
fn writer(name: &str) -> Option<u32> {
    let rest = name.strip_prefix('.')?.strip_suffix(PARTIAL)?.strip_suffix('.')?;
    let (before, process) = rest.rsplit_once('.')?;
    match process.split_once('-') {
        Some((process, _)) => before.ends_with(&format!(".{}", *HOST)).then(|| process.parse().ok())?,
        None => process.parse().ok(),
    }
}

/// This machine's name, as far as it fits a file's.
static HOST: LazyLock<String> = LazyLock::new(|| {
    host_name().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect()
});

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A temporary name in the same folder, this writing's own.
#[must_use]
pub fn partial_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (process, count) = (std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
    path.with_file_name(format!(".{name}.{}.{process}-{count}.{PARTIAL}", *HOST))
}
