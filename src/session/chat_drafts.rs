//! What is being written in chats and was neither sent nor kept: it outlives the program.

use rusqlite::params;

use super::{Durability, Result, Session, now};
use crate::domain::chat::{ChatId, DraftPlace, TurnId};

/// A place as the database keeps it.
const fn numbered(place: DraftPlace) -> (&'static str, i64) {
    match place {
        DraftPlace::Question => ("question", 0),
        DraftPlace::Edit(turn) => ("edit", turn.0),
        DraftPlace::Correction(turn) => ("correction", turn.0),
        DraftPlace::System => ("system", 0),
    }
}

fn place(name: &str, turn: i64) -> Option<DraftPlace> {
    match name {
        "question" => Some(DraftPlace::Question),
        "edit" => Some(DraftPlace::Edit(TurnId(turn))),
        "correction" => Some(DraftPlace::Correction(TurnId(turn))),
        "system" => Some(DraftPlace::System),
        _ => None,
    }
}

fn number(chat: Option<ChatId>) -> i64 {
    chat.map_or(0, |chat| chat.0)
}

impl Session {
    /// Keeps a draft; an empty one is taken away.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn keep_draft(&mut self, chat: Option<ChatId>, at: DraftPlace, text: &str) -> Result<()> {
        let (name, turn) = numbered(at);
        // Comes with every key: the last of them may be lost in a power cut, no more.
        self.write("keep a draft", Durability::WholeJobs, |transaction| {
            if text.is_empty() {
                transaction.execute(
                    "DELETE FROM chat_drafts WHERE chat = ?1 AND place = ?2 AND turn = ?3",
                    params![number(chat), name, turn],
                )?;
            } else {
                transaction.execute(
                    "INSERT OR REPLACE INTO chat_drafts VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![number(chat), name, turn, text, now()],
                )?;
            }
            Ok(())
        })
    }

    /// All drafts of a chat; none is the one that the next question begins.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn drafts(&self, chat: Option<ChatId>) -> Result<Vec<(DraftPlace, String)>> {
        let mut statement =
            self.connection.prepare_cached("SELECT place, turn, text FROM chat_drafts WHERE chat = ?1")?;
        let rows = statement.query_map([number(chat)], |row| {
            Ok((place(&row.get::<_, String>(0)?, row.get(1)?), row.get::<_, String>(2)?))
        })?;
        let mut drafts = Vec::new();
        for row in rows {
            let (place, text) = row?;
            drafts.extend(place.map(|place| (place, text)));
        }
        Ok(drafts)
    }
}
