//! The workspace of one project: records, their history, search, imports, in one SQLite file that several processes
//! may use at once. Knows neither terminal nor model.
//!
//! One process writes at a time, for as long as a transaction takes; readers are never in the way (write-ahead log).
//! What isn't committed isn't there: a killed process leaves whole changes only.

mod body;
mod by_hand;
mod change;
mod chat_decisions;
mod chat_marks;
mod chat_sources;
mod chats;
mod content;
mod drafts;
mod edit;
mod error;
mod expansions;
mod export;
mod findings;
mod history;
mod import;
mod index;
mod insert;
mod item_field;
mod lock;
mod names;
mod pipeline;
mod place;
mod query;
mod read;
mod reflections;
mod review_beside;
mod review_import;
mod review_leads;
mod review_queue;
mod review_rows;
mod review_sets;
mod revise;
mod schema;
mod schema_drafts;
mod similar;
mod stats;
mod thoughts;
mod tokens;
mod training;
mod undo;
mod vectors;
mod view;
mod vocabulary;
mod window;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::session::FILE;
use crate::ground::files::{self, Readers};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub use crate::domain::reflection::Decision;
pub use crate::domain::review::{ReviewCounts, Reviewed};
pub use by_hand::Corrected;
pub use chat_decisions::{Decided, Word};
pub use chat_marks::UndoneMark;
pub use chats::NewTurn;
pub use content::{Prepared, version_of};
pub use edit::EditOutcome;
pub use error::{Result, SessionError};
pub use expansions::{ExpandedExample, ExpandedOutcome, RejectedExample, WrittenCell};
pub use export::export_all;
pub use import::{ImportCounts, ImportState, ImportSummary, Importer, Reject};
pub use index::IndexState;
pub use lock::{Holder, JobLock};
pub use pipeline::{ImportEnd, ImportProgress, columns, import};
pub use place::write_ahead;
pub use read::RecordRow;
pub use reflections::{Improved, JudgeWord};
pub use review_import::Brought;
pub use review_leads::Led;
pub use review_sets::{Lesson, answer, balanced, question};
pub use revise::Revised;
pub use thoughts::SetAside;
pub use tokens::CountedTokens;
pub use training::{Purpose, SEEN_FILE, Seen, Since, note_what_a_run_sees, since, what_a_run_saw};
pub use view::View;
pub use window::{Window, open_windows};

/// The database within a session's folder.
pub const DATABASE: &str = "session.db";

/// What a process wants of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

/// An open session: one connection, for one thread. Open it again for another.
pub struct Session {
    folder: PathBuf,
    connection: Connection,
    /// Who makes the changes: a user's name, or the program's part that acts.
    who: String,
    /// The window that drafts are written in; none outside of the studio.
    window: String,
    /// The file that was opened: whether it is still the one at its place is told by it.
    file: Option<place::Inode>,
    /// What `PRAGMA data_version` said last: it moves when another connection commits.
    seen: i64,
}

impl Session {
    /// Makes an empty session in a folder, or opens the one that is there.
    ///
    /// # Errors
    /// Where the folder can't be written, or holds a session of a newer version.
    pub fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let settings = folder.join(FILE);
        if !settings.exists() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let text = format!("title = {}\n", toml_edit::Value::from(name.as_ref()));
            files::replace(&settings, Readers::Anybody, text.as_bytes())?;
        }
        Self::connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens a session; an older one is brought up to date when it is opened to write.
    ///
    /// # Errors
    /// Where the folder holds no session, one of a newer version, or one that is damaged.
    pub fn open(folder: &Path, access: Access) -> Result<Self> {
        let file = folder.join(DATABASE);
        if !file.is_file() {
            return Err(SessionError::NotASession(folder.to_path_buf()));
        }
        match access {
            Access::Write => Self::connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE),
            Access::Read => {
                let session = Self::connect_only(folder, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                let version = schema::version(&session.connection)?;
                schema::check(version)?;
                if version < schema::VERSION {
                    return Self::connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE);
                }
                session.connection.pragma_update(None, "query_only", true)?;
                Ok(session)
            }
        }
    }

    fn connect(folder: &Path, flags: OpenFlags) -> Result<Self> {
        let mut session = Self::connect_only(folder, flags)?;
        if !session.is_read_only() {
            schema::migrate(&mut session.connection)?;
        } else if schema::version(&session.connection)? < schema::VERSION {
            return Err(SessionError::OldAndReadOnly(folder.to_path_buf()));
        }
        Ok(session)
    }

    fn connect_only(folder: &Path, flags: OpenFlags) -> Result<Self> {
        let mut connection = place::connect(&folder.join(DATABASE), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_handler(Some(lock::wait))?;
        schema::recognise(&connection, &folder.join(DATABASE))?;
        // Wide rows: 8 KiB pages hold several. It only matters for a file that is being made.
        connection.pragma_update(None, "page_size", 8192)?;
        let fresh = schema::version(&connection)? == 0;
        if fresh {
            place::write_ahead(&connection)?;
        }
        connection.execute_batch(
            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 268435456;",
        )?;
        connection.set_prepared_statement_cache_capacity(64);
        query::register(&connection)?;
        let (folder, window) = (folder.to_path_buf(), String::new());
        let file = place::inode(&folder.join(DATABASE));
        let mut session = Self { folder, connection, who: who(), window, file, seen: 0 };
        session.seen = session.data_version()?;
        Ok(session)
    }

    /// The session's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who makes the changes.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Says who makes the changes from here on.
    #[must_use]
    pub fn acting_as(mut self, who: impl Into<String>) -> Self {
        self.who = who.into();
        self
    }

    /// Says which window drafts are written in from here on: [`Window::id`].
    #[must_use]
    pub fn in_window(mut self, id: &str) -> Self {
        id.clone_into(&mut self.window);
        self
    }

    /// Whether the session can only be looked at: its file or its folder can't be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.connection.is_readonly(rusqlite::MAIN_DB).unwrap_or(false)
    }

    /// Whether the disk that the session is on has no room for anything.
    #[must_use]
    pub fn is_on_a_full_disk(&self) -> bool {
        place::is_full(&self.folder)
    }

    /// Whether the file that was opened is still at its place: what is written into one that is not, is lost.
    ///
    /// # Errors
    /// Where it is gone, or another one is there.
    pub fn is_there(&self) -> Result<()> {
        let now = place::inode(&self.folder.join(DATABASE));
        if self.file.is_some() && now != self.file {
            return Err(SessionError::Gone(self.folder.clone()));
        }
        Ok(())
    }

    /// Waits no longer than this for another writer, instead of a quarter minute.
    ///
    /// # Errors
    /// Where the connection is not usable any more.
    pub fn set_patience(&self, patience: Duration) -> Result<()> {
        Ok(self.connection.busy_timeout(patience)?)
    }

    /// Whether another process or connection has committed since this was last asked. Costs microseconds.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn changed_elsewhere(&mut self) -> Result<bool> {
        let version = self.data_version()?;
        Ok(std::mem::replace(&mut self.seen, version) != version)
    }

    fn data_version(&self) -> Result<i64> {
        Ok(self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }

    /// Lets the file grow to so many pages and no further; what doesn't fit is refused as on a full disk.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn limit_pages(&self, pages: i64) -> Result<()> {
        Ok(self.connection.pragma_update(None, "max_page_count", pages)?)
    }

    /// Stops a query of this connection from another thread.
    #[must_use]
    pub fn interrupter(&self) -> rusqlite::InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    /// Runs one transaction: all of it is kept, or nothing.
    pub(crate) fn write<T>(
        &mut self,
        what: &str,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.is_read_only() {
            let full = self.is_on_a_full_disk();
            return Err(if full {
                SessionError::DiskFull
            } else {
                SessionError::ReadOnly(self.folder.clone())
            });
        }
        self.is_there()?;
        self.connection.pragma_update(None, "synchronous", durability.name())?;
        let transaction = match self.connection.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => transaction,
            Err(error) if error::is_busy(&error) => {
                return Err(SessionError::Busy(lock::writer(&self.folder)));
            }
            Err(error) => return Err(error.into()),
        };
        let _notice = lock::Notice::put(&self.folder, what);
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
}

/// When a commit waits for the disk. A killed process loses nothing that was committed either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Survives a power cut: a person's changes.
    EveryChange,
    /// A power cut may take the last transactions, whole: what can be done again.
    WholeJobs,
}

impl Durability {
    const fn name(self) -> &'static str {
        match self {
            Self::EveryChange => "FULL",
            Self::WholeJobs => "NORMAL",
        }
    }
}

/// The longest that a writer waits for another one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// The user's name, as the system says it.
fn who() -> String {
    ["DOJO_USER", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
        .unwrap_or_else(|| "someone".to_owned())
}
