//! What can go wrong with a session, each in one sentence that says what to do.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::lock::Holder;
use crate::domain::filter::FilterError;

/// The session's results.
pub type Result<T> = std::result::Result<T, SessionError>;

/// What can go wrong with a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("{} holds no session; `dojo new NAME` makes one, or open another folder", .0.display())]
    NotASession(PathBuf),
    #[error(
        "this session was written by a newer Dojo (format {found}, this one reads up to {known}): update Dojo; nothing was changed"
    )]
    Newer { found: i64, known: i64 },
    #[error("the session is being written by {}; nothing was changed, try again when it is done", describe(.0.as_ref()))]
    Busy(Option<Holder>),
    #[error("another {what} is at work here: {}; wait for it or stop it", describe(.holder.as_ref()))]
    JobRunning { what: String, holder: Option<Holder> },
    #[error("the disk is full: nothing was changed and the session is as it was; make room and try again")]
    DiskFull,
    #[error(
        "a file of the session can't grow: the disk or the limit on a file's size (`ulimit -f`) refuses it; nothing was changed, raise the limit and try again"
    )]
    FileLimit,
    #[error("session.db is damaged ({0}): restore a copy of it, or import again into a new session")]
    Damaged(String),
    #[error("stopped; nothing was changed")]
    Cancelled,
    #[error("there is no record {0} in this session")]
    NoSuchRecord(i64),
    #[error("there is no chat {0} in this session: it was deleted meanwhile")]
    NoSuchChat(i64),
    #[error("nothing is left to {0}")]
    NothingLeft(&'static str),
    #[error("the search index is not built yet for {0} records: run `dojo data index`")]
    NotIndexed(u64),
    #[error("{0:#}")]
    Reading(anyhow::Error),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("read what the session holds: {0}")]
    Content(serde_json::Error),
    #[error("the session's folder: {0}")]
    Io(std::io::Error),
    #[error("session.db: {0}")]
    Sql(rusqlite::Error),
}

impl From<std::io::Error> for SessionError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull => Self::DiskFull,
            ErrorKind::FileTooLarge => Self::FileLimit,
            _ => Self::Io(error),
        }
    }
}

impl From<serde_json::Error> for SessionError {
    fn from(error: serde_json::Error) -> Self {
        // Written straight into a file, JSON meets a full disk too.
        match error.io_error_kind() {
            Some(ErrorKind::StorageFull) => Self::DiskFull,
            Some(ErrorKind::FileTooLarge) => Self::FileLimit,
            _ => Self::Content(error),
        }
    }
}

impl From<rusqlite::Error> for SessionError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        // The system's own reason is not told.
        let extended = error.sqlite_error().map(|error| error.extended_code);
        if extended == Some(rusqlite::ffi::SQLITE_IOERR_WRITE) {
            return Self::FileLimit;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::OperationInterrupted) => Self::Cancelled,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(None),
            _ => Self::Sql(error),
        }
    }
}

/// Whether another writer had the file for longer than was waited.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

fn describe(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), Holder::to_string)
}
