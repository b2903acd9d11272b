//! Opening files of others. Only files are read, and links to files: a pipe, a device or a socket may never begin or
//! never end, and a folder holds no text.

use std::fs::{File, FileType, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Opens a file to read it; tells also how many bytes it has.
///
/// # Errors
/// Where it can't be opened, or is no file; the message says what it is instead.
pub fn open(path: &Path) -> Result<(File, u64)> {
    // Opening alone does something to some devices.
    check(std::fs::metadata(path)?.file_type())?;
    // Another may have put a pipe in its place by now: opening one waits for a writer, unless told not to.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let facts = file.metadata()?;
    check(facts.file_type())?;
    Ok((file, facts.len()))
}

/// A file's text, where it has no more than so many bytes.
///
/// # Errors
/// As [`open`], where it is longer, and where it isn't UTF-8.
pub fn text(path: &Path, most: u64) -> Result<String> {
    let (file, bytes) = open(path)?;
    let mut text = String::new();
    let read = file.take(most + 1).read_to_string(&mut text)?;
    if read as u64 > most {
        let told = format!("it has {bytes} bytes, and no such file has more than {most}");
        return Err(Error::new(ErrorKind::InvalidData, told));
    }
    Ok(text)
}

/// Whether anything has that name, also what can't be read: it is not passed over, but said to be unreadable.
pub fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn check(kind: FileType) -> Result<()> {
    let what = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    let told = format!("it is {what}, and only files are read; put a file in its place");
    Err(Error::new(ErrorKind::InvalidInput, told))
}
