//! The studio's screen as one thing: keys, clicks and text in, effects out, and a picture of the store.

use crossterm::event::{KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::domain::settings::Settings;
use crate::ui::action::Action;
use crate::ui::keymap::{Binding, Chord, Keymap};
use crate::ui::layout::SMALLEST;
use crate::ui::pane::{Effect, Focus, Input, Pane, PaneId, View};
use crate::ui::theme::{Depth, Theme};
use crate::ui::widgets::empty;
use crate::ui::{panes, shell};

/// The panes and everything around them.
pub struct Studio {
    panes: [Box<dyn Pane>; 6],
    front: PaneId,
    themes: Vec<Theme>,
    theme: usize,
    keymap: Keymap,
    tabs: [Rect; 6],
    body: Rect,
}

impl Studio {
    /// With these themes (at least one) and the person's keys. What could not be understood of them comes back too, a sentence each.
    pub fn new(settings: &Settings, themes: Vec<Theme>, depth: Depth) -> (Self, Vec<String>) {
        let panes = panes::all();
        let tables: Vec<&'static [Binding]> =
            panes.iter().map(|pane| pane.bindings()).chain([shell::BINDINGS]).collect();
        let (keymap, complaints) = Keymap::new(&tables, &settings.keys);
        let wanted = if settings.theme.is_empty() { Theme::default_name(depth) } else { &settings.theme };
        let theme = themes.iter().position(|theme| theme.name == wanted).unwrap_or(0);
        let studio = Self {
            panes,
            front: PaneId::Train,
            themes,
            theme,
            keymap,
            tabs: [Rect::ZERO; 6],
            body: Rect::ZERO,
        };
        (studio, complaints)
    }

    /// The pane in front.
    pub const fn front(&self) -> PaneId {
        self.front
    }

    /// A key was pressed.
    pub fn key(&mut self, key: KeyEvent, store: &Store) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let chord = Chord::of(key);
        let typing = self.pane().typing();
        let pane = &self.panes[self.front as usize];
        let own = pane.bindings().iter().find(|binding| {
            !(typing && chord.is_text())
                && self.keymap.matches(binding, chord)
                && pane.available(binding.action, store)
        });
        if let Some(binding) = own {
            return self.perform(binding.action, store);
        }
        if typing && !chord.is_global() {
            let effects = self.pane_mut().input(&Input::Key(key), store);
            return self.keep_own(effects);
        }
        let shared = shell::BINDINGS.iter().find(|binding| self.keymap.matches(binding, chord));
        shared.map_or_else(Vec::new, |binding| self.perform(binding.action, store))
    }

    /// Text was pasted.
    pub fn paste(&mut self, text: &str, store: &Store) -> Vec<Effect> {
        if !self.pane().typing() {
            return Vec::new();
        }
        let effects = self.pane_mut().input(&Input::Paste(text.to_owned()), store);
        self.keep_own(effects)
    }

    /// The mouse did something.
    pub fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        if mouse.kind == MouseEventKind::Down(MouseButton::Left)
            && let Some(position) = self.tabs.iter().position(|tab| tab.contains(at))
            && let Some(pane) = PaneId::ALL.get(position)
        {
            self.front = *pane;
            return Vec::new();
        }
        let effects = self.pane_mut().mouse(mouse, store);
        self.keep_own(effects)
    }

    /// Lets the pane in front ask for what it is about to show. Called after events, before drawing.
    pub fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let effects = self.pane_mut().refresh(store);
        self.keep_own(effects)
    }

    /// Performs an action of the shell or of any pane.
    pub fn perform(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        let pane = match action {
            Action::Shell(action) => return self.perform_own(action),
            Action::Data(_) => PaneId::Data,
            Action::Review(_) => PaneId::Review,
            Action::Train(_) => PaneId::Train,
            Action::Chat(_) => PaneId::Chat,
            Action::Eval(_) => PaneId::Eval,
            Action::Models(_) => PaneId::Models,
        };
        self.front = pane;
        let effects = self.pane_mut().update(action, store);
        self.keep_own(effects)
    }

    fn perform_own(&mut self, action: shell::Action) -> Vec<Effect> {
        match action {
            shell::Action::Show(pane) => self.front = pane,
            shell::Action::NextPane => self.front = self.beside(1),
            shell::Action::PreviousPane => self.front = self.beside(PaneId::ALL.len() - 1),
            shell::Action::Help => {}
            shell::Action::Redraw => return vec![Effect::Redraw],
            shell::Action::Suspend => return vec![Effect::Suspend],
            shell::Action::Quit => return vec![Effect::Quit],
        }
        Vec::new()
    }

    fn beside(&self, by: usize) -> PaneId {
        let position = (self.front as usize + by) % PaneId::ALL.len();
        PaneId::ALL.get(position).copied().unwrap_or(self.front)
    }

    /// Carries out what is the studio's own among the effects; the rest is the program's.
    fn keep_own(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut outward = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Show(pane) => self.front = pane,
                Effect::Ask(_)
                | Effect::Send(_)
                | Effect::Copy(_)
                | Effect::Notify(_)
                | Effect::Redraw
                | Effect::Suspend
                | Effect::Quit => outward.push(effect),
            }
        }
        outward
    }

    fn pane(&self) -> &dyn Pane {
        self.panes[self.front as usize].as_ref()
    }

    fn pane_mut(&mut self) -> &mut dyn Pane {
        self.panes[self.front as usize].as_mut()
    }

    /// Draws the whole screen.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, store: &Store) {
        let Some(theme) = self.themes.get(self.theme) else { return };
        buffer.set_style(area, theme.base);
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            let size = format!("{}x{}; at least {}x{}", area.width, area.height, SMALLEST.0, SMALLEST.1);
            empty::draw(buffer, area, theme, "This window is too small.", &[&size]);
            return;
        }
        let view = View { store, theme, keymap: &self.keymap, focus: Focus::Here };
        self.tabs = shell::header::draw(buffer, area, view, self.front);
        self.body = Rect { y: area.y + 2, height: area.height - 3, ..area };
        let pane = &mut self.panes[self.front as usize];
        pane.draw(buffer, self.body, view);
        let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
        let available = pane
            .bindings()
            .iter()
            .filter(|binding| binding.footer == crate::ui::keymap::Footer::Shown)
            .filter(|binding| pane.available(binding.action, store));
        shell::footer::draw(buffer, footer, theme, &self.keymap, available);
    }
}
