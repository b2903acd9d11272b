//! Conversations with models: kept turn by turn, searched, and turned into records.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use super::{Durability, Result, Session, SessionError};
use crate::domain::chat::{AnswerOutcome, Chat, ChatId, ChatSummary, Setup, Side, Turn, TurnId};
use crate::domain::message::Role;
use crate::ground::clock;

/// A turn that is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTurn {
    pub parent: Option<TurnId>,
    pub role: Role,
    pub side: Side,
    pub content: String,
    /// The answerer's name; empty for a person's turn.
    pub by: String,
}

/// Characters of a question that name its chat.
const TITLE: usize = 80;
/// Characters around what a search found.
const AROUND: usize = 40;

impl Session {
    /// Begins a chat whose first question this is.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn begin_chat(&mut self, question: &str, setup: &Setup) -> Result<ChatId> {
        let first: String = question.split_whitespace().collect::<Vec<_>>().join(" ");
        let title: String = first.chars().take(TITLE).collect();
        let setup = serde_json::to_string(setup)?;
        self.write("begin a chat", Durability::EveryChange, |transaction| {
            transaction.execute(
                "INSERT INTO chats (title, setup, at) VALUES (?1, ?2, ?3)",
                params![title, setup, clock::milliseconds()],
            )?;
            Ok(ChatId(transaction.last_insert_rowid()))
        })
    }

    /// Keeps who answers a chat, and how.
    ///
    /// # Errors
    /// Where there is no such chat, or the session can't be written.
    pub fn set_up_chat(&mut self, chat: ChatId, setup: &Setup) -> Result<()> {
        let setup = serde_json::to_string(setup)?;
        self.write("set up a chat", Durability::EveryChange, |transaction| {
            let changed =
                transaction.execute("UPDATE chats SET setup = ?2 WHERE id = ?1", params![chat.0, setup])?;
            if changed == 0 { Err(SessionError::NoSuchChat(chat.0)) } else { Ok(()) }
        })
    }

    /// Adds a turn; answers are added empty, before they are written.
    ///
    /// # Errors
    /// Where there is no such chat, or the session can't be written; then nothing is added.
    pub fn add_turn(&mut self, chat: ChatId, turn: &NewTurn) -> Result<Turn> {
        self.write("add a turn", Durability::EveryChange, |transaction| {
            let changed = transaction
                .execute("UPDATE chats SET at = ?2 WHERE id = ?1", params![chat.0, clock::milliseconds()])?;
            if changed == 0 {
                return Err(SessionError::NoSuchChat(chat.0));
            }
            transaction.execute(
                "INSERT INTO chat_turns (chat, parent, role, side, content, answerer, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    chat.0,
                    turn.parent.map(|parent| parent.0),
                    turn.role.name(),
                    turn.side as i64,
                    turn.content,
                    turn.by,
                    clock::milliseconds()
                ],
            )?;
            Ok(Turn {
                id: TurnId(transaction.last_insert_rowid()),
                parent: turn.parent,
                role: turn.role,
                side: turn.side,
                content: turn.content.clone(),
                by: turn.by.clone(),
                outcome: None,
            })
        })
    }

    /// Keeps what was written so far of an answer that has not ended: it outlives a program that is killed.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn keep_so_far(&mut self, turn: TurnId, content: &str) -> Result<()> {
        self.write("keep an answer so far", Durability::WholeJobs, |transaction| {
            transaction.execute(
                "UPDATE chat_turns SET content = ?2 WHERE id = ?1 AND outcome IS NULL",
                params![turn.0, content],
            )?;
            Ok(())
        })
    }

    /// Keeps an answer as it ended.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn end_turn(&mut self, turn: TurnId, content: &str, outcome: &AnswerOutcome) -> Result<()> {
        let outcome = serde_json::to_string(outcome)?;
        self.write("keep an answer", Durability::EveryChange, |transaction| {
            transaction.execute(
                "UPDATE chat_turns SET content = ?2, outcome = ?3 WHERE id = ?1",
                params![turn.0, content, outcome],
            )?;
            Ok(())
        })
    }

    /// Keeps which turns stand at the ends of the columns.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn set_heads(&mut self, chat: ChatId, heads: [Option<TurnId>; 2]) -> Result<()> {
        let [left, right] = heads.map(|head| head.map(|id| id.0));
        self.write("show a branch", Durability::WholeJobs, |transaction| {
            transaction.execute(
                "UPDATE chats SET left_head = ?2, right_head = ?3 WHERE id = ?1",
                params![chat.0, left, right],
            )?;
            Ok(())
        })
    }

    /// Calls a chat something else.
    ///
    /// # Errors
    /// Where there is no such chat, or the session can't be written.
    pub fn rename_chat(&mut self, chat: ChatId, title: &str) -> Result<()> {
        self.write("rename a chat", Durability::EveryChange, |transaction| {
            let changed =
                transaction.execute("UPDATE chats SET title = ?2 WHERE id = ?1", params![chat.0, title])?;
            if changed == 0 { Err(SessionError::NoSuchChat(chat.0)) } else { Ok(()) }
        })
    }

    /// Chats whose title or turns hold a text, whatever its case, the latest first; all of them for an empty text.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn chats(&self, text: &str) -> Result<Vec<ChatSummary>> {
        let pattern = format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let mut statement = self.connection.prepare_cached(
            "SELECT id, title, (SELECT count(*) FROM chat_turns WHERE chat = chats.id), at,
             (SELECT content FROM chat_turns WHERE chat = chats.id AND content LIKE ?1 ESCAPE '\\' LIMIT 1),
             (SELECT count(*) FROM drafts WHERE kind = 'chat' AND place LIKE chats.id || ' %'
              AND who = ?2 AND window = ?3)
             FROM chats WHERE title LIKE ?1 ESCAPE '\\' OR EXISTS
             (SELECT 1 FROM chat_turns WHERE chat = chats.id AND content LIKE ?1 ESCAPE '\\')
             ORDER BY at DESC, id DESC LIMIT 500",
        )?;
        let rows = statement.query_map(params![pattern, self.who, self.window], |row| {
            let found: Option<String> = row.get(4)?;
            Ok(ChatSummary {
                id: ChatId(row.get(0)?),
                title: row.get(1)?,
                turns: row.get::<_, i64>(2)? as usize,
                at: row.get(3)?,
                found: found.map(|content| around(&content, text)).unwrap_or_default(),
                drafts: row.get::<_, i64>(5)? as usize,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A chat, whole.
    ///
    /// # Errors
    /// Where there is no such chat, or the session can't be read.
    pub fn chat(&self, id: ChatId) -> Result<Chat> {
        let found: Option<(String, String, [Option<TurnId>; 2])> = self
            .connection
            .prepare_cached("SELECT title, setup, left_head, right_head FROM chats WHERE id = ?1")?
            .query_row([id.0], |row| {
                let head = |column: usize| row.get::<_, Option<i64>>(column).map(|id| id.map(TurnId));
                Ok((row.get(0)?, row.get(1)?, [head(2)?, head(3)?]))
            })
            .optional()?;
        let (title, setup, heads) = found.ok_or(SessionError::NoSuchChat(id.0))?;
        let mut statement = self.connection.prepare_cached(
            "SELECT id, parent, role, side, content, answerer, outcome FROM chat_turns WHERE chat = ?1 ORDER BY id",
        )?;
        let mut turns = BTreeMap::new();
        let mut rows = statement.query([id.0])?;
        while let Some(row) = rows.next()? {
            let turn = read_turn(row)?;
            turns.insert(turn.id, turn);
        }
        let setup = serde_json::from_str(&setup)?;
        Ok(Chat {
            id,
            title,
            setup,
            turns,
            heads,
            decisions: self.decisions(id)?,
            sources: self.sources_of(id)?,
        })
    }

    /// Removes a chat with its turns, decisions and drafts; records that it became stay.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is removed.
    pub fn delete_chat(&mut self, id: ChatId) -> Result<()> {
        self.write("delete a chat", Durability::EveryChange, |transaction| {
            for table in ["chat_turns", "chat_decisions", "chat_records", "chat_sources"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE chat = ?1"), [id.0])?;
            }
            transaction
                .execute("DELETE FROM drafts WHERE kind = 'chat' AND place LIKE ?1 || ' %'", [id.0])?;
            transaction.execute("DELETE FROM chats WHERE id = ?1", [id.0])?;
            Ok(())
        })
    }
}

fn read_turn(row: &Row<'_>) -> Result<Turn> {
    let outcome: Option<String> = row.get(6)?;
    let role: String = row.get(2)?;
    Ok(Turn {
        id: TurnId(row.get(0)?),
        parent: row.get::<_, Option<i64>>(1)?.map(TurnId),
        role: if role == Role::Assistant.name() { Role::Assistant } else { Role::User },
        side: if row.get::<_, i64>(3)? == Side::Right as i64 { Side::Right } else { Side::Left },
        content: row.get(4)?,
        by: row.get(5)?,
        outcome: outcome.map(|outcome| serde_json::from_str(&outcome)).transpose()?,
    })
}

/// The first place of a text, with a little around it, on one line.
fn around(content: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let lower = content.to_lowercase();
    let before =
        lower.find(&text.to_lowercase()).map_or(0, |at| lower.get(..at).unwrap_or("").chars().count());
    let from = before.saturating_sub(AROUND);
    let part: String = content.chars().skip(from).take(2 * AROUND + text.chars().count()).collect();
    let line = part.split_whitespace().collect::<Vec<_>>().join(" ");
    if from > 0 { format!("…{line}") } else { line }
}
