//! What a conversation leaves behind: records, preference pairs, reflections.

use std::collections::BTreeSet;

use crate::domain::change::{Body, Change, Selection};
use crate::domain::chat::{Chat, ChatId, Turn, TurnId, Vote};
use crate::domain::message::{Message, Role};
use crate::domain::record::{Preference, Provenance, Record, RecordId, Status};
use crate::domain::reflection::{Reflection, Verdict};
use crate::domain::thought::{Thought, estimated_tokens};
use crate::session::{Decided, Result, Session, SessionError, Word};

/// What became of the record of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// There is none, and none is wanted.
    Nothing,
    /// It says already what was decided.
    AsBefore(Option<RecordId>),
    Added(RecordId),
    Changed(RecordId),
    Removed(RecordId),
}

/// Brings the record of a decision in line with the word that holds now: one record at most for each, whatever was
/// decided before. Doing it again changes nothing.
pub(super) fn settle(
    session: &mut Session,
    id: ChatId,
    on: Decided,
    before: Option<&Word>,
) -> Result<Settled> {
    let word = session.word_on(on)?;
    let record = session.record_from_chat(on)?;
    let wanted = match (on, &word) {
        (Decided::Pair(left, right), Some(Word::Vote(vote))) => {
            preference(session, id, (left, right), *vote)?
        }
        (Decided::Answer(answer), Some(Word::Good)) => Some(good(session, id, answer)?),
        (Decided::Answer(answer), Some(Word::Corrected(text))) => Some(corrected(session, id, answer, text)?),
        (_, None)
        | (Decided::Pair(..), Some(Word::Good | Word::Corrected(_)))
        | (Decided::Answer(_), Some(Word::Vote(_))) => None,
    };
    match (record, wanted) {
        (None, None) if word.as_ref() == before => Ok(Settled::AsBefore(None)),
        (None, None) => Ok(Settled::Nothing),
        (Some(record), _) if word.as_ref() == before => Ok(Settled::AsBefore(Some(record))),
        (Some(record), None) => {
            session.apply(&Selection::Records(vec![record]), &Change::Remove)?;
            Ok(Settled::Removed(record))
        }
        (Some(record), Some(wanted)) if matches!(on, Decided::Pair(..)) => {
            // In its place: what a person did to it in Data, its split and its tags, stays.
            session.edit("change a vote", &[(record, Body::of(&wanted))])?;
            Ok(Settled::Changed(record))
        }
        (earlier, Some(wanted)) => {
            if let Some(earlier) = earlier {
                session.apply(&Selection::Records(vec![earlier]), &Change::Remove)?;
            }
            let record = add(session, what(on, word.as_ref()), wanted)?;
            session.set_record_from_chat(id, on, record)?;
            if let (Decided::Answer(answer), Some(Word::Corrected(text))) = (on, &word) {
                reflect(session, id, answer, record, text)?;
            }
            Ok(if earlier.is_some() { Settled::Changed(record) } else { Settled::Added(record) })
        }
    }
}

const fn what(on: Decided, word: Option<&Word>) -> &'static str {
    match (on, word) {
        (Decided::Pair(..), _) => "keep a vote",
        (Decided::Answer(_), Some(Word::Corrected(_))) => "keep a correction",
        (Decided::Answer(_), _) => "keep a chat's answer",
    }
}

/// The conversation up to an answer, approved: a person has read it.
fn good(session: &Session, id: ChatId, answer: TurnId) -> Result<Record> {
    let chat = session.chat(id)?;
    let answer = turn(&chat, answer)?;
    let mut messages = read_before(&chat, answer);
    messages.push(Message::new(Role::Assistant, answer.content.clone()));
    Ok(made(&chat, answer.id, messages, None, "chat"))
}

/// What the model had read when it answered: with the passages, if it answered from the library.
fn read_before(chat: &Chat, answer: &Turn) -> Vec<Message> {
    let asked = chat.sources.get(&answer.id).map(|sources| &sources.asked).filter(|asked| !asked.is_empty());
    asked.map_or_else(|| chat.messages(answer.parent), Clone::clone)
}

/// Whether a vote is for one of two answers that say the same: nothing could be learnt of such a pair.
pub(super) fn prefers_the_same(chat: &Chat, pair: (TurnId, TurnId), vote: Vote) -> Result<bool> {
    let same = turn(chat, pair.0)?.content.trim() == turn(chat, pair.1)?.content.trim();
    Ok(same && matches!(vote, Vote::Left | Vote::Right))
}

/// The better of two answers as the chosen one; none where neither is.
fn preference(session: &Session, id: ChatId, pair: (TurnId, TurnId), vote: Vote) -> Result<Option<Record>> {
    let chat = session.chat(id)?;
    let (chosen, rejected) = match vote {
        Vote::Left => (turn(&chat, pair.0)?, turn(&chat, pair.1)?),
        Vote::Right => (turn(&chat, pair.1)?, turn(&chat, pair.0)?),
        Vote::Tie | Vote::BothBad => return Ok(None),
    };
    let answer = |turn: &Turn| vec![Message::new(Role::Assistant, turn.content.clone())];
    let preference = Preference { chosen: answer(chosen), rejected: answer(rejected) };
    Ok(Some(made(&chat, chosen.id, read_before(&chat, chosen), Some(preference), "vote")))
}

/// The conversation with the person's own text in the place of an answer.
fn corrected(session: &Session, id: ChatId, answer: TurnId, text: &str) -> Result<Record> {
    let chat = session.chat(id)?;
    let mut messages = read_before(&chat, turn(&chat, answer)?);
    messages.push(Message::new(Role::Assistant, text));
    Ok(made(&chat, answer, messages, None, "corrected"))
}

/// Keeps a bad answer as a wrong thought and the person's own text as its accepted correction.
fn reflect(
    session: &mut Session,
    id: ChatId,
    answer: TurnId,
    record: RecordId,
    corrected: &str,
) -> Result<()> {
    let chat = session.chat(id)?;
    let bad = turn(&chat, answer)?.clone();
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
    let mut tags = BTreeSet::from(["chat".to_owned(), tag.to_owned()]);
    if chat.sources.get(&answer).is_some_and(|sources| !sources.passages.is_empty()) {
        tags.insert("library".to_owned());
    }
    Record {
        messages,
        preference,
        tags,
        status: Status::Approved,
        provenance: Provenance {
            source: format!("chat {}", chat.id.0),
            line: answer.0.unsigned_abs(),
            ..Provenance::default()
        },
        ..Record::default()
    }
}

fn add(session: &mut Session, what: &str, record: Record) -> Result<RecordId> {
    let added = session.add(what, vec![record])?;
    added.first().copied().ok_or(SessionError::NothingLeft("add"))
}
