//! The whole screen: header, notices, the pane in front, what floats, footer.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::{ClickAreas, ScreenRoom, Studio};
use crate::app::store::Store;
use crate::ui::action::Action;
use crate::ui::caret;
use crate::ui::keymap::{Footer, Typing};
use crate::ui::layout::SMALLEST;
use crate::ui::pane::{Focus, Pane, View};
use crate::ui::shell::footer::{self, Hint};
use crate::ui::shell::overlay::OverlayKind;
use crate::ui::shell::{self, header, notices};
use crate::ui::verbs;
use crate::ui::widgets::{empty, visible};

/// Help and questions are drawn on any screen of this size.
const LEAST: (u16, u16) = (24, 8);

impl Studio {
    /// Draws the whole screen. Returns where the caret is, if something is being typed.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, store: &Store) -> Option<Position> {
        let enough = area.width >= SMALLEST.0 && area.height >= SMALLEST.1;
        self.room = if enough { ScreenRoom::Enough } else { ScreenRoom::TooSmall };
        buffer.set_style(area, self.themes.get(self.theme)?.base);
        let at = match self.room {
            ScreenRoom::Enough => self.draw_all(buffer, area, store),
            ScreenRoom::TooSmall => self.draw_small(buffer, area, store),
        };
        visible::seal(buffer);
        at
    }

    fn draw_all(&mut self, buffer: &mut Buffer, area: Rect, store: &Store) -> Option<Position> {
        let hints = self.hints(store);
        let theme = self.themes.get(self.theme)?;
        let focus = if self.overlay.is_some() { Focus::Elsewhere } else { Focus::Here };
        let view = View { store, theme, keymap: &self.keymap, focus };
        let front = store.session.as_ref().map(|_| self.front);
        let header = header::draw(buffer, area, view, front);
        let said = notices::lay_out(store.notices.toasts(), area.width);
        let top = 2 + said.more();
        said.draw(buffer, Rect { y: area.y + 1, height: top - 1, ..area }, view);
        let body = Rect { y: area.y + top, height: area.height - top - 1, ..area };
        let pane: &mut dyn Pane =
            if front.is_none() { &mut self.welcome } else { self.panes[self.front as usize].as_mut() };
        pane.draw(buffer, body, view);
        let mut at = caret::take(buffer, body);
        if let Some(overlay) = &mut self.overlay {
            overlay.draw(buffer, Rect { height: body.height + 1, ..body }, view);
            at = caret::take(buffer, area);
        }
        let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
        let hints = footer::draw(buffer, footer, theme, &hints.0, &hints.1);
        self.places = ClickAreas { tabs: header.tabs, sign: header.sign, hints };
        at
    }

    /// Why nothing is drawn, and what can be done.
    fn draw_small(&mut self, buffer: &mut Buffer, area: Rect, store: &Store) -> Option<Position> {
        self.places = ClickAreas::default();
        let theme = self.themes.get(self.theme)?;
        let size = format!("{}x{}; at least {}x{}", area.width, area.height, SMALLEST.0, SMALLEST.1);
        let keys = [shell::ShellAction::Quit, shell::ShellAction::Help].map(|action| self.global_key(action));
        let keys = format!("{} quits, {} shows the keys", keys[0], keys[1]);
        empty::draw(buffer, area, theme, "This window is too small.", &[&size, "", &keys]);
        let view = View { store, theme, keymap: &self.keymap, focus: Focus::Elsewhere };
        let overlay = self.overlay.as_mut().filter(|overlay| overlay.kind() != OverlayKind::Other)?;
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        overlay.draw(buffer, area, view);
        caret::take(buffer, area)
    }

    /// The key of an action that works whatever is being typed.
    fn global_key(&self, action: shell::ShellAction) -> String {
        let row = shell::BINDINGS.iter().find(|row| row.action == Action::Shell(action));
        row.and_then(|row| self.keymap.chords(row).iter().find(|chord| chord.is_global()))
            .map_or_else(|| "–".to_owned(), ToString::to_string)
    }

    /// The footer: the keys that work now, and those that always do.
    fn hints(&self, store: &Store) -> (Vec<Hint>, Vec<Hint>) {
        if let Some(overlay) = &self.overlay {
            let hints = overlay.hints().iter().map(|(keys, label)| Hint::new((*keys).to_owned(), label, 0));
            return (hints.collect(), Vec::new());
        }
        let (pane, typing) = (self.pane(store), self.typing(store));
        let shown = pane
            .bindings()
            .iter()
            .filter(|binding| binding.footer == Footer::Shown || pane.leads_on(binding.action, store));
        let now = shown.filter(|binding| pane.offered(binding.action, store));
        let hint = |binding: &crate::ui::keymap::Binding| {
            let keys = self.keymap.first(binding, typing)?.to_string();
            Some(Hint::new(keys, binding.label, verbs::rank(binding.name)))
        };
        let always = [(shell::ShellAction::Help, "help"), (shell::ShellAction::Palette, "commands")].map(
            |(action, label)| {
                let keys = match typing {
                    Typing::Yes => self.global_key(action),
                    Typing::No => self.key_of(action),
                };
                Hint::new(keys, label, 0)
            },
        );
        (now.filter_map(hint).collect(), always.into())
    }

    fn key_of(&self, action: shell::ShellAction) -> String {
        let row = shell::BINDINGS.iter().find(|row| row.action == Action::Shell(action));
        row.map(|row| self.keymap.hint(row)).unwrap_or_default()
    }
}
