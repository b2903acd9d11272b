//! The steps of the schema that are about what was begun and not saved.

/// Corrections that were begun and not saved (kind and number as in `label_odds`), each person's own; and what a
/// decision did to the error analysis.
pub(super) const REVIEW_DRAFTS: &str = "
CREATE TABLE review_drafts (
    kind INTEGER NOT NULL,
    id INTEGER NOT NULL,
    who TEXT NOT NULL,
    text TEXT NOT NULL,
    analysis TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, id, who)
) WITHOUT ROWID;
ALTER TABLE verdicts ADD COLUMN analysis TEXT;
ALTER TABLE verdicts ADD COLUMN before_analysis TEXT;
";

/// Records and recipes that were begun and not saved, each person's own: what each began with, and what is written now.
pub(super) const TEXT_DRAFTS: &str = "
CREATE TABLE text_drafts (
    place TEXT NOT NULL,
    who TEXT NOT NULL,
    base TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (place, who)
) WITHOUT ROWID;
";

/// Whatever was begun and not saved in one table, each person's and each window's own. Drafts of before belong to no
/// window, those of chats to nobody: whoever opens the session takes them up.
pub(super) const DRAFTS: &str = "
CREATE TABLE drafts (
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    who TEXT NOT NULL,
    window TEXT NOT NULL,
    base TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, place, who, window)
) WITHOUT ROWID;
INSERT INTO drafts
    SELECT iif(instr(place, ' '), substr(place, 1, instr(place, ' ') - 1), place),
        iif(instr(place, ' '), substr(place, instr(place, ' ') + 1), ''), who, '', base, text, at
    FROM text_drafts;
INSERT INTO drafts
    SELECT iif(kind = 0, 'correction', 'thought'), CAST(id AS TEXT), who, '', '',
        json_object('text', text, 'analysis', analysis), at
    FROM review_drafts;
INSERT INTO drafts
    SELECT 'chat', chat || ' ' || place || ' ' || turn, '', '', '', text, at FROM chat_drafts;
DROP TABLE text_drafts;
DROP TABLE review_drafts;
DROP TABLE chat_drafts;
";
