//! Finding an earlier chat.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::domain::chat::{ChatId, ChatSummary};
use crate::domain::counted::counted;
use crate::domain::protocol::{ChatCommand, Command};
use crate::ui::layout::centred;
use crate::ui::pane::{Confirmation, Effect, Input, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::{float, text};

/// The list while it is open.
#[derive(Debug)]
pub(super) struct ChatHistory {
    field: TextField,
    cursor: ListCursor,
    /// The chat under the cursor as it was seen: chats that come above it don't move it.
    seen: Option<ChatId>,
}

impl ChatHistory {
    /// Asks for all chats.
    pub(super) fn open() -> (Self, Vec<Effect>) {
        let history = Self {
            field: TextField::new("words of a question or an answer"),
            cursor: ListCursor::default(),
            seen: None,
        };
        let effects = history.find();
        (history, effects)
    }

    fn find(&self) -> Vec<Effect> {
        vec![Effect::Send(Command::Chat(ChatCommand::Find(self.field.text().trim().to_owned())))]
    }

    fn found(store: &Store) -> &[ChatSummary] {
        store.chats.found.as_ref().map_or(&[], |(_, chats)| chats.as_slice())
    }

    pub(super) fn input(&mut self, input: &Input) -> Vec<Effect> {
        let before = self.field.text().to_owned();
        match input {
            Input::Key(key) => self.field.key(*key),
            Input::Paste(text) => self.field.paste(text),
        }
        if self.field.text() == before {
            return Vec::new();
        }
        (self.cursor, self.seen) = (ListCursor::default(), None);
        self.find()
    }

    /// The row of the chat that was seen under the cursor, wherever it is now.
    fn row(&self, store: &Store) -> usize {
        let seen = Self::found(store).iter().position(|chat| Some(chat.id) == self.seen);
        seen.unwrap_or_else(|| self.cursor.row())
    }

    /// Puts the cursor where its chat is now.
    fn follow(&mut self, store: &Store) {
        let chats = Self::found(store);
        self.cursor.go(self.row(store), chats.len());
        // What an earlier search found is still there until the next is answered.
        let answered = store.chats.found.as_ref().is_some_and(|(text, _)| text == self.field.text().trim());
        if answered {
            self.seen = chats.get(self.cursor.row()).map(|chat| chat.id);
        }
    }

    pub(super) fn step(&mut self, by: isize, store: &Store) {
        let chats = Self::found(store);
        self.cursor.go(self.row(store), chats.len());
        self.cursor.step(by, chats.len());
        self.seen = chats.get(self.cursor.row()).map(|chat| chat.id);
    }

    pub(super) fn chosen<'a>(&self, store: &'a Store) -> Option<&'a ChatSummary> {
        Self::found(store).get(self.row(store))
    }

    pub(super) fn delete(&self, store: &Store) -> Vec<Effect> {
        let Some(chat) = self.chosen(store) else { return Vec::new() };
        vec![Effect::Ask(Confirmation {
            title: format!("Delete this chat of {}?", counted(chat.turns as u64, "turn")),
            text: format!("\"{}\". Records and votes that it became stay.", text::shorten(&chat.title, 60)),
            yes: "delete".to_owned(),
            then: vec![Effect::Send(Command::Chat(ChatCommand::Delete(chat.id)))],
        })]
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let inside = float::draw(buffer, centred(area, 84, 20), theme, "earlier chats");
        let line = Rect { height: 1, ..inside };
        self.field.draw(buffer, line, theme);
        let list = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
        let chats = Self::found(view.store);
        if chats.is_empty() {
            let words = match &view.store.chats.found {
                None => "Reading the session's chats …",
                Some((sought, _)) if sought.is_empty() => {
                    "No chat yet: what you ask here is kept in the session."
                }
                Some(_) => "No chat holds this.",
            };
            text::put(buffer, list.x, list.y, words, usize::from(list.width), theme.dim);
            return;
        }
        self.follow(view.store);
        let window = self.cursor.window(chats.len(), usize::from(list.height));
        for (number, y) in window.zip(list.y..list.bottom()) {
            let Some(chat) = chats.get(number) else { continue };
            let when = text::ago(chat.at as f64 / 1000.0, view.store.now);
            let draft = if chat.drafts > 0 { "✎ draft  " } else { "" };
            let side = format!("{draft}{}  {when:>8}", counted(chat.turns as u64, "turn"));
            let wide = text::width(&side) as u16;
            let room = usize::from(list.width.saturating_sub(wide + 2));
            // Where a search found something else than the title, the place is shown.
            let searched = !self.field.text().is_empty() && !chat.found.is_empty();
            let shown = if searched { &chat.found } else { &chat.title };
            text::put(buffer, list.x, y, shown, room, theme.text);
            text::put(buffer, list.right().saturating_sub(wide), y, &side, usize::from(wide), theme.dim);
            if number == self.cursor.row() {
                buffer.set_style(Rect { y, height: 1, ..list }, theme.selection);
            }
        }
    }
}
