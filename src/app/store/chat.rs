//! What is known of chats: the list of them, the open one, answers that are being written.

use std::collections::BTreeMap;

use crate::domain::chat::{Chat, ChatId, ChatSummary, DraftPlace, Turn, TurnId};
use crate::domain::protocol::ChatEvent;
use crate::domain::protocol::chat::{AnswerPace, Phase};

/// An answer that is being written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Writing {
    Waits(Phase),
    Writes(AnswerPace),
}

/// Facts of the session's chats.
#[derive(Debug, Default)]
pub struct Chats {
    /// What was looked for last, and what was found.
    pub found: Option<(String, Vec<ChatSummary>)>,
    /// The chat in front; none before its first question.
    pub open: Option<Box<Chat>>,
    /// Answers in the making.
    pub writing: BTreeMap<TurnId, Writing>,
    /// Texts that were not sent or kept yet, by chat; none is the one that the next question begins. A chat that is
    /// missing was not asked for.
    pub drafts: BTreeMap<Option<ChatId>, BTreeMap<DraftPlace, String>>,
    /// Rises with whatever changes what is shown of the open chat.
    pub version: u64,
}

impl Chats {
    /// A turn of the open chat.
    #[must_use]
    pub fn turn(&self, id: TurnId) -> Option<&Turn> {
        self.open.as_ref()?.turns.get(&id)
    }

    /// Whether something is being written in the open chat.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.writing.is_empty()
    }

    /// What was written in a place and neither sent nor kept.
    #[must_use]
    pub fn draft(&self, chat: Option<ChatId>, place: DraftPlace) -> Option<&str> {
        self.drafts.get(&chat)?.get(&place).map(String::as_str)
    }

    pub(super) fn apply(&mut self, event: ChatEvent) {
        self.version += 1;
        match event {
            ChatEvent::Found { text, chats } => self.found = Some((text, chats)),
            ChatEvent::Opened(chat) => self.open = Some(chat),
            ChatEvent::Left => self.open = None,
            ChatEvent::Deleted(id) => {
                self.open = self.open.take().filter(|chat| chat.id != id);
                self.drafts.remove(&Some(id));
                if let Some((_, chats)) = &mut self.found {
                    chats.retain(|chat| chat.id != id);
                }
            }
            ChatEvent::Waits { turn, phase } => {
                self.writing.insert(turn, Writing::Waits(phase));
            }
            ChatEvent::Wrote { turn, text, pace } => {
                self.writing.insert(turn, Writing::Writes(pace));
                if let Some(turn) = self.turn_mut(turn) {
                    turn.content.push_str(&text);
                }
            }
            ChatEvent::Ended { turn, content, outcome } => {
                self.writing.remove(&turn);
                if let Some(turn) = self.turn_mut(turn) {
                    turn.content = content;
                    turn.outcome = Some(outcome);
                }
            }
            ChatEvent::Added { chat, turns, heads } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == chat) {
                    open.heads = heads;
                    open.turns.extend(turns.into_iter().map(|turn| (turn.id, turn)));
                }
            }
            ChatEvent::Sourced { turn, sources } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.turns.contains_key(&turn)) {
                    open.sources.insert(turn, *sources);
                }
            }
            ChatEvent::Shown { chat, heads } => self.change(chat, |open| open.heads = heads),
            ChatEvent::WasSetUp { chat, setup } => self.change(chat, |open| open.setup = setup),
            ChatEvent::Decided { chat, decisions } => self.change(chat, |open| open.decisions = decisions),
            ChatEvent::Renamed { chat, title } => self.rename(chat, &title),
            ChatEvent::DraftsRead { chat, drafts } => {
                self.drafts.insert(chat, drafts.into_iter().collect());
            }
            ChatEvent::DraftKept { chat, place, text } => {
                let drafts = self.drafts.entry(chat).or_default();
                if text.is_empty() {
                    drafts.remove(&place);
                } else {
                    drafts.insert(place, text);
                }
            }
        }
    }

    /// Changes the open chat, if it is this one.
    fn change(&mut self, chat: ChatId, change: impl FnOnce(&mut Chat)) {
        if let Some(open) = self.open.as_mut().filter(|open| open.id == chat) {
            change(open);
        }
    }

    fn rename(&mut self, chat: ChatId, title: &str) {
        self.change(chat, |open| title.clone_into(&mut open.title));
        let found = self.found.iter_mut().flat_map(|(_, chats)| chats);
        for summary in found.filter(|summary| summary.id == chat) {
            title.clone_into(&mut summary.title);
        }
    }

    fn turn_mut(&mut self, id: TurnId) -> Option<&mut Turn> {
        self.open.as_mut()?.turns.get_mut(&id)
    }
}
