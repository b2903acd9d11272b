//! What another window makes of the chats that this one shows: the list is told anew, and the open chat gets what was
//! added to it. What is typed or written here is never touched.

use super::desk::ChatDesk;
use crate::domain::chat::{Chat, ChatId, ChatSummary, Side, Turn, TurnId};
use crate::domain::protocol::ChatEvent;
use crate::session::{Result, SessionError};

/// What the screen was told last.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What was looked for last, and what was found.
    pub(super) found: Option<(String, Vec<ChatSummary>)>,
    pub(super) open: Option<Chat>,
    /// Whether somebody else has written since the open chat was looked at.
    changed: bool,
}

impl ChatDesk<'_> {
    pub(super) fn find(&mut self, text: String) -> Result<()> {
        let chats = self.session.chats(&text)?;
        self.seen.found = Some((text.clone(), chats.clone()));
        self.tell(ChatEvent::Found { text, chats });
        Ok(())
    }

    pub(super) fn open(&mut self, chat: ChatId) -> Result<()> {
        let chat = self.session.chat(chat)?;
        self.read_drafts(Some(chat.id))?;
        self.seen.open = Some(chat.clone());
        self.tell(ChatEvent::Opened(Box::new(chat)));
        Ok(())
    }

    pub(super) fn show(&mut self, chat: ChatId, heads: [Option<TurnId>; 2]) -> Result<()> {
        self.session.set_heads(chat, heads)?;
        if let Some(open) = self.seen.open.as_mut().filter(|open| open.id == chat) {
            open.heads = heads;
        }
        self.tell(ChatEvent::Shown { chat, heads });
        Ok(())
    }

    /// Looks whether somebody else has written.
    pub(super) fn watch(&mut self) -> Result<()> {
        if self.session.changed_elsewhere()? {
            self.seen.changed = true;
            self.find_again()?;
        }
        // An answer that is being written here is newer than the disk.
        if self.waiting.is_empty() && std::mem::take(&mut self.seen.changed) {
            self.look_at_open()?;
        }
        Ok(())
    }

    fn find_again(&mut self) -> Result<()> {
        let Some((text, before)) = &self.seen.found else { return Ok(()) };
        let chats = self.session.chats(text)?;
        if chats != *before {
            let text = text.clone();
            self.seen.found = Some((text.clone(), chats.clone()));
            self.tell(ChatEvent::Found { text, chats });
        }
        Ok(())
    }

    fn look_at_open(&mut self) -> Result<()> {
        let Some(before) = self.seen.open.take() else { return Ok(()) };
        let id = before.id;
        let mut now = match self.session.chat(id) {
            Ok(now) => now,
            Err(SessionError::NoSuchChat(_)) => {
                self.tell(ChatEvent::Deleted(id));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let new = |turn: &&Turn| before.turns.get(&turn.id) != Some(turn);
        let turns: Vec<Turn> = now.turns.values().filter(new).cloned().collect();
        // Where another window went to another branch, this one stays with what is read here.
        if !goes_on(&before, &now) {
            now.heads = before.heads;
        }
        if !turns.is_empty() || now.heads != before.heads {
            self.tell(ChatEvent::Added { chat: id, turns, heads: now.heads });
        }
        if now.decisions != before.decisions {
            self.tell(ChatEvent::Decided { chat: id, decisions: now.decisions.clone() });
        }
        if now.title != before.title {
            self.tell(ChatEvent::Renamed { chat: id, title: now.title.clone() });
        }
        self.seen.open = Some(now);
        Ok(())
    }
}

/// Whether each column ends at what was its end before, or further on; a chat without turns goes on with its first.
fn goes_on(before: &Chat, now: &Chat) -> bool {
    let further = |side: Side| {
        let (before, head) = (before.heads[side as usize], now.heads[side as usize]);
        before == head || before.is_some_and(|end| now.path(head).iter().any(|turn| turn.id == end))
    };
    before.heads == [None, None] || Side::BOTH.into_iter().all(further)
}
