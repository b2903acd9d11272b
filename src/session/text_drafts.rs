//! What is being written of records and recipes and was not saved: it outlives the program, each person's own.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::{Durability, Result, Session};
use crate::domain::draft::{DraftOf, KeptDraft};
use crate::domain::record::RecordId;

/// What a draft is of, as the database names it.
fn place(of: &DraftOf) -> String {
    match of {
        DraftOf::NewRecord => "new".to_owned(),
        DraftOf::Record(record) => format!("record {}", record.0),
        DraftOf::Recipe(file) => format!("recipe {file}"),
    }
}

fn draft_of(place: &str) -> Option<DraftOf> {
    match place.split_once(' ') {
        None => (place == "new").then_some(DraftOf::NewRecord),
        Some(("record", number)) => number.parse().ok().map(|number| DraftOf::Record(RecordId(number))),
        Some(("recipe", file)) => Some(DraftOf::Recipe(file.to_owned())),
        Some(_) => None,
    }
}

impl Session {
    /// Keeps what this person has written and not saved, in the place of an earlier draft of it; or lets go of that.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn keep_text_draft(&mut self, of: &DraftOf, draft: Option<&KeptDraft>) -> Result<()> {
        let who = self.who.clone();
        // Comes with every key: the last of them may be lost in a power cut, no more.
        self.write("keep a draft", Durability::WholeJobs, |transaction| {
            match draft {
                Some(draft) => transaction.execute(
                    "INSERT OR REPLACE INTO text_drafts (place, who, base, text, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![place(of), who, draft.base, draft.text, draft.at],
                )?,
                None => transaction.execute(
                    "DELETE FROM text_drafts WHERE place = ?1 AND who = ?2",
                    params![place(of), who],
                )?,
            };
            Ok(())
        })
    }

    /// Everything that this person has begun of records and recipes and not saved.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn text_drafts(&self) -> Result<BTreeMap<DraftOf, KeptDraft>> {
        let mut statement =
            self.connection.prepare_cached("SELECT place, base, text, at FROM text_drafts WHERE who = ?1")?;
        let rows = statement.query_map([&self.who], |row| {
            let draft = KeptDraft { base: row.get(1)?, text: row.get(2)?, at: row.get(3)? };
            Ok((draft_of(&row.get::<_, String>(0)?), draft))
        })?;
        let mut drafts = BTreeMap::new();
        for row in rows {
            let (of, draft) = row?;
            drafts.extend(of.map(|of| (of, draft)));
        }
        Ok(drafts)
    }

    /// Records that this person has a draft of, and that aren't there any more.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn drafts_without_record(&self) -> Result<BTreeSet<RecordId>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT place FROM text_drafts WHERE who = ?1 AND place LIKE 'record %'
             AND CAST(substr(place, 8) AS INTEGER) NOT IN (SELECT id FROM records)",
        )?;
        let rows = statement.query_map([&self.who], |row| row.get::<_, String>(0))?;
        let mut gone = BTreeSet::new();
        for row in rows {
            if let Some(DraftOf::Record(record)) = draft_of(&row?) {
                gone.insert(record);
            }
        }
        Ok(gone)
    }
}
