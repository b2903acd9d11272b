//! Going about in a conversation: the cursor, the window, branches, copying.

use super::act::{say, send};
use super::bindings::ChatAction;
use super::transcript::{Follow, TurnColumn};
use super::{ChatMode, ChatPane};
use crate::app::store::Store;
use crate::domain::chat::{TurnId, code_blocks};
use crate::domain::protocol::ChatCommand;
use crate::ui::pane::Effect;
use crate::ui::widgets::field::TextField;

impl ChatPane {
    /// Moves the cursor or the window.
    pub(super) fn navigate(&mut self, action: ChatAction, store: &Store) {
        let Some(chat) = store.chats.open.as_deref() else { return };
        let path: Vec<TurnId> = self.path(chat).into_owned();
        let last = path.len().saturating_sub(1);
        let at = self.cursor.and_then(|cursor| path.binary_search(&cursor).ok()).unwrap_or(last);
        let column = &mut self.columns[self.side as usize];
        let to = match action {
            ChatAction::Up => at.saturating_sub(1),
            ChatAction::Down => (at + 1).min(last),
            ChatAction::First => 0,
            ChatAction::Last => last,
            ChatAction::OtherColumn => {
                self.side = self.side.other();
                self.cursor = None;
                return;
            }
            ChatAction::PageUp => return column.page(-1),
            ChatAction::PageDown => return column.page(1),
            _ => return,
        };
        self.block = 0;
        if to == last {
            column.follow_end();
        }
        self.cursor = path.get(to).copied().filter(|_| to < last);
        self.follow = Follow::Cursor;
    }

    /// Shows the newest turns, the cursor on the last one.
    pub(super) fn show_end(&mut self) {
        self.cursor = None;
        self.columns.iter_mut().for_each(TurnColumn::forget);
    }

    pub(super) fn copy(&self, store: &Store) -> Vec<Effect> {
        let Some(turn) = self.chosen(store) else { return Vec::new() };
        let count = turn.content.chars().count();
        vec![Effect::Copy(turn.content.clone()), say(format!("copied the turn: {count} characters"))]
    }

    pub(super) fn copy_block(&mut self, store: &Store) -> Vec<Effect> {
        let Some(turn) = self.chosen(store) else { return Vec::new() };
        let blocks = code_blocks(&turn.content);
        let place = self.block % blocks.len().max(1);
        let Some(block) = blocks.get(place) else { return Vec::new() };
        self.block = place + 1;
        vec![Effect::Copy(block.clone()), say(format!("copied block {} of {}", place + 1, blocks.len()))]
    }

    /// Shows the branch beside the chosen turn, with its newest turns.
    pub(super) fn branch(&mut self, by: isize, store: &Store) -> Vec<Effect> {
        let (Some(chat), Some(turn)) = (store.chats.open.as_deref(), self.chosen(store)) else {
            return Vec::new();
        };
        let branches = chat.siblings(turn);
        let at = branches.iter().position(|id| *id == turn.id).unwrap_or(0);
        let to = (at + branches.len()).saturating_add_signed(by) % branches.len().max(1);
        let Some(&next) = branches.get(to) else { return Vec::new() };
        let mut heads = chat.heads;
        heads[self.column() as usize] = Some(chat.newest_below(next));
        self.cursor = Some(next);
        self.follow = Follow::Cursor;
        send(ChatCommand::Show { chat: chat.id, heads })
    }

    /// Asks what a chat is to be called.
    pub(super) fn rename(&mut self, store: &Store) {
        let chosen = if let ChatMode::History(history) = &self.mode {
            history.chosen(store).map(|chat| (chat.id, chat.title.clone()))
        } else {
            store.chats.open.as_deref().map(|chat| (chat.id, chat.title.clone()))
        };
        if let Some((chat, title)) = chosen {
            let mut field = TextField::new("what this chat is called");
            field.paste(&title);
            self.mode = ChatMode::Rename(chat, field);
        }
    }
}
