//! Every answer that was ever paid for, by the hash of its request: one SQLite file in the session's folder. An answer
//! is kept before anyone sees it, so a killed process pays twice for nothing that was answered.

use std::fs::{File, Metadata, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::budget::Spending;
use super::request::{RequestHash, TeacherAnswer};
use crate::domain::teacher::Money;
use crate::session::{SessionError, write_ahead};

/// The file within a session's folder.
pub const FILE: &str = "answers.db";

/// The folder within a session's folder that holds a locked file for each question under way.
const ASKING: &str = ".asking";

/// Why answers can't be kept or read, and what to do; SQLite's own words and numbers help nobody.
#[must_use]
pub fn trouble(error: rusqlite::Error) -> String {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly};
    if let Some(CannotOpen | PermissionDenied | ReadOnly) = error.sqlite_error_code() {
        return format!("{FILE} can't be written: get leave to write in the session's folder, or copy it");
    }
    match SessionError::from(error) {
        SessionError::DiskFull => "the disk is full: make room".to_owned(),
        SessionError::FileLimit => {
            format!("{FILE} can't grow: the disk or the limit on a file's size (`ulimit -f`) refuses it")
        }
        SessionError::Busy(_) => format!("another process has been writing {FILE} for too long: wait for it"),
        SessionError::Damaged(why) => {
            format!("{FILE} is damaged ({why}): move it away, and what is in it is asked for again")
        }
        other => other.to_string().replace("session.db", FILE),
    }
}

/// What unfinished jobs have spent.
const SPENT: &str = "CREATE TABLE IF NOT EXISTS spent (
    job TEXT NOT NULL,
    who TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    answer_tokens INTEGER NOT NULL,
    micro_dollars INTEGER NOT NULL,
    PRIMARY KEY (job, who)
) WITHOUT ROWID;";

/// The kept answers.
pub struct AnswerCache {
    connection: Mutex<Connection>,
    /// Where other processes see what is asked; missing if there are none.
    asking: Option<PathBuf>,
}

/// A question is this process's to ask, until this is dropped or the process ends, however it ends.
pub struct Claim(Option<(File, PathBuf)>);

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.0 {
            // Removed while it is locked: who opened it meanwhile sees that it is gone. One that stays is no harm.
            std::fs::remove_file(path).ok();
        }
    }
}

impl AnswerCache {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// Where it can't be written or is no database.
    pub fn open(folder: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(folder.join(FILE))?;
        connection.busy_timeout(std::time::Duration::from_secs(15))?;
        write_ahead(&connection)?;
        connection.execute_batch(
            "PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS answers (
                 request BLOB PRIMARY KEY,
                 at INTEGER NOT NULL,
                 model TEXT NOT NULL,
                 text TEXT NOT NULL,
                 finish TEXT NOT NULL,
                 prompt_tokens INTEGER NOT NULL,
                 answer_tokens INTEGER NOT NULL,
                 micro_dollars INTEGER NOT NULL
             ) WITHOUT ROWID;",
        )?;
        connection.execute_batch(SPENT)?;
        Ok(Self { connection: Mutex::new(connection), asking: Some(folder.join(ASKING)) })
    }

    /// Takes a question for this process to ask; nothing if another one asks it now.
    #[must_use]
    pub fn claim(&self, request: &RequestHash) -> Option<Claim> {
        let Some(folder) = &self.asking else { return Some(Claim(None)) };
        let path = folder.join(format!("{:016x}", request.salt()));
        loop {
            // Where there can be no lock, paying twice is better than not at all.
            let opened = std::fs::create_dir_all(folder).and_then(|()| File::create(&path));
            let Ok(file) = opened else { return Some(Claim(None)) };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return None,
                Err(TryLockError::Error(_)) => return Some(Claim(None)),
                Ok(()) => {}
            }
            let id = |found: Metadata| (found.dev(), found.ino());
            let here = std::fs::metadata(&path).map(id);
            if here.is_ok() && here.ok() == file.metadata().map(id).ok() {
                return Some(Claim(Some((file, path))));
            }
        }
    }

    /// Keeps answers for as long as the process lives: for jobs without a session.
    ///
    /// # Errors
    /// Where memory is short.
    pub fn in_memory() -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE answers (request BLOB PRIMARY KEY, at INTEGER, model TEXT, text TEXT, finish TEXT,
             prompt_tokens INTEGER, answer_tokens INTEGER, micro_dollars INTEGER) WITHOUT ROWID;",
        )?;
        connection.execute_batch(SPENT)?;
        Ok(Self { connection: Mutex::new(connection), asking: None })
    }

    /// The answer to a request, where it is there.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn get(&self, request: &RequestHash) -> rusqlite::Result<Option<TeacherAnswer>> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(
            "SELECT model, text, finish, prompt_tokens, answer_tokens, micro_dollars FROM answers WHERE request = ?1",
        )?;
        statement
            .query_row([request.0.as_slice()], |row| {
                Ok(TeacherAnswer {
                    model: row.get(0)?,
                    text: row.get(1)?,
                    finish: row.get(2)?,
                    prompt_tokens: row.get::<_, i64>(3)? as u64,
                    answer_tokens: row.get::<_, i64>(4)? as u64,
                    cost: Money(row.get::<_, i64>(5)? as u64),
                })
            })
            .optional()
    }

    /// Keeps an answer; committed when this returns.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn put(&self, request: &RequestHash, answer: &TeacherAnswer, at: i64) -> rusqlite::Result<()> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection
            .prepare_cached("INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
        statement.execute(params![
            request.0.as_slice(),
            at,
            answer.model,
            answer.text,
            answer.finish,
            answer.prompt_tokens as i64,
            answer.answer_tokens as i64,
            answer.cost.0 as i64
        ])?;
        Ok(())
    }

    /// What a job that isn't finished has spent on somebody's answers.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn spent(&self, job: &str, who: &str) -> rusqlite::Result<Spending> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(
            "SELECT prompt_tokens, answer_tokens, micro_dollars FROM spent WHERE job = ?1 AND who = ?2",
        )?;
        let found = statement.query_row([job, who], |row| {
            Ok(Spending {
                prompt_tokens: row.get::<_, i64>(0)? as u64,
                answer_tokens: row.get::<_, i64>(1)? as u64,
                money: Money(row.get::<_, i64>(2)? as u64),
            })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    /// Keeps what a job has spent; of nothing there is nothing to keep.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn keep_spent(&self, job: &str, who: &str, spent: Spending) -> rusqlite::Result<()> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if spent == Spending::default() {
            connection.execute("DELETE FROM spent WHERE job = ?1 AND who = ?2", [job, who])?;
            return Ok(());
        }
        connection.execute(
            "INSERT OR REPLACE INTO spent VALUES (?1, ?2, ?3, ?4, ?5)",
            params![job, who, spent.prompt_tokens as i64, spent.answer_tokens as i64, spent.money.0 as i64],
        )?;
        Ok(())
    }
}
