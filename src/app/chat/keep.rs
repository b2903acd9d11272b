//! What a conversation leaves behind: records, preference pairs, reflections.

use std::collections::BTreeSet;

use crate::domain::chat::{Chat, ChatId, Turn, TurnId, Vote};
use crate::domain::message::{Message, Role};
use crate::domain::record::{Preference, Provenance, Record, RecordId, Status};
use crate::domain::reflection::{Reflection, Verdict};
use crate::domain::thought::{Thought, estimated_tokens};
use crate::session::{Result, Session, SessionError};

/// Keeps the conversation up to an answer, approved: a person has read it.
pub(super) fn record(session: &mut Session, id: ChatId, answer: TurnId) -> Result<()> {
    let chat = session.chat(id)?;
    turn(&chat, answer)?;
    let record = made(&chat, answer, chat.messages(Some(answer)), None, "chat");
    add(session, "keep a chat's answer", record).map(|_| ())
}

/// Keeps the better of two answers as the chosen one; none where neither is.
pub(super) fn preference(
    session: &mut Session,
    id: ChatId,
    pair: (TurnId, TurnId),
    vote: Vote,
) -> Result<Option<RecordId>> {
    let chat = session.chat(id)?;
    let (chosen, rejected) = match vote {
        Vote::Left => (turn(&chat, pair.0)?, turn(&chat, pair.1)?),
        Vote::Right => (turn(&chat, pair.1)?, turn(&chat, pair.0)?),
        Vote::Tie | Vote::BothBad => return Ok(None),
    };
    let answer = |turn: &Turn| vec![Message::new(Role::Assistant, turn.content.clone())];
    let preference = Preference { chosen: answer(chosen), rejected: answer(rejected) };
    let record = made(&chat, chosen.id, chat.messages(chosen.parent), Some(preference), "vote");
    add(session, "keep a vote", record).map(Some)
}

/// Keeps a bad answer as a wrong thought, the person's own text as its accepted correction, and a record that both
/// belong to.
pub(super) fn correction(session: &mut Session, id: ChatId, answer: TurnId, corrected: &str) -> Result<()> {
    let chat = session.chat(id)?;
    let bad = turn(&chat, answer)?.clone();
    let mut messages = chat.messages(bad.parent);
    messages.push(Message::new(Role::Assistant, corrected));
    let record = add(session, "keep a correction", made(&chat, answer, messages, None, "corrected"))?;
    let thought = Thought {
        record,
        tokens: bad.outcome.as_ref().map_or_else(|| estimated_tokens(&bad.content), |end| end.tokens as u32),
        text: bad.content,
        label: String::new(),
        truth: None,
        model: bad.by,
        prompt: String::new(),
    };
    let added = session.add_thoughts(&[thought])?;
    let Some(&thought) = added.first() else { return Ok(()) };
    let reflection = Reflection {
        record,
        thought,
        error_analysis: String::new(),
        corrected: corrected.to_owned(),
        label: String::new(),
        teacher: PERSON.to_owned(),
        prompt: String::new(),
        verdict: Verdict::Edited,
        edited: Some(corrected.to_owned()),
        score: None,
        reasons: String::new(),
        reviewer: PERSON.to_owned(),
        comment: String::new(),
        judge: String::new(),
        improved_by: String::new(),
    };
    session.add_reflections(&[reflection]).map(|_| ())
}

/// Who corrects in a chat.
const PERSON: &str = "a person";

fn turn(chat: &Chat, id: TurnId) -> Result<&Turn> {
    chat.turns.get(&id).ok_or(SessionError::NoSuchChat(chat.id.0))
}

fn made(
    chat: &Chat,
    answer: TurnId,
    messages: Vec<Message>,
    preference: Option<Preference>,
    tag: &str,
) -> Record {
    Record {
        messages,
        preference,
        tags: BTreeSet::from(["chat".to_owned(), tag.to_owned()]),
        status: Status::Approved,
        provenance: Provenance {
            source: format!("chat {}", chat.id.0),
            line: answer.0.unsigned_abs(),
            occurrence: u32::MAX,
            ..Provenance::default()
        },
        ..Record::default()
    }
}

fn add(session: &mut Session, what: &str, record: Record) -> Result<RecordId> {
    let added = session.add(what, vec![record])?;
    added.first().copied().ok_or(SessionError::NothingLeft("add"))
}
