//! What answers of chats were given from: the passages of the library, kept with the answer.

use std::collections::BTreeMap;

use rusqlite::params;

use super::{Durability, Result, Session};
use crate::domain::chat::{ChatId, TurnId};
use crate::domain::cited::AnswerSources;

impl Session {
    /// Keeps what an answer is given from; once more when it has been checked.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn keep_sources(&mut self, answer: TurnId, sources: &AnswerSources) -> Result<()> {
        let sources = serde_json::to_string(sources)?;
        self.write("keep the sources of an answer", Durability::WholeJobs, |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO chat_sources (turn, chat, sources)
                 SELECT id, chat, ?2 FROM chat_turns WHERE id = ?1",
                params![answer.0, sources],
            )?;
            Ok(())
        })
    }

    pub(super) fn sources_of(&self, chat: ChatId) -> Result<BTreeMap<TurnId, AnswerSources>> {
        let mut statement =
            self.connection.prepare_cached("SELECT turn, sources FROM chat_sources WHERE chat = ?1")?;
        let mut rows = statement.query([chat.0])?;
        let mut all = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let sources: String = row.get(1)?;
            all.insert(TurnId(row.get(0)?), serde_json::from_str(&sources)?);
        }
        Ok(all)
    }
}
