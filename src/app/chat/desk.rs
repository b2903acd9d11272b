//! Chats in the session: every question, answer and vote is committed before it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::deal::{deal, seed};
use super::elsewhere::Seen;
use super::keep::{self, Settled};
use super::{AnswerJob, ChatOrder, Epoch, Stops, Work, unwritten};
use crate::app::events::Events;
use crate::app::unkept::UnkeptDrafts;
use crate::domain::chat::{AnswerOutcome, AnswererNames, Chat, ChatId, Setup, Side, Turn, TurnId, Why};
use crate::domain::cited::AnswerSources;
use crate::domain::message::Role;
use crate::domain::protocol::chat::{ChatQuestion, Phase};
use crate::domain::protocol::system::Level;
use crate::domain::protocol::{ChatCommand, ChatEvent, Event};
use crate::session::{Decided, NewTurn, Result, Session, SessionError, Word};

/// How often the file is asked whether somebody else has written. This connection is asked, which knows its own writing.
const WATCH: Duration = Duration::from_millis(250);
/// How often it is looked, at the end, whether the writer is at something that has no end soon.
const LOOK: Duration = Duration::from_millis(50);

/// Carries out orders until the session is left and the last answer is kept.
pub(super) fn work(
    (path, window): (&Path, &str),
    events: &Events,
    orders: &Receiver<ChatOrder>,
    (writer, stops): (Sender<Work>, Stops),
) {
    // The session is opened with the first order: by then the lanes for records have made its database.
    let (session, mut order) = loop {
        let Ok(order) = orders.recv() else { return };
        if matches!(order, ChatOrder::Close) {
            return;
        }
        match Session::create(path) {
            Ok(session) => break (session.in_window(window), order),
            // What kept it from being opened may be over at the next order.
            Err(error) => complain(events, &error),
        }
    };
    let mut desk = ChatDesk {
        session,
        events,
        writer: Some(writer),
        waiting: BTreeSet::new(),
        sources: BTreeMap::new(),
        seen: Seen::default(),
        unkept: UnkeptDrafts::default(),
    };
    loop {
        let outcome = match order {
            ChatOrder::Command(command, epoch) => desk.perform(command, epoch),
            ChatOrder::SoFar { turn, content } => desk.session.keep_so_far(turn, &content),
            ChatOrder::Sourced { turn, sources } => desk.take_sources(turn, *sources),
            ChatOrder::Ended { turn, content, outcome } => desk.end(turn, content, outcome),
            ChatOrder::Close => {
                desk.writer = None;
                Ok(())
            }
        };
        if let Err(error) = outcome {
            complain(events, &error);
        }
        match desk.next(orders, &stops) {
            Some(next) => order = next,
            None => return,
        }
    }
}

fn complain(events: &Events, error: &SessionError) {
    events.notify(Level::Error, error.to_string());
}

pub(super) struct ChatDesk<'e> {
    pub(super) session: Session,
    pub(super) events: &'e Events,
    /// None once the session is left.
    writer: Option<Sender<Work>>,
    /// Answers that were handed over and haven't ended.
    pub(super) waiting: BTreeSet<TurnId>,
    /// What those are given from that are from the library.
    pub(super) sources: BTreeMap<TurnId, AnswerSources>,
    /// What is on the screen, to be told anew when another window changes it.
    pub(super) seen: Seen,
    pub(super) unkept: UnkeptDrafts,
}

impl ChatDesk<'_> {
    /// The next order; none once the session is left and nothing more comes of what the writer is at. A model takes as
    /// long to load as it takes: nobody waits for that at the end.
    fn next(&mut self, orders: &Receiver<ChatOrder>, stops: &Stops) -> Option<ChatOrder> {
        loop {
            if self.writer.is_some() {
                match orders.recv_timeout(WATCH) {
                    Ok(order) => return Some(order),
                    Err(RecvTimeoutError::Disconnected) => return None,
                    Err(RecvTimeoutError::Timeout) => {
                        self.keep_unkept();
                        if let Err(error) = self.watch() {
                            complain(self.events, &error);
                        }
                        continue;
                    }
                }
            }
            match orders.try_recv() {
                Ok(order) => return Some(order),
                Err(_) if self.waiting.is_empty() => return None,
                Err(_) if stops.is_loading() => {
                    for turn in std::mem::take(&mut self.waiting) {
                        if let Err(error) = self.end(turn, String::new(), unwritten(Why::Stopped)) {
                            complain(self.events, &error);
                        }
                    }
                    return None;
                }
                Err(_) => {}
            }
            match orders.recv_timeout(LOOK) {
                Ok(order) => return Some(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn end(&mut self, turn: TurnId, content: String, outcome: AnswerOutcome) -> Result<()> {
        self.waiting.remove(&turn);
        self.check_sources(turn, &content)?;
        self.session.end_turn(turn, &content, &outcome)?;
        self.tell(ChatEvent::Ended { turn, content, outcome });
        Ok(())
    }

    pub(super) fn tell(&self, event: ChatEvent) {
        // The studio is gone: nobody needs to know.
        self.events.send(Event::Chat(event)).ok();
    }

    fn hand_over(&self, work: Work) {
        // A writer that is gone has said why in the log.
        self.writer.as_ref().map(|writer| writer.send(work).ok());
    }

    fn perform(&mut self, command: ChatCommand, epoch: Epoch) -> Result<()> {
        match command {
            ChatCommand::Find(text) => self.find(text)?,
            ChatCommand::Open(chat) => self.open(chat)?,
            ChatCommand::Leave => {
                self.seen.open = None;
                self.tell(ChatEvent::Left);
            }
            ChatCommand::Ask(question) => self.ask(*question, epoch)?,
            ChatCommand::Again { chat, answers } => self.again(chat, &answers, epoch)?,
            ChatCommand::Show { chat, heads } => self.show(chat, heads)?,
            ChatCommand::SetUp { chat, setup } => {
                self.session.set_up_chat(chat, &setup)?;
                self.tell(ChatEvent::WasSetUp { chat, setup: *setup });
            }
            ChatCommand::Prepare(answerers) => self.hand_over(Work::Load(answerers)),
            ChatCommand::Vote { chat, pair, vote, names } => {
                if keep::prefers_the_same(&self.session.chat(chat)?, pair, vote)? {
                    let text = "both answers say the same, so neither is better and nothing is kept: b = says that \
                                both are good, b x that both are bad";
                    self.events.notify(Level::Warning, text.to_owned());
                    return Ok(());
                }
                self.decide(chat, Decided::Pair(pair.0, pair.1), &Word::Vote(vote), names)?;
            }
            ChatCommand::SaveRecord { chat, answer } => {
                self.decide(chat, Decided::Answer(answer), &Word::Good, AnswererNames::Shown)?;
            }
            ChatCommand::Correct { chat, answer, corrected } => {
                self.decide(
                    chat,
                    Decided::Answer(answer),
                    &Word::Corrected(corrected),
                    AnswererNames::Shown,
                )?;
            }
            ChatCommand::MarkSource { chat, source, title, mark } => {
                self.session.mark_source(chat, (&source, &title), mark)?;
                self.tell_decisions(chat)?;
            }
            ChatCommand::Undo(chat) => self.undo(chat)?,
            ChatCommand::Rename { chat, title } => {
                self.session.rename_chat(chat, &title)?;
                self.tell(ChatEvent::Renamed { chat, title });
            }
            ChatCommand::ReadDrafts(chat) => self.read_drafts(chat)?,
            ChatCommand::KeepDraft { chat, place, text } => {
                self.keep_draft(chat, place, text)?;
            }
            ChatCommand::Delete(chat) => {
                self.session.delete_chat(chat)?;
                self.seen.open.take_if(|open| open.id == chat);
                self.tell(ChatEvent::Deleted(chat));
            }
            // It went past the queue.
            ChatCommand::Stop => {}
        }
        Ok(())
    }

    fn ask(&mut self, question: ChatQuestion, epoch: Epoch) -> Result<()> {
        let ChatQuestion { chat, after, text, setup } = question;
        let (id, fresh) = match chat {
            Some(id) => (id, false),
            None => (self.session.begin_chat(&text, &setup)?, true),
        };
        self.session.set_up_chat(id, &setup)?;
        let mut chat = self.session.chat(id)?;
        let mut added = Vec::new();
        let ask = |session: &mut Session, side: Side| {
            let parent = after[side as usize];
            let by = String::new();
            session.add_turn(id, &NewTurn { parent, role: Role::User, side, content: text.clone(), by })
        };
        let first = ask(&mut self.session, Side::Left)?;
        // Columns that stand at the same turn share the question; those that went apart each get their own.
        let second = match setup.right {
            Some(_) if after[0] != after[1] => Some(ask(&mut self.session, Side::Right)?),
            _ => None,
        };
        let parents = [first.id, second.as_ref().map_or(first.id, |turn| turn.id)];
        added.extend([Some(first), second].into_iter().flatten());
        added.extend(self.begin_answers(id, &setup, parents)?);
        self.finish_adding(&mut chat, added, fresh)?;
        self.write(&chat, &setup, epoch);
        Ok(())
    }

    /// Empty answers to turns, one for each column.
    fn begin_answers(&mut self, chat: ChatId, setup: &Setup, parents: [TurnId; 2]) -> Result<Vec<Turn>> {
        let mut answers = Vec::new();
        for (side, answerer) in deal(setup) {
            let new = NewTurn {
                parent: Some(parents[side as usize]),
                role: Role::Assistant,
                side,
                content: String::new(),
                by: answerer.name.clone(),
            };
            let answer = self.session.add_turn(chat, &new)?;
            // The writer may still be at something else: from here on the answer is waited for.
            self.tell(ChatEvent::Waits { turn: answer.id, phase: Phase::Loading });
            answers.push(answer);
        }
        Ok(answers)
    }

    fn finish_adding(&mut self, chat: &mut Chat, added: Vec<Turn>, fresh: bool) -> Result<()> {
        for turn in added.iter().filter(|turn| turn.role == Role::Assistant) {
            chat.heads[turn.side as usize] = Some(turn.id);
        }
        if !added.iter().any(|turn| turn.side == Side::Right && turn.role == Role::Assistant) {
            chat.heads[1] = None;
        }
        self.session.set_heads(chat.id, chat.heads)?;
        chat.turns.extend(added.iter().map(|turn| (turn.id, turn.clone())));
        if fresh {
            *chat = self.session.chat(chat.id)?;
            self.tell(ChatEvent::Opened(Box::new(chat.clone())));
        } else {
            self.tell(ChatEvent::Added { chat: chat.id, turns: added, heads: chat.heads });
        }
        self.seen.open = Some(chat.clone());
        Ok(())
    }

    /// Hands the empty answers at the ends of the columns to the writer.
    fn write(&mut self, chat: &Chat, setup: &Setup, epoch: Epoch) {
        let mut chat = chat.clone();
        chat.setup = setup.clone();
        let jobs = chat.heads.iter().flatten().filter_map(|id| {
            let turn = chat.turns.get(id).filter(|turn| turn.outcome.is_none() && turn.content.is_empty())?;
            let answerer =
                std::iter::once(&setup.left).chain(&setup.right).find(|known| known.name == turn.by)?;
            let mut sampling = setup.sampling.clone();
            sampling.seed = seed(sampling.seed, turn.side, chat.siblings(turn).len() as u64);
            Some(AnswerJob {
                turn: *id,
                answerer: answerer.clone(),
                messages: chat.messages(turn.parent),
                sampling,
                library: setup.library,
                marks: chat.decisions.sources.clone(),
                epoch,
            })
        });
        let jobs: Vec<AnswerJob> = jobs.collect();
        self.waiting.extend(jobs.iter().map(|job| job.turn));
        self.hand_over(Work::Write(jobs));
    }

    fn again(&mut self, id: ChatId, answers: &[TurnId], epoch: Epoch) -> Result<()> {
        let mut chat = self.session.chat(id)?;
        let setup = chat.setup.clone();
        let of = |side: Side| {
            answers
                .iter()
                .filter_map(|id| chat.turns.get(id))
                .find(|turn| turn.side == side || answers.len() == 1)
        };
        let Some(left) = of(Side::Left).or_else(|| of(Side::Right)).and_then(|turn| turn.parent) else {
            return Ok(());
        };
        let right = of(Side::Right).and_then(|turn| turn.parent).unwrap_or(left);
        let added = self.begin_answers(id, &setup, [left, right])?;
        self.finish_adding(&mut chat, added, false)?;
        self.write(&chat, &setup, epoch);
        Ok(())
    }

    /// Keeps a word on answers, in the place of an earlier one, and brings the records in line with it.
    fn decide(&mut self, chat: ChatId, on: Decided, word: &Word, names: AnswererNames) -> Result<()> {
        let before = self.session.word_on(on)?;
        if before.as_ref() != Some(word) {
            self.session.decide_in_chat(chat, on, word, names)?;
        }
        let settled = keep::settle(&mut self.session, chat, on, before.as_ref())?;
        self.tell_decisions(chat)?;
        let text = match (word, settled) {
            (_, Settled::AsBefore(record)) => {
                format!(
                    "this is what was decided already{}",
                    record.map(|id| format!(": record {}", id.0)).unwrap_or_default()
                )
            }
            (Word::Vote(_), Settled::Added(record)) => {
                format!("kept as a preference pair, record {}; u takes it back", record.0)
            }
            (Word::Vote(_), Settled::Changed(record)) => {
                format!("the vote is changed, and its preference pair too: record {}", record.0)
            }
            (Word::Good, Settled::Added(record) | Settled::Changed(record)) => {
                format!("kept as an approved record, {}; Data shows it, u takes it back", record.0)
            }
            (Word::Corrected(_), Settled::Added(record) | Settled::Changed(record)) => {
                format!("kept as a reflection: the answer, its correction, and record {} of it", record.0)
            }
            (_, Settled::Removed(record)) => format!("the vote is changed: record {} is gone", record.0),
            (_, Settled::Nothing) => {
                "the vote is kept; no answer is better, so no pair comes of it".to_owned()
            }
        };
        self.events.notify(Level::Good, text);
        Ok(())
    }

    pub(super) fn tell_decisions(&self, chat: ChatId) -> Result<()> {
        let decisions = self.session.decisions(chat)?;
        self.tell(ChatEvent::Decided { chat, decisions });
        Ok(())
    }
}
