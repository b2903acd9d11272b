//! The database's file at its place: opened as far as the folder allows, and known again.

use std::path::Path;

use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags};

use super::error::is_busy;
use super::{Result, SessionError, lock};

/// Which file it is, whatever it is called: device and number.
pub(super) type Inode = (u64, u64);

/// Which file is at a place; nothing where none is.
pub(super) fn inode(file: &Path) -> Option<Inode> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(file).ok()?;
    Some((found.dev(), found.ino()))
}

/// Bytes below which a disk is full: SQLite's own file beside a write-ahead log takes half of them.
const FULL: u64 = 64 << 10;

/// Whether the disk that holds a folder has no room for anything.
pub(super) fn is_full(folder: &Path) -> bool {
    let disk = rustix::fs::statvfs(folder);
    disk.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < FULL)
}

/// Whether all that was written is in the file itself.
fn has_no_log(file: &Path) -> bool {
    let log = file.with_extension("db-wal");
    std::fs::metadata(log).map_or(true, |log| log.len() == 0)
}

/// Gives a new database its write-ahead log. Of several connections that do it at once SQLite refuses all but one, without
/// asking whether they would wait.
///
/// # Errors
/// Where it can't be written, or another writer has it for longer than one waits.
pub fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    for tries in 0.. {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error) if is_busy(&error) && lock::wait(tries) => {}
            done => return done,
        }
    }
    Ok(())
}

/// Opens a database; one that can't be written is opened to be read. SQLite reads a write-ahead log with a file of its
/// own beside it: where that can't be made, nobody else is at the file either, and it is read as it is. On a full disk
/// the same, if nothing is in that log.
pub(super) fn connect(file: &Path, flags: OpenFlags) -> Result<Connection> {
    let refused = match Connection::open_with_flags(file, flags) {
        Ok(connection) => match looked_at(&connection) {
            Ok(()) => return Ok(connection),
            Err(error) => error,
        },
        Err(error) => error,
    };
    let readable = file.is_file() && std::fs::File::open(file).is_ok();
    let write_only = matches!(
        refused.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    );
    let for_room = matches!(
        refused.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::DiskFull)
    );
    let full = for_room && file.parent().is_some_and(is_full);
    if full && !(readable && has_no_log(file)) {
        return Err(SessionError::DiskFull);
    }
    if !(readable && (write_only || full)) {
        return Err(refused.into());
    }
    let signs: String = file
        .to_string_lossy()
        .chars()
        .map(|sign| match sign {
            '%' => "%25".to_owned(),
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            sign => sign.to_string(),
        })
        .collect();
    let read_only =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(format!("file:{signs}?immutable=1"), read_only)?)
}

/// The first look at the file: only then SQLite knows whether it can.
fn looked_at(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
}
