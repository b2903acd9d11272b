//! The library's truth: documents, their chunks and every embedding that was ever computed, in one SQLite file. A
//! document is one transaction, so a killed process leaves whole documents only.

mod addresses;
mod documents;
mod exclusions;
mod kept;
mod listing;
mod moved;
mod pages;
mod roots;
mod stores;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OptionalExtension, params};

pub use addresses::KnownAddress;
pub use documents::{DocumentSource, NewChunk, NewDocument, StoredDocument};
pub use exclusions::ExcludedPaths;
pub use kept::{ModelNumber, TextHash, text_hash};
pub use moved::{MovedChunk, MovedDocument, MovedEnd};
pub use pages::StoredChunk;
pub use roots::LibraryRoot;
pub use stores::IndexStore;

use crate::session::write_ahead;

/// The file within a library's folder.
pub const FILE: &str = "library.db";

/// The version of the tables that this program writes.
const VERSION: i64 = 3;

/// Those of the first version.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL UNIQUE,
    -- Of the file as it was read; of the words where there is no file.
    hash BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    title TEXT NOT NULL,
    facts TEXT NOT NULL,
    language TEXT,
    context TEXT,
    notices TEXT NOT NULL,
    added INTEGER NOT NULL
);

-- A number is never given twice: the index knows by the highest one how far it has come.
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    section TEXT NOT NULL,
    first_page INTEGER,
    last_page INTEGER,
    tokens INTEGER NOT NULL,
    -- Its words as BM25 counts them.
    terms INTEGER NOT NULL,
    text TEXT NOT NULL,
    -- Of what was embedded: the text with what stands above it.
    embedded BLOB NOT NULL
);
CREATE INDEX documents_language ON documents (language);
CREATE INDEX chunks_document ON chunks (document, ordinal);

-- What was added: a file or a folder, and what is said of all that is under it.
CREATE TABLE roots (path TEXT PRIMARY KEY, context TEXT, tags TEXT NOT NULL) WITHOUT ROWID;

-- Chunks that are gone, for the index.
CREATE TABLE removals (id INTEGER PRIMARY KEY AUTOINCREMENT, chunk INTEGER NOT NULL);

CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    passage_prefix TEXT NOT NULL,
    query_prefix TEXT NOT NULL,
    UNIQUE (name, dimensions, passage_prefix, query_prefix)
);

-- Kept for good, whatever becomes of the documents: an embedding may have cost money.
CREATE TABLE embeddings (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL,
    text BLOB NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (model, text)
);
";

/// What each later version added, in their order.
const STEPS: &[&str] = &["
-- Papers that a search in a catalogue adds at most.
ALTER TABLE roots ADD COLUMN most INTEGER;

-- Files and folders that were taken out of a folder that stays, and papers out of a search: they don't come back by it.
CREATE TABLE exclusions (path TEXT PRIMARY KEY) WITHOUT ROWID;

-- What was asked for over the network because of a root, what came of it, and what its server said of that state.
CREATE TABLE addresses (
    root TEXT NOT NULL,
    asked TEXT NOT NULL,
    source TEXT NOT NULL,
    etag TEXT,
    modified TEXT,
    PRIMARY KEY (root, asked)
) WITHOUT ROWID;
", "
-- Two servers may give other vectors under one name: where they come from is part of what they are.
CREATE TABLE models_by_place (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    passage_prefix TEXT NOT NULL,
    query_prefix TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    UNIQUE (name, dimensions, passage_prefix, query_prefix, endpoint)
);
INSERT INTO models_by_place SELECT id, name, dimensions, passage_prefix, query_prefix, '' FROM models;
DROP TABLE models;
ALTER TABLE models_by_place RENAME TO models;

-- When a file was changed as the file system itself says, which no program sets back; 0 where nobody knows.
ALTER TABLE documents ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
"];

/// An open library's database: one connection, for one thread.
pub struct LibraryDatabase {
    folder: PathBuf,
    connection: Connection,
}

impl LibraryDatabase {
    /// Opens the library in a folder, or makes an empty one.
    ///
    /// # Errors
    /// Where the folder can't be written, or its file is no library or one of a newer version.
    pub fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        Self::connect(folder)
    }

    /// Opens the library in a folder.
    ///
    /// # Errors
    /// Where there is none, or as [`Self::create`].
    pub fn open(folder: &Path) -> Result<Self> {
        ensure!(
            folder.join(FILE).is_file(),
            "there is no library in {}: `dojo rag add PATH` makes one",
            folder.display()
        );
        Self::connect(folder)
    }

    fn connect(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let opened = || -> Result<Connection> {
            let mut connection = Connection::open(&path)?;
            connection.busy_timeout(Duration::from_secs(15))?;
            write_ahead(&connection)?;
            connection.execute_batch(
                "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;
                 PRAGMA journal_size_limit = 67108864;",
            )?;
            connection.set_prepared_statement_cache_capacity(64);
            migrate(&mut connection)?;
            Ok(connection)
        };
        let connection = opened().with_context(|| format!("open the library {}", path.display()))?;
        Ok(Self { folder: folder.to_path_buf(), connection })
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Tells this library from every other, so that an index is never taken for another's.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn identity(&self) -> Result<String> {
        self.meta("identity")?.context("the library has no identity: it is damaged")
    }

    pub(super) fn meta(&self, key: &str) -> Result<Option<String>> {
        let asked =
            self.connection.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| row.get(0));
        asked.optional().context("read the library")
    }

    pub(super) fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        let set = self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", params![key, value]);
        set.map(|_| ()).context("write the library")
    }
}

fn migrate(connection: &mut Connection) -> Result<()> {
    let version = |connection: &Connection| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, "user_version", |row| row.get(0))
    };
    if version(connection)? == VERSION {
        return Ok(());
    }
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have made it meanwhile.
    let found = version(&change)?;
    ensure!(found <= VERSION, "it is of a newer version of dojo: update dojo to open it");
    if found == 0 {
        let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        ensure!(tables == 0, "it is another program's database");
        change.execute_batch(TABLES)?;
        change.execute("INSERT INTO meta VALUES ('identity', lower(hex(randomblob(16))))", [])?;
    }
    for step in STEPS.iter().skip(usize::try_from(found - 1).unwrap_or_default()) {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "user_version", VERSION)?;
    change.commit()?;
    Ok(())
}
