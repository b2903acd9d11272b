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
    #[error("the disk is full: this was not done, and what the session held stays; make room and try again")]
    DiskFull,
    #[error(
        "a file of the session can't grow: the disk or the limit on a file's size (`ulimit -f`) refuses it; this was not done, and what the session held stays; raise the limit and try again"
    )]
    FileLimit,
    #[error(
        "{} can only be read: this was not done; to change the session, copy its folder, or get leave to write there",
        .0.display()
    )]
    ReadOnly(PathBuf),
    #[error("{} is of an older Dojo and can only be read, so it can't be brought up to date: copy its folder", .0.display())]
    OldAndReadOnly(PathBuf),
    #[error(
        "the session is no longer in {}: its folder was deleted, moved or replaced, and nothing is saved from here on; put \
         it back, or keep what is open by copying it",
        .0.display()
    )]
    Gone(PathBuf),
    /// An import ended by what could be mended; what earlier batches brought stays.
    #[error("{}; {added} records of this import are in the session: {}, and the same import goes on from there", why.in_short(), why.mend())]
    Unfinished { added: u64, why: Box<SessionError> },
    #[error(
        "{} is another program's database and was left alone; `dojo new NAME` makes a session, or open another folder",
        .0.display()
    )]
    Foreign(PathBuf),
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
    #[error("session.db: {}", in_words(.0))]
    Sql(rusqlite::Error),
}

impl SessionError {
    /// What an import is told that had brought records before it met this.
    pub(super) fn after(self, added: u64) -> Self {
        match self {
            Self::DiskFull | Self::FileLimit | Self::Busy(_) if added > 0 => {
                Self::Unfinished { added, why: Box::new(self) }
            }
            other => other,
        }
    }

    fn in_short(&self) -> String {
        match self {
            Self::DiskFull => "the disk is full".to_owned(),
            Self::FileLimit => {
                "a file of the session can't grow: the disk or `ulimit -f` refuses it".to_owned()
            }
            Self::Busy(holder) => format!("the session is being written by {}", describe(holder.as_ref())),
            other => other.to_string(),
        }
    }

    const fn mend(&self) -> &'static str {
        match self {
            Self::DiskFull => "make room",
            Self::FileLimit => "raise the limit",
            _ => "try again later",
        }
    }
}

/// What SQLite says, without the statement that it was asked: nobody who reads it wrote that.
fn in_words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => {
            format!("{msg}: another program has changed it, or it is damaged; restore a copy of it")
        }
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
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
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged("its parts don't fit together".to_owned()),
            Some(ErrorCode::NotADatabase) => Self::Damaged("it is no SQLite database".to_owned()),
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
