//! What floats above the panes and has the keyboard while it does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::ui::action::Action;
use crate::ui::pane::{Effect, View};

/// Something that floats.
pub(crate) trait Overlay {
    fn key(&mut self, key: KeyEvent, store: &Store) -> OverlayReply;

    fn paste(&mut self, _text: &str) -> OverlayReply {
        OverlayReply::stay()
    }

    fn mouse(&mut self, _mouse: MouseEvent, _store: &Store) -> OverlayReply {
        OverlayReply::stay()
    }

    /// Draws within the screen, over what is there.
    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>);

    /// Keys and labels for the footer.
    fn hints(&self) -> &'static [(&'static str, &'static str)];

    /// Whether letters go into a text.
    fn is_typing(&self) -> bool {
        false
    }

    /// A title and what each key does, for the help.
    fn help(&self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        ("Here and now", self.hints())
    }

    fn kind(&self) -> OverlayKind {
        OverlayKind::Other
    }
}

/// What the studio must know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverlayKind {
    /// Waits for yes or no: quitting doesn't pass it by.
    Question,
    Help,
    /// Neither drawn nor asked while the screen is too small.
    Other,
}

/// Whether a key closes what floats. No other key may that isn't known there: the one after it would act, unseen, on
/// what is below.
pub(crate) fn closes(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    key.code == KeyCode::Esc || (control && matches!(key.code, KeyCode::Char('c' | 'g')))
}

/// The same where nothing is typed: also by the letter that leaves, and by the keys that open what floats.
pub(crate) fn closes_list(key: KeyEvent) -> bool {
    closes(key) || letter(key) == Some('q') || matches!(key.code, KeyCode::F(_))
}

/// The character of a key that is one by itself: `ctrl-d` is no `d`.
pub(crate) fn letter(key: KeyEvent) -> Option<char> {
    let alone = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    key.code.as_char().filter(|_| alone)
}

/// How far a key moves in a list whose rows stand below each other; none when it is for something else.
pub(crate) fn movement(key: KeyEvent) -> Option<isize> {
    const PAGE: isize = 10;
    match (key.code, letter(key)) {
        (KeyCode::Down | KeyCode::Tab, _) | (_, Some('j')) => Some(1),
        (KeyCode::Up | KeyCode::BackTab, _) | (_, Some('k')) => Some(-1),
        (KeyCode::PageDown, _) => Some(PAGE),
        (KeyCode::PageUp, _) => Some(-PAGE),
        (KeyCode::Home, _) => Some(isize::MIN),
        (KeyCode::End, _) => Some(isize::MAX),
        _ => None,
    }
}

/// What an overlay answers to an input.
pub(crate) struct OverlayReply {
    pub(crate) stays: Stays,
    pub(crate) asks: Vec<OverlayAsk>,
}

/// Whether an overlay stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    Yes,
    No,
}

/// What an overlay asks of the studio.
pub(crate) enum OverlayAsk {
    Perform(Action),
    Effect(Box<Effect>),
    /// Show this theme while the overlay is open.
    Preview(usize),
    /// Take this theme and keep it.
    PickTheme(usize),
}

impl OverlayReply {
    pub(crate) const fn stay() -> Self {
        Self { stays: Stays::Yes, asks: Vec::new() }
    }

    pub(crate) const fn close() -> Self {
        Self { stays: Stays::No, asks: Vec::new() }
    }

    /// Asks something more.
    pub(crate) fn and(mut self, ask: OverlayAsk) -> Self {
        self.asks.push(ask);
        self
    }

    /// Has something done.
    pub(crate) fn with(self, effect: Effect) -> Self {
        self.and(OverlayAsk::Effect(Box::new(effect)))
    }
}
