//! The tables of `session.db`, and how an older file becomes a current one.
//!
//! `records` holds what is filtered, sorted and counted, and nothing wide: a million of them are about 80 MB, so a
//! pass over all of them takes a tenth of a second. Rows as imported and edited content stand in `contents`, read
//! for the records on screen only. A removed record moves to `removed` as it is, so that no query has to leave it out.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::chat_marks::MARKS;
use super::expansions::EXPANSIONS;
use super::schema_drafts::{DRAFTS, REVIEW_DRAFTS, TEXT_DRAFTS};
use super::vectors::VECTORS;
use super::{Result, SessionError};

/// Each step takes a file from its index to the next; `user_version` says how many a file has taken.
const STEPS: &[&str] = &[
    FIRST,
    REFLECTION,
    CHATS,
    JUDGES,
    TOKENS,
    ODDS,
    DECISIONS,
    REVIEW_DRAFTS,
    TEXT_DRAFTS,
    DRAFTS,
    SOURCES,
    MARKS,
    VECTORS,
    EXPANSIONS,
];

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

const FIRST: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('next_record', 1), ('indexed_up_to', 0), ('cleared_to', 0);

-- Names of splits (kind 1), labels (2) and tags (3), so that records hold small numbers.
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
);

CREATE TABLE sources (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,
    line INTEGER NOT NULL,
    status INTEGER NOT NULL,
    split INTEGER,
    label INTEGER,
    tokens INTEGER,
    score REAL,
    characters INTEGER NOT NULL,
    turns INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    occurrence INTEGER NOT NULL,
    prompt INTEGER NOT NULL,
    change INTEGER NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX records_status ON records (status);
CREATE INDEX records_split ON records (split);
CREATE INDEX records_label ON records (label);
CREATE INDEX records_source ON records (source);

-- The same columns, and the change that removed it.
CREATE TABLE removed (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,
    line INTEGER NOT NULL,
    status INTEGER NOT NULL,
    split INTEGER,
    label INTEGER,
    tokens INTEGER,
    score REAL,
    characters INTEGER NOT NULL,
    turns INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    occurrence INTEGER NOT NULL,
    prompt INTEGER NOT NULL,
    change INTEGER NOT NULL,
    hash BLOB NOT NULL,
    removed_by INTEGER NOT NULL
);

-- `body` is the content as JSON; NULL where it is what the row's own `messages` say.
CREATE TABLE contents (id INTEGER PRIMARY KEY, fields TEXT NOT NULL, body TEXT);

CREATE TABLE record_tags (record INTEGER NOT NULL, tag INTEGER NOT NULL, PRIMARY KEY (record, tag)) WITHOUT ROWID;
CREATE INDEX record_tags_tag ON record_tags (tag, record);

-- One row for each thing that a person or a program did, undone as one.
CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    kind INTEGER NOT NULL,
    what TEXT NOT NULL,
    records INTEGER NOT NULL,
    state INTEGER NOT NULL,
    undone_at INTEGER,
    undone_by TEXT
);
CREATE INDEX changes_state ON changes (state, id);

-- What a change did to each record: the field's value before and after (numbers of names, a status, a body).
CREATE TABLE change_items (
    change INTEGER NOT NULL,
    record INTEGER NOT NULL,
    field INTEGER NOT NULL,
    key INTEGER NOT NULL,
    before,
    after,
    PRIMARY KEY (change, record, field, key)
) WITHOUT ROWID;
CREATE INDEX change_items_record ON change_items (record, change);

CREATE TABLE imports (
    id INTEGER PRIMARY KEY,
    change INTEGER NOT NULL,
    path TEXT NOT NULL,
    mapping TEXT NOT NULL,
    state INTEGER NOT NULL,
    added INTEGER NOT NULL,
    repeated INTEGER NOT NULL,
    rejected INTEGER NOT NULL
);
CREATE TABLE rejects (
    import INTEGER NOT NULL,
    source INTEGER NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    start TEXT NOT NULL
);
CREATE INDEX rejects_import ON rejects (import);
-- Columns to roles, as chosen for files that have these columns.
CREATE TABLE mappings (columns TEXT PRIMARY KEY, mapping TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE findings (
    check_name TEXT NOT NULL,
    record INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (check_name, record)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE search USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
-- A stretch of records becomes one segment, and few merges follow.
INSERT INTO search (search, rank) VALUES ('hashsize', 33554432), ('automerge', 8);
";

/// Thoughts, what corrects them, and what people decided on it.
const REFLECTION: &str = "
CREATE TABLE thoughts (
    id INTEGER PRIMARY KEY,
    record INTEGER NOT NULL,
    text TEXT NOT NULL,
    label TEXT NOT NULL,
    truth TEXT,
    tokens INTEGER NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX thoughts_record ON thoughts (record, model);

CREATE TABLE reflections (
    id INTEGER PRIMARY KEY,
    record INTEGER NOT NULL,
    thought INTEGER NOT NULL,
    error_analysis TEXT NOT NULL,
    corrected TEXT NOT NULL,
    label TEXT NOT NULL,
    teacher TEXT NOT NULL,
    prompt TEXT NOT NULL,
    verdict INTEGER NOT NULL,
    edited TEXT,
    score INTEGER,
    reasons TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    comment TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX reflections_verdict ON reflections (verdict, id);
CREATE INDEX reflections_thought ON reflections (thought, teacher);

-- One row for each reflection that a decision met; a step is undone as one.
CREATE TABLE verdicts (
    step INTEGER NOT NULL,
    reflection INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    edited TEXT,
    comment TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    at INTEGER NOT NULL,
    undone INTEGER NOT NULL,
    before_verdict INTEGER NOT NULL,
    before_edited TEXT,
    before_comment TEXT NOT NULL,
    before_reviewer TEXT NOT NULL,
    PRIMARY KEY (step, reflection)
) WITHOUT ROWID;

-- Answers that could not be used, as they came.
CREATE TABLE set_aside (
    job TEXT NOT NULL,
    record INTEGER NOT NULL,
    model TEXT NOT NULL,
    reason TEXT NOT NULL,
    raw TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (job, record, model)
) WITHOUT ROWID;
";

/// Conversations: trees of turns, where each column's last one is, and votes on pairs of answers.
const CHATS: &str = "
CREATE TABLE chats (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    setup TEXT NOT NULL,
    left_head INTEGER,
    right_head INTEGER,
    at INTEGER NOT NULL
);
CREATE INDEX chats_at ON chats (at);
CREATE TABLE chat_turns (
    id INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL,
    parent INTEGER,
    role TEXT NOT NULL,
    side INTEGER NOT NULL,
    content TEXT NOT NULL,
    answerer TEXT NOT NULL,
    outcome TEXT,
    at INTEGER NOT NULL
);
CREATE INDEX chat_turns_chat ON chat_turns (chat, id);
CREATE TABLE chat_votes (
    left INTEGER NOT NULL,
    right INTEGER NOT NULL,
    chat INTEGER NOT NULL,
    vote TEXT NOT NULL,
    names TEXT NOT NULL,
    record INTEGER,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (left, right)
) WITHOUT ROWID;
";

/// Who judged a correction, and who improved it.
const JUDGES: &str = "
ALTER TABLE reflections ADD COLUMN judge TEXT NOT NULL DEFAULT '';
ALTER TABLE reflections ADD COLUMN improved_by TEXT NOT NULL DEFAULT '';
CREATE INDEX verdicts_reflection ON verdicts (reflection, step);
";

/// Token counts of models other than the one that `records.tokens` is of (names of kind 4), and a number that moves
/// whenever a text changes.
const TOKENS: &str = "
CREATE TABLE token_counts (
    model INTEGER NOT NULL,
    record INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (model, record)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('texts', 0);
CREATE INDEX findings_record ON findings (record);
";

/// How likely a model finds each label after a correction (kind 0) or a thought (1), with the text that it read.
const ODDS: &str = "
CREATE TABLE label_odds (
    kind INTEGER NOT NULL,
    id INTEGER NOT NULL,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    labels TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, id, model)
) WITHOUT ROWID;
";

/// What answers of chats were given from, as JSON.
const SOURCES: &str = "
CREATE TABLE chat_sources (
    turn INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL,
    sources TEXT NOT NULL
);
CREATE INDEX chat_sources_chat ON chat_sources (chat);
";

/// What was decided on answers of chats with the record that follows from it, and what is being written in them.
const DECISIONS: &str = "
-- A vote on a pair, or what became of one answer (then `right` is 0). The last one that was not undone holds.
CREATE TABLE chat_decisions (
    id INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL,
    left INTEGER NOT NULL,
    right INTEGER NOT NULL,
    decision TEXT NOT NULL,
    text TEXT NOT NULL,
    names TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    undone INTEGER NOT NULL
);
CREATE INDEX chat_decisions_chat ON chat_decisions (chat, id);
CREATE INDEX chat_decisions_left ON chat_decisions (left, right, id);
CREATE TABLE chat_records (
    left INTEGER NOT NULL,
    right INTEGER NOT NULL,
    chat INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (left, right)
) WITHOUT ROWID;
INSERT INTO chat_decisions (chat, left, right, decision, text, names, who, at, undone)
    SELECT chat, left, right, vote, '', names, who, at, 0 FROM chat_votes ORDER BY at;
INSERT INTO chat_records SELECT left, right, chat, record FROM chat_votes WHERE record IS NOT NULL;
DROP TABLE chat_votes;
-- Chat 0 is the one that the next question begins.
CREATE TABLE chat_drafts (
    chat INTEGER NOT NULL,
    place TEXT NOT NULL,
    turn INTEGER NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat, place, turn)
) WITHOUT ROWID;
";

/// Brings a file to [`VERSION`].
///
/// # Errors
/// Where the file was written by a newer program, or can't be written.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let version = version(connection)?;
    if version == VERSION {
        return Ok(());
    }
    check(version)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it while this one waited for its turn.
    let version = self::version(&transaction)?;
    check(version)?;
    for step in STEPS.iter().skip(usize::try_from(version).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// Refuses a database that another program made, before anything in it is changed: one with tables, but without ours.
/// Those of a newer version of this program are among ours.
///
/// # Errors
/// Where it is another's, or can't be read.
pub(super) fn recognise(connection: &Connection, file: &Path) -> Result<()> {
    let ours =
        "SELECT count(*), count(*) FILTER (WHERE name IN ('meta', 'records', 'changes')) FROM sqlite_master
        WHERE type = 'table'";
    // Both at one moment: another process may be making them.
    let moment = connection.unchecked_transaction()?;
    let (tables, known): (i64, i64) = moment.query_row(ours, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_ours = if version(&moment)? == 0 { tables == 0 } else { known == 3 };
    drop(moment);
    if is_ours { Ok(()) } else { Err(SessionError::Foreign(file.to_path_buf())) }
}

/// The version that a file is at.
pub(super) fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Refuses what a newer program wrote.
pub(super) fn check(version: i64) -> Result<()> {
    if version > VERSION { Err(SessionError::Newer { found: version, known: VERSION }) } else { Ok(()) }
}
