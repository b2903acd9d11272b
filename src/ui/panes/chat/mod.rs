//! Conversations with a model, or with two side by side. Knows the store, not the session.

mod act;
mod bindings;
mod composer;
mod draw;
mod history;
mod picker;
mod sampling;
mod transcript;
mod wander;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::app::store::chat::Writing;
use crate::domain::chat as domain;
use crate::domain::chat::{ChatId, Setup, Side, Turn, TurnId};
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Input, Pane, View};

pub use self::bindings::Action;
use self::bindings::BINDINGS;
use self::composer::Composer;
use self::history::History;
use self::picker::Picker;
use self::sampling::Panel;
use self::transcript::{Column, Follow};

/// What the keyboard is for.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Browse,
    Write,
    Vote,
    Models(Picker),
    Sampling(Panel),
    History(History),
    System(Composer),
    Correct(TurnId, Composer),
}

/// The pane.
#[derive(Default)]
pub(crate) struct Chat {
    mode: Mode,
    composer: Composer,
    /// Who answers the next question, and how.
    setup: Setup,
    /// Whose setup that is.
    of: Option<ChatId>,
    /// Which session all this is of.
    session: Option<std::path::PathBuf>,
    /// The turn under the cursor; the last one of the column where none was chosen.
    cursor: Option<TurnId>,
    side: Side,
    follow: Follow,
    columns: [Column; 2],
    /// The question that is being edited.
    editing: Option<TurnId>,
    /// Questions that were sent, and which of them was taken up again, counted from the last.
    sent: Vec<String>,
    recalled: Option<usize>,
    /// Which block of code is copied next.
    block: usize,
    composer_area: Rect,
}

impl Chat {
    /// Columns on the screen.
    const fn is_double(&self) -> bool {
        self.setup.right.is_some()
    }

    /// The column that has the keyboard.
    const fn column(&self) -> Side {
        if self.is_double() { self.side } else { Side::Left }
    }

    /// The last turn of a column. Until the first question to both, the right one shows what the left one does.
    const fn head(chat: &domain::Chat, side: Side) -> Option<TurnId> {
        match (side, chat.heads[1]) {
            (Side::Right, Some(right)) => Some(right),
            _ => chat.heads[0],
        }
    }

    /// The turns of the column that has the keyboard.
    fn path<'a>(&self, store: &'a Store) -> Vec<&'a Turn> {
        let Some(chat) = store.chats.open.as_deref() else { return Vec::new() };
        chat.path(Self::head(chat, self.column()))
    }

    /// The turn under the cursor, or the last one.
    fn chosen<'a>(&self, store: &'a Store) -> Option<&'a Turn> {
        let path = self.path(store);
        path.iter().find(|turn| Some(turn.id) == self.cursor).or_else(|| path.last()).copied()
    }

    /// Tokens in the context of the column that has the keyboard, and what it holds.
    fn context(&self, store: &Store) -> Option<(usize, usize)> {
        let last = self.path(store).into_iter().rfind(|turn| {
            matches!(store.chats.writing.get(&turn.id), Some(Writing::Writes(_)))
                || turn.outcome.as_ref().is_some_and(|outcome| outcome.context > 0)
        })?;
        if let Some(Writing::Writes(pace)) = store.chats.writing.get(&last.id) {
            return Some((pace.prompt_tokens + pace.tokens, pace.context));
        }
        let outcome = last.outcome.as_ref()?;
        Some((outcome.prompt_tokens + outcome.tokens, outcome.context))
    }
}

impl Pane for Chat {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Chat(action) = action else { return false };
        store.session.is_some() && self.can(action, store)
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Chat(action) = action else { return Vec::new() };
        self.perform(action, store)
    }

    fn typing(&self) -> bool {
        match self.mode {
            Mode::Browse | Mode::Vote | Mode::Models(_) => false,
            Mode::Write | Mode::Sampling(_) | Mode::History(_) | Mode::System(_) | Mode::Correct(..) => true,
        }
    }

    fn input(&mut self, input: &Input, _store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            Mode::Browse | Mode::Vote | Mode::Models(_) => {}
            Mode::Write => {
                self.recalled = None;
                self.composer.input(input);
            }
            Mode::System(text) | Mode::Correct(_, text) => text.input(input),
            Mode::Sampling(panel) => panel.input(input),
            Mode::History(history) => return history.input(input),
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        if !matches!(self.mode, Mode::Browse | Mode::Write) {
            return Vec::new();
        }
        let at = Position::new(mouse.column, mouse.row);
        let side = Side::BOTH.into_iter().find(|side| self.columns[*side as usize].area.contains(at));
        match mouse.kind {
            MouseEventKind::ScrollDown => self.columns[side.unwrap_or(self.side) as usize].scroll(3),
            MouseEventKind::ScrollUp => self.columns[side.unwrap_or(self.side) as usize].scroll(-3),
            MouseEventKind::Down(MouseButton::Left) if self.composer_area.contains(at) => {
                return self.perform(Action::Write, store);
            }
            MouseEventKind::Down(MouseButton::Left) => {
                if let Some(side) = side {
                    self.mode = Mode::Browse;
                    self.side = side;
                    self.cursor = self.columns[side as usize].turn_at(mouse.row);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let session = store.session.as_ref().map(|session| session.path.clone());
        if session != self.session {
            *self = Self { session, ..Self::default() };
        }
        let open = store.chats.open.as_deref();
        if open.map(|chat| chat.id) != self.of {
            self.of = open.map(|chat| chat.id);
            if let Some(chat) = open {
                self.setup = chat.setup.clone();
            }
            self.show_end();
        }
        if self.setup.left.name.is_empty()
            && let Some(first) = picker::first(store)
        {
            self.setup.left = first;
        }
        Vec::new()
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        draw::draw(self, buffer, area, view);
    }
}
