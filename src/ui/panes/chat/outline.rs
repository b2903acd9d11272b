//! Which turns a chat's columns show and where they branch: made anew only when turns are added or others are shown,
//! since a chat may have thousands of them and every key is followed by a frame.

use std::collections::HashMap;

use crate::domain::chat::{Chat, ChatId, Side, TurnId};
use crate::domain::message::Role;

/// Of which state of which chat it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OutlineKey {
    chat: ChatId,
    turns: usize,
    newest: Option<TurnId>,
    heads: [Option<TurnId>; 2],
}

impl OutlineKey {
    fn of(chat: &Chat) -> Self {
        let newest = chat.turns.last_key_value().map(|(id, _)| *id);
        Self { chat: chat.id, turns: chat.turns.len(), newest, heads: chat.heads }
    }
}

/// A turn's place among those that continue the same turn, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Branch {
    pub(super) place: usize,
    pub(super) of: usize,
}

/// What turns that stand beside each other share: what they answer, who speaks, and the column if that counts.
type Beside<'a> = (Option<TurnId>, &'a str, Option<Side>);

/// The columns of one chat.
#[derive(Debug, Default)]
pub(super) struct Outline {
    key: Option<OutlineKey>,
    paths: [Vec<TurnId>; 2],
    branches: HashMap<TurnId, Branch>,
}

impl Outline {
    /// Of a chat as it is now.
    pub(super) fn of(chat: &Chat) -> Self {
        let path = |side| chat.path(head(chat, side)).into_iter().map(|turn| turn.id).collect();
        let mut among: HashMap<Beside, Vec<TurnId>> = HashMap::new();
        for turn in chat.turns.values() {
            // Side by side, an answer has those of its own column beside it.
            let alone = chat.heads[1].is_none() || turn.role == Role::User;
            let side = (!alone).then_some(turn.side);
            among.entry((turn.parent, turn.role.name(), side)).or_default().push(turn.id);
        }
        let mut branches = HashMap::new();
        for turns in among.into_values().filter(|turns| turns.len() > 1) {
            let of = turns.len();
            let places = turns.into_iter().zip(1..).map(|(turn, place)| (turn, Branch { place, of }));
            branches.extend(places);
        }
        Self { key: Some(OutlineKey::of(chat)), paths: [path(Side::Left), path(Side::Right)], branches }
    }

    /// Follows the open chat.
    pub(super) fn refresh(&mut self, chat: Option<&Chat>) {
        match chat {
            None => *self = Self::default(),
            Some(chat) if !self.is_of(chat) => *self = Self::of(chat),
            Some(_) => {}
        }
    }

    pub(super) fn is_of(&self, chat: &Chat) -> bool {
        self.key == Some(OutlineKey::of(chat))
    }

    /// The turns of a column, from the first to its last.
    pub(super) fn path(&self, side: Side) -> &[TurnId] {
        &self.paths[side as usize]
    }

    /// A turn's place, if it has others beside it.
    pub(super) fn branch(&self, turn: TurnId) -> Option<Branch> {
        self.branches.get(&turn).copied()
    }
}

/// The last turn of a column. Until the first question to both, the right one shows what the left one does.
pub(super) const fn head(chat: &Chat, side: Side) -> Option<TurnId> {
    match (side, chat.heads[1]) {
        (Side::Right, Some(right)) => Some(right),
        _ => chat.heads[0],
    }
}
