//! Documents that a chat's questions are always, or never, answered from. They are kept among the chat's decisions, so
//! that undo takes all of them back in the order in which they were made.

use rusqlite::{OptionalExtension, params};

use super::{Durability, Result, Session};
use crate::domain::chat::ChatId;
use crate::domain::cited::SourceMark;
use crate::ground::clock;

/// The step of the schema: `source` is the document of a mark, and `text` its title then.
pub(super) const MARKS: &str = "
ALTER TABLE chat_decisions ADD COLUMN source TEXT;
";

/// What takes an earlier mark away.
const FREE: &str = "free";

/// A mark that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoneMark {
    pub title: String,
    /// What holds again.
    pub now: Option<SourceMark>,
}

impl Session {
    /// Keeps what a person wants of a document in a chat, in the place of what they wanted before.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn mark_source(
        &mut self,
        chat: ChatId,
        (source, title): (&str, &str),
        mark: Option<SourceMark>,
    ) -> Result<()> {
        let who = self.who.clone();
        let name = mark.map_or(FREE, SourceMark::name);
        self.write("mark a document in a chat", Durability::EveryChange, |transaction| {
            transaction.execute(
                "INSERT INTO chat_decisions (chat, left, right, decision, text, names, who, at, undone, source)
                 VALUES (?1, 0, 0, ?2, ?3, 'shown', ?4, ?5, 0, ?6)",
                params![chat.0, name, title, who, clock::milliseconds(), source],
            )?;
            Ok(())
        })
    }

    /// Takes the last decision of a chat back if it is a marked document. None if it is another one, or nothing is left.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn undo_mark(&mut self, chat: ChatId) -> Result<Option<UndoneMark>> {
        self.write("undo in a chat", Durability::EveryChange, |transaction| {
            let last: Option<(i64, String, Option<String>)> = transaction
                .query_row(
                    "SELECT id, text, source FROM chat_decisions WHERE chat = ?1 AND undone = 0
                     ORDER BY id DESC LIMIT 1",
                    [chat.0],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            let Some((id, title, Some(source))) = last else { return Ok(None) };
            transaction.execute("UPDATE chat_decisions SET undone = 1 WHERE id = ?1", [id])?;
            let before: Option<String> = transaction
                .query_row(
                    "SELECT decision FROM chat_decisions WHERE chat = ?1 AND source = ?2 AND undone = 0
                     ORDER BY id DESC LIMIT 1",
                    params![chat.0, source],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(Some(UndoneMark { title, now: before.and_then(|name| SourceMark::from_name(&name)) }))
        })
    }
}
