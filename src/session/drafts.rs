//! What was written and is not saved: it outlives the program. Each person's own, and each window's, so that two windows
//! never write over each other's.
//!
//! A draft goes when a person saves it or lets go of it in the window that has it, and at no other time. What a window
//! left that is gone is taken up by the next one; of several drafts of one thing the newest first, the others after it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Durability, Result, Session, window};
use crate::domain::chat::{ChatId, DraftPlace, TurnId};
use crate::domain::draft::{DraftOf, KeptDraft, OtherDraft};
use crate::domain::record::RecordId;
use crate::domain::reflection::ReflectionId;
use crate::domain::review::Reviewed;
use crate::domain::thought::ThoughtId;
use crate::ground::clock;

/// What a draft is of, as the database names it: its kind, and which of the kind.
pub(super) fn key(of: &DraftOf) -> (&'static str, String) {
    match of {
        DraftOf::NewRecord => ("new", String::new()),
        DraftOf::Record(record) => ("record", record.0.to_string()),
        DraftOf::Recipe(file) => ("recipe", file.clone()),
        // A key has no space in it, a file may.
        DraftOf::RecipeValue(file, key) => ("recipe value", format!("{key} {file}")),
        DraftOf::Review(Reviewed::Correction(id)) => ("correction", id.0.to_string()),
        DraftOf::Review(Reviewed::Thought(id)) => ("thought", id.0.to_string()),
        DraftOf::Reason(id) => ("reason", id.0.to_string()),
        DraftOf::Comment(id) => ("comment", id.0.to_string()),
        DraftOf::RunNote(run) => ("run note", run.clone()),
        DraftOf::Chat(chat, place) => {
            let (name, turn) = match place {
                DraftPlace::Question => ("question", 0),
                DraftPlace::Edit(turn) => ("edit", turn.0),
                DraftPlace::Correction(turn) => ("correction", turn.0),
                DraftPlace::System => ("system", 0),
            };
            ("chat", format!("{} {name} {turn}", chat.map_or(0, |chat| chat.0)))
        }
    }
}

/// What a key of the table means; nothing where a newer program wrote it.
fn meant(kind: &str, place: &str) -> Option<DraftOf> {
    let number = || place.parse::<i64>().ok();
    Some(match kind {
        "new" => DraftOf::NewRecord,
        "record" => DraftOf::Record(RecordId(number()?)),
        "recipe" => DraftOf::Recipe(place.to_owned()),
        "recipe value" => {
            let (key, file) = place.split_once(' ')?;
            DraftOf::RecipeValue(file.to_owned(), key.to_owned())
        }
        "correction" => DraftOf::Review(ReflectionId(number()?).into()),
        "thought" => DraftOf::Review(ThoughtId(number()?).into()),
        "reason" => DraftOf::Reason(ReflectionId(number()?)),
        "comment" => DraftOf::Comment(ReflectionId(number()?)),
        "run note" => DraftOf::RunNote(place.to_owned()),
        "chat" => {
            let mut parts = place.split(' ');
            let chat: i64 = parts.next()?.parse().ok()?;
            let (name, turn) = (parts.next()?, TurnId(parts.next()?.parse().ok()?));
            let place = match name {
                "question" => DraftPlace::Question,
                "edit" => DraftPlace::Edit(turn),
                "correction" => DraftPlace::Correction(turn),
                "system" => DraftPlace::System,
                _ => return None,
            };
            DraftOf::Chat((chat != 0).then_some(ChatId(chat)), place)
        }
        _ => return None,
    })
}

/// A row that is not this window's: its key.
struct Elsewhere {
    of: DraftOf,
    who: String,
    window: String,
    at: i64,
}

impl Session {
    /// Keeps what is written in this window and not saved, in the place of an earlier draft of it; or lets go of that.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn keep_draft(&mut self, of: &DraftOf, draft: Option<&KeptDraft>) -> Result<()> {
        let (who, window) = (self.who.clone(), self.window.clone());
        // Comes with every key: the last of them may be lost in a power cut, no more.
        self.write("keep a draft", Durability::WholeJobs, |transaction| {
            let Some(draft) = draft else { return forget_draft(transaction, of, &who, &window) };
            let (kind, place) = key(of);
            transaction.execute(
                "INSERT OR REPLACE INTO drafts (kind, place, who, window, base, text, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![kind, place, who, window, draft.base, draft.text, draft.at],
            )?;
            Ok(())
        })
    }

    /// This window's draft of something.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn draft(&self, of: &DraftOf) -> Result<Option<KeptDraft>> {
        let (kind, place) = key(of);
        let mut statement = self.connection.prepare_cached(
            "SELECT base, text, at FROM drafts WHERE kind = ?1 AND place = ?2 AND who = ?3 AND window = ?4",
        )?;
        let draft = statement.query_row(params![kind, place, self.who, self.window], |row| {
            Ok(KeptDraft { base: row.get(0)?, text: row.get(1)?, at: row.get(2)? })
        });
        Ok(draft.optional()?)
    }

    /// Everything that was begun in this window and not saved.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn drafts(&self) -> Result<BTreeMap<DraftOf, KeptDraft>> {
        let mut drafts = BTreeMap::new();
        for of in self.begun()? {
            if let Some(draft) = self.draft(&of)? {
                drafts.insert(of, draft);
            }
        }
        Ok(drafts)
    }

    /// What was begun in this window and not saved, without its texts.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn begun(&self) -> Result<BTreeSet<DraftOf>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT kind, place FROM drafts WHERE who = ?1 AND window = ?2")?;
        let rows = statement.query_map([&self.who, &self.window], |row| {
            Ok(meant(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?))
        })?;
        Ok(rows.filter_map(rusqlite::Result::transpose).collect::<rusqlite::Result<_>>()?)
    }

    /// Every draft of this person, in whatever window it was written, the newest of each thing first.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn drafts_of_all_windows(&self) -> Result<Vec<(DraftOf, KeptDraft)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind, place, base, text, at FROM drafts WHERE who IN (?1, '') ORDER BY at DESC",
        )?;
        let rows = statement.query_map([&self.who], |row| {
            let of = meant(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            let draft = KeptDraft { base: row.get(2)?, text: row.get(3)?, at: row.get(4)? };
            Ok(of.map(|of| (of, draft)))
        })?;
        Ok(rows.filter_map(rusqlite::Result::transpose).collect::<rusqlite::Result<_>>()?)
    }

    /// What this person has begun elsewhere: in another window that is open, or in one that is gone while this one has
    /// a draft of the same thing.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn other_drafts(&self) -> Result<BTreeMap<DraftOf, OtherDraft>> {
        let mut others = BTreeMap::new();
        for row in self.elsewhere()? {
            let open = window::is_open(&self.folder, &row.window);
            let other = if open { OtherDraft::Window(row.at) } else { OtherDraft::Left(row.at) };
            others.entry(row.of).or_insert(other);
        }
        Ok(others)
    }

    /// Makes this window's own what windows that are gone have left, where it has no draft of the same thing. Says
    /// whether there was any.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn take_up_drafts(&mut self) -> Result<bool> {
        let mut own = self.begun()?;
        let mut left = self.elsewhere()?;
        left.retain(|row| !own.contains(&row.of) && !window::is_open(&self.folder, &row.window));
        // The newest of each thing comes first.
        left.retain(|row| own.insert(row.of.clone()));
        if left.is_empty() {
            return Ok(false);
        }
        let (who, window) = (self.who.clone(), self.window.clone());
        self.write("take up drafts", Durability::WholeJobs, |transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE OR IGNORE drafts SET who = ?5, window = ?6
                 WHERE kind = ?1 AND place = ?2 AND who = ?3 AND window = ?4",
            )?;
            let mut taken = 0;
            for row in &left {
                let (kind, place) = key(&row.of);
                taken += statement.execute(params![kind, place, row.who, row.window, who, window])?;
            }
            Ok(taken > 0)
        })
    }

    fn elsewhere(&self) -> Result<Vec<Elsewhere>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind, place, who, window, at FROM drafts
             WHERE who IN (?1, '') AND NOT (who = ?1 AND window = ?2) ORDER BY at DESC",
        )?;
        let rows = statement.query_map([&self.who, &self.window], |row| {
            let of = meant(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            let (who, window, at) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(of.map(|of| Elsewhere { of, who, window, at }))
        })?;
        Ok(rows.filter_map(rusqlite::Result::transpose).collect::<rusqlite::Result<_>>()?)
    }

    /// Records that this window has a draft of, and that aren't there any more.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn drafts_without_record(&self) -> Result<BTreeSet<RecordId>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT CAST(place AS INTEGER) FROM drafts WHERE who = ?1 AND window = ?2 AND kind = 'record'
             AND CAST(place AS INTEGER) NOT IN (SELECT id FROM records)",
        )?;
        let rows = statement.query_map([&self.who, &self.window], |row| Ok(RecordId(row.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// Lets go of a window's own draft: it was saved, or is not wanted.
pub(super) fn forget_draft(connection: &Connection, of: &DraftOf, who: &str, window: &str) -> Result<()> {
    let (kind, place) = key(of);
    connection
        .prepare_cached("DELETE FROM drafts WHERE kind = ?1 AND place = ?2 AND who = ?3 AND window = ?4")?
        .execute(params![kind, place, who, window])?;
    Ok(())
}

/// Lets go of a window's draft that says what is saved now. One that says something else was left: it stays.
pub(super) fn forget_saved_draft(
    connection: &Connection,
    id: ReflectionId,
    who: &str,
    window: &str,
) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM drafts WHERE kind = 'correction' AND place = CAST(?1 AS TEXT) AND who = ?2 AND window = ?3
             AND EXISTS (SELECT 1 FROM reflections WHERE reflections.id = ?1
                         AND coalesce(reflections.edited, corrected) = json_extract(drafts.text, '$.text')
                         AND coalesce(error_analysis, '') = json_extract(drafts.text, '$.analysis'))",
        )?
        .execute(params![id.0, who, window])?;
    Ok(())
}

/// Before a step is undone: texts that it brought become drafts, so that nothing typed is lost. No window has them: they
/// don't take the place of what is being written.
pub(super) fn keep_what_was_edited(connection: &Connection, step: i64) -> Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO drafts (kind, place, who, window, base, text, at)
         SELECT 'correction', CAST(reflection AS TEXT), verdicts.reviewer, 'undone ' || ?1, '',
         json_object('text', coalesce(verdicts.edited, corrected),
                     'analysis', coalesce(verdicts.analysis, error_analysis)), ?2
         FROM verdicts JOIN reflections ON reflections.id = reflection
         WHERE step = ?1 AND (verdicts.edited IS NOT before_edited AND verdicts.edited IS NOT NULL
                              OR verdicts.analysis IS NOT before_analysis)",
        params![step, clock::milliseconds()],
    )?;
    Ok(())
}
