//! What is known of chats: the list of them, the open one, answers that are being written.

use std::collections::BTreeMap;

use crate::domain::chat::{Chat, ChatSummary, Turn, TurnId};
use crate::domain::protocol::ChatEvent;
use crate::domain::protocol::chat::{Pace, Phase};

/// An answer that is being written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Writing {
    Waits(Phase),
    Writes(Pace),
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

    pub(super) fn apply(&mut self, event: ChatEvent) {
        self.version += 1;
        match event {
            ChatEvent::Found { text, chats } => self.found = Some((text, chats)),
            ChatEvent::Opened(chat) => self.open = Some(chat),
            ChatEvent::Left => self.open = None,
            ChatEvent::Deleted(id) => {
                self.open = self.open.take().filter(|chat| chat.id != id);
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
            ChatEvent::Shown { chat, heads } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == chat) {
                    open.heads = heads;
                }
            }
            ChatEvent::WasSetUp { chat, setup } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == chat) {
                    open.setup = setup;
                }
            }
            ChatEvent::Voted { chat, pair, vote } => {
                if let Some(open) = self.open.as_mut().filter(|open| open.id == chat) {
                    open.votes.insert(pair, vote);
                }
            }
        }
    }

    fn turn_mut(&mut self, id: TurnId) -> Option<&mut Turn> {
        self.open.as_mut()?.turns.get_mut(&id)
    }
}
