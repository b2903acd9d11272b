//! What a person decided on the answers of a chat: a log in which the last word on the same answers holds, and what
//! follows from it. The log is what undo takes back.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use super::{Durability, Result, Session};
use crate::domain::chat::{AnswererNames, ChatId, Decisions, Keep, KeptAnswer, TurnId, Vote};
use crate::domain::cited::SourceMark;
use crate::domain::record::RecordId;
use crate::ground::clock;

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decided {
    Pair(TurnId, TurnId),
    Answer(TurnId),
}

impl Decided {
    /// As the database keeps it.
    const fn numbers(self) -> (i64, i64) {
        match self {
            Self::Pair(left, right) => (left.0, right.0),
            Self::Answer(answer) => (answer.0, 0),
        }
    }

    const fn of((left, right): (i64, i64)) -> Self {
        match right {
            0 => Self::Answer(TurnId(left)),
            _ => Self::Pair(TurnId(left), TurnId(right)),
        }
    }
}

/// A person's last word on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    Vote(Vote),
    Good,
    Corrected(String),
}

impl Word {
    const fn name(&self) -> &'static str {
        match self {
            Self::Vote(vote) => vote.name(),
            Self::Good => Keep::Good.name(),
            Self::Corrected(_) => Keep::Corrected.name(),
        }
    }

    fn read(name: &str, text: String) -> Option<Self> {
        match Keep::from_name(name) {
            Some(Keep::Good) => Some(Self::Good),
            Some(Keep::Corrected) => Some(Self::Corrected(text)),
            None => Vote::from_name(name).map(Self::Vote),
        }
    }

    /// `the vote for the left answer`.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Vote(Vote::Left) => "the vote for the left answer",
            Self::Vote(Vote::Right) => "the vote for the right answer",
            Self::Vote(Vote::Tie) => "the vote for both answers",
            Self::Vote(Vote::BothBad) => "the vote against both answers",
            Self::Good => "a kept answer",
            Self::Corrected(_) => "a correction",
        }
    }
}

impl Session {
    /// Keeps a decision. It takes the place of an earlier one on the same answers.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn decide_in_chat(
        &mut self,
        chat: ChatId,
        on: Decided,
        word: &Word,
        names: AnswererNames,
    ) -> Result<()> {
        let who = self.who.clone();
        let names = if names == AnswererNames::Hidden { "hidden" } else { "shown" };
        let text = if let Word::Corrected(text) = word { text.as_str() } else { "" };
        let (left, right) = on.numbers();
        self.write("decide in a chat", Durability::EveryChange, |transaction| {
            transaction.execute(
                "INSERT INTO chat_decisions (chat, left, right, decision, text, names, who, at, undone)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
                params![chat.0, left, right, word.name(), text, names, who, clock::milliseconds()],
            )?;
            Ok(())
        })
    }

    /// Takes the last decision of a chat back: what it was about, and what it was. An earlier one on the same answers
    /// holds again. None when nothing is left.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn undo_in_chat(&mut self, chat: ChatId) -> Result<Option<(Decided, Word)>> {
        self.write("undo in a chat", Durability::EveryChange, |transaction| {
            let last = transaction
                .query_row(
                    "SELECT id, left, right, decision, text FROM chat_decisions
                     WHERE chat = ?1 AND undone = 0 ORDER BY id DESC LIMIT 1",
                    [chat.0],
                    |row| Ok((row.get::<_, i64>(0)?, (row.get(1)?, row.get(2)?), row.get(3)?, row.get(4)?)),
                )
                .optional()?;
            let Some((id, numbers, name, text)): Option<(i64, (i64, i64), String, String)> = last else {
                return Ok(None);
            };
            transaction.execute("UPDATE chat_decisions SET undone = 1 WHERE id = ?1", [id])?;
            Ok(Word::read(&name, text).map(|word| (Decided::of(numbers), word)))
        })
    }

    /// What [`Session::undo_in_chat`] takes back next.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn last_in_chat(&self, chat: ChatId) -> Result<Option<(Decided, Word)>> {
        let query = "SELECT left, right, decision, text FROM chat_decisions
                     WHERE chat = ?1 AND undone = 0 ORDER BY id DESC LIMIT 1";
        let last: Option<((i64, i64), String, String)> = self
            .connection
            .prepare_cached(query)?
            .query_row([chat.0], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?, row.get(3)?)))
            .optional()?;
        Ok(last.and_then(|(numbers, name, text)| Some((Decided::of(numbers), Word::read(&name, text)?))))
    }

    /// The word that holds.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn word_on(&self, on: Decided) -> Result<Option<Word>> {
        let (left, right) = on.numbers();
        let found: Option<(String, String)> = self
            .connection
            .prepare_cached(
                "SELECT decision, text FROM chat_decisions WHERE left = ?1 AND right = ?2 AND undone = 0
                 ORDER BY id DESC LIMIT 1",
            )?
            .query_row([left, right], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(found.and_then(|(name, text)| Word::read(&name, text)))
    }

    /// The record that came of a decision, while it is there.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn record_from_chat(&self, on: Decided) -> Result<Option<RecordId>> {
        let (left, right) = on.numbers();
        let query = "SELECT record FROM chat_records JOIN records ON records.id = record
                     WHERE left = ?1 AND right = ?2";
        let mut statement = self.connection.prepare_cached(query)?;
        Ok(statement.query_row([left, right], |row| Ok(RecordId(row.get(0)?))).optional()?)
    }

    /// Remembers which record came of a decision.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn set_record_from_chat(&mut self, chat: ChatId, on: Decided, record: RecordId) -> Result<()> {
        let (left, right) = on.numbers();
        self.write("link a record with a chat", Durability::EveryChange, |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO chat_records (left, right, chat, record) VALUES (?1, ?2, ?3, ?4)",
                params![left, right, chat.0, record.0],
            )?;
            Ok(())
        })
    }

    /// Everything that holds in a chat.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn decisions(&self, chat: ChatId) -> Result<Decisions> {
        let mut statement = self.connection.prepare_cached(
            "SELECT left, right, decision, text, source FROM chat_decisions WHERE chat = ?1 AND undone = 0
             ORDER BY id",
        )?;
        let rows = statement.query_map([chat.0], |row| {
            let on = Decided::of((row.get(0)?, row.get(1)?));
            Ok((on, row.get::<_, String>(2)?, row.get::<_, String>(3)?, row.get::<_, Option<String>>(4)?))
        })?;
        let mut words = BTreeMap::new();
        let mut found = Decisions::default();
        for row in rows {
            let (on, name, text, source) = row?;
            if let Some(source) = source {
                found.last = Some(format!("what was said of {text}"));
                match SourceMark::from_name(&name) {
                    Some(mark) => found.sources.insert(source, mark),
                    None => found.sources.remove(&source),
                };
            } else if let Some(word) = Word::read(&name, String::new()) {
                found.last = Some(word.words().to_owned());
                words.insert(on, word);
            }
        }
        for (on, word) in words {
            let how = match (on, word) {
                (Decided::Pair(left, right), Word::Vote(vote)) => {
                    found.votes.insert((left, right), vote);
                    continue;
                }
                (Decided::Answer(answer), Word::Good) => (answer, Keep::Good),
                (Decided::Answer(answer), Word::Corrected(_)) => (answer, Keep::Corrected),
                (Decided::Pair(..), Word::Good | Word::Corrected(_))
                | (Decided::Answer(_), Word::Vote(_)) => {
                    continue;
                }
            };
            if let Some(record) = self.record_from_chat(on)? {
                found.kept.insert(how.0, KeptAnswer { how: how.1, record });
            }
        }
        Ok(found)
    }
}
