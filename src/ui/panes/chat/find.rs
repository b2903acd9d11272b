//! Searching within the open chat: which of its turns hold a text, and going from one place to the next.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::transcript::Follow;
use crate::domain::chat::{Chat, TurnId};
use crate::ui::pane::Input;
use crate::ui::theme::Theme;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::highlight::Highlights;

/// A search while it goes on: first typed, then walked through.
#[derive(Debug)]
pub(super) struct Find {
    field: TextField,
    pub(super) highlights: Highlights,
    /// Turns of the column that hold the text, in order.
    turns: Vec<TurnId>,
    /// Which of them is in front, and which place in it.
    at: usize,
    hit: usize,
    /// Where the cursor was before.
    pub(super) from: Option<TurnId>,
}

/// Which way to the next place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Down,
    Up,
}

impl Find {
    pub(super) fn new(from: Option<TurnId>) -> Self {
        Self {
            field: TextField::new("words in this chat"),
            highlights: Highlights::default(),
            turns: Vec::new(),
            at: 0,
            hit: 0,
            from,
        }
    }

    pub(super) fn text(&self) -> &str {
        self.field.text()
    }

    /// Takes a key; what is found from where the search began, downwards, comes to the front.
    pub(super) fn input(&mut self, input: &Input, chat: &Chat, path: &[TurnId]) {
        let before = self.field.text().to_owned();
        match input {
            Input::Key(key) => self.field.key(*key),
            Input::Paste(text) => self.field.paste(text),
        }
        if self.field.text() != before {
            self.highlights = Highlights::literal(self.field.text());
            self.look(chat, path);
            let from = self.from;
            self.at = self.turns.iter().position(|turn| Some(*turn) >= from && from.is_some()).unwrap_or(0);
            self.hit = 0;
        }
    }

    fn look(&mut self, chat: &Chat, path: &[TurnId]) {
        let holds = |id: &&TurnId| {
            chat.turns.get(id).is_some_and(|turn| self.highlights.is_in(turn.content.trim_end()))
        };
        self.turns = path.iter().filter(holds).copied().collect();
    }

    /// Goes to the next place, from the last one to the first. `hits` is how many the turn in front has.
    pub(super) fn step(&mut self, way: Way, hits: usize, chat: &Chat, path: &[TurnId]) {
        // An answer may have come meanwhile.
        let front = self.front();
        self.look(chat, path);
        let count = self.turns.len();
        self.at = front.and_then(|turn| self.turns.binary_search(&turn).ok()).unwrap_or(0);
        self.hit = self.hit.min(hits.saturating_sub(1));
        match way {
            Way::Down if self.hit + 1 < hits => self.hit += 1,
            Way::Down => (self.at, self.hit) = ((self.at + 1) % count.max(1), 0),
            Way::Up if self.hit > 0 => self.hit -= 1,
            Way::Up => (self.at, self.hit) = ((self.at + count.max(1) - 1) % count.max(1), usize::MAX),
        }
    }

    /// The turn in front; none when nothing is found.
    pub(super) fn front(&self) -> Option<TurnId> {
        self.turns.get(self.at).copied()
    }

    pub(super) const fn follow(&self) -> Follow {
        Follow::Hit(self.hit)
    }

    /// `turn 3 of 17`.
    pub(super) fn said(&self) -> String {
        match (self.turns.len(), self.text()) {
            (_, "") => String::new(),
            (0, _) => "not in this chat".to_owned(),
            (count, _) => format!("turn {} of {count} that hold it", self.at + 1),
        }
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        self.field.draw(buffer, area, theme);
    }
}
