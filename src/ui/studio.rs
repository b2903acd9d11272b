//! The studio's screen as one thing: keys, clicks and text in, effects out, and a picture of the store.

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::domain::protocol::{Command, SystemCommand};
use crate::domain::settings::Settings;
use crate::ui::action::Action;
use crate::ui::keymap::{Binding, Chord, Footer, Keymap};
use crate::ui::layout::SMALLEST;
use crate::ui::pane::{Effect, Focus, Input, Pane, PaneId, Question, View};
use crate::ui::panes::{self, welcome};
use crate::ui::shell::overlay::{Ask, Overlay, Reply, Stays};
use crate::ui::shell::palette::{Entry, Now, Palette};
use crate::ui::shell::{self, help, jobs, log, sessions, themes};
use crate::ui::theme::{Depth, Theme};
use crate::ui::widgets::empty;

/// The panes and everything around them.
pub struct Studio {
    panes: [Box<dyn Pane>; 6],
    /// In the place of the panes while no session is open.
    welcome: welcome::Welcome,
    front: PaneId,
    overlay: Option<Box<dyn Overlay>>,
    themes: Vec<Theme>,
    theme: usize,
    keymap: Keymap,
    tabs: [Rect; 6],
}

impl Studio {
    /// With these themes (at least one) and the person's keys. What could not be understood of them comes back too, a
    /// sentence each.
    pub fn new(settings: &Settings, themes: Vec<Theme>, depth: Depth) -> (Self, Vec<String>) {
        let panes = panes::all();
        let own = panes.iter().map(|pane| pane.bindings());
        let tables: Vec<&'static [Binding]> = own.chain([welcome::BINDINGS, shell::BINDINGS]).collect();
        let (keymap, mut complaints) = Keymap::new(&tables, &settings.keys);
        let named = |name: &str| themes.iter().position(|theme| theme.name.eq_ignore_ascii_case(name));
        if !settings.theme.is_empty() && named(&settings.theme).is_none() {
            complaints.push(format!(
                "settings, theme: there is no theme '{}'; f5 shows those there are",
                settings.theme
            ));
        }
        let theme = named(&settings.theme).or_else(|| named(Theme::default_name(depth))).unwrap_or(0);
        let studio = Self {
            panes,
            welcome: welcome::Welcome::default(),
            front: PaneId::Train,
            overlay: None,
            themes,
            theme,
            keymap,
            tabs: [Rect::ZERO; 6],
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
        if let Some(overlay) = &mut self.overlay {
            let reply = overlay.key(key, store);
            return self.answer(reply, store);
        }
        let typing = self.pane(store).typing();
        // Nobody who types expects Ctrl-C to end the program.
        let interrupt = typing && key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL;
        let key = if interrupt { KeyEvent::from(KeyCode::Esc) } else { key };
        let chord = Chord::of(key);
        let pane = self.pane(store);
        let mut own = pane.bindings().iter().filter(|_| !(typing && chord.is_text()));
        let found = own.find(|row| self.keymap.matches(row, chord) && pane.available(row.action, store));
        if let Some(binding) = found {
            return self.perform(binding.action, store);
        }
        let reaches = |action: Action| match action {
            Action::Shell(action) => action.reaches_over_text() && chord.is_global(),
            _ => false,
        };
        let mut shared = shell::BINDINGS.iter().filter(|row| !typing || reaches(row.action));
        if let Some(binding) = shared.find(|row| self.keymap.matches(row, chord)) {
            return self.perform(binding.action, store);
        }
        if typing {
            let effects = self.pane_mut(store).input(&Input::Key(key), store);
            return self.keep_own(effects);
        }
        Vec::new()
    }

    /// Text was pasted.
    pub fn paste(&mut self, text: &str, store: &Store) -> Vec<Effect> {
        if let Some(overlay) = &mut self.overlay {
            let reply = overlay.paste(text);
            return self.answer(reply, store);
        }
        if !self.pane(store).typing() {
            return Vec::new();
        }
        let effects = self.pane_mut(store).input(&Input::Paste(text.to_owned()), store);
        self.keep_own(effects)
    }

    /// The mouse did something.
    pub fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        if let Some(overlay) = &mut self.overlay {
            let reply = overlay.mouse(mouse, store);
            return self.answer(reply, store);
        }
        let at = Position::new(mouse.column, mouse.row);
        let tab = self.tabs.iter().position(|tab| tab.contains(at)).and_then(|tab| PaneId::ALL.get(tab));
        if let (MouseEventKind::Down(MouseButton::Left), Some(pane)) = (mouse.kind, tab) {
            self.front = *pane;
            return Vec::new();
        }
        let effects = self.pane_mut(store).mouse(mouse, store);
        self.keep_own(effects)
    }

    /// Lets the pane in front ask for what it is about to show. Called after events, before drawing.
    pub fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let effects = self.pane_mut(store).refresh(store);
        self.keep_own(effects)
    }

    /// Performs an action of the shell or of any pane.
    pub fn perform(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        let pane = match action {
            Action::Shell(action) => return self.perform_own(action, store),
            Action::Welcome(_) => {
                let effects = self.welcome.update(action, store);
                return self.keep_own(effects);
            }
            Action::Data(_) => PaneId::Data,
            Action::Review(_) => PaneId::Review,
            Action::Train(_) => PaneId::Train,
            Action::Chat(_) => PaneId::Chat,
            Action::Eval(_) => PaneId::Eval,
            Action::Models(_) => PaneId::Models,
        };
        self.front = pane;
        let effects = self.panes[pane as usize].update(action, store);
        self.keep_own(effects)
    }

    fn perform_own(&mut self, action: shell::Action, store: &Store) -> Vec<Effect> {
        match action {
            shell::Action::Show(pane) => self.front = pane,
            shell::Action::NextPane => self.front = self.beside(1),
            shell::Action::PreviousPane => self.front = self.beside(PaneId::ALL.len() - 1),
            shell::Action::Help => self.overlay = Some(Box::new(self.help(store))),
            shell::Action::Palette => self.overlay = Some(Box::new(Palette::new(self.entries(store)))),
            shell::Action::Sessions => self.overlay = Some(Box::new(sessions::Picker::new())),
            shell::Action::NewSession => self.overlay = Some(Box::new(sessions::Picker::naming())),
            shell::Action::Jobs => self.overlay = Some(Box::new(jobs::JobsDrawer::default())),
            shell::Action::Log => self.overlay = Some(Box::new(log::LogView::default())),
            shell::Action::Themes => {
                self.overlay = Some(Box::new(themes::Themes::new(&self.themes, self.theme)));
            }
            shell::Action::EditOutside => {
                return self.pane(store).edited_text().map(Effect::EditOutside).into_iter().collect();
            }
            shell::Action::Redraw => return vec![Effect::Redraw],
            shell::Action::Suspend => return vec![Effect::Suspend],
            shell::Action::Quit => {
                let effect = self.quit(store);
                return self.keep_own(vec![effect]);
            }
        }
        Vec::new()
    }

    /// Ends the program, unless something typed would be lost: then it asks.
    fn quit(&self, store: &Store) -> Effect {
        let unsaved: Vec<String> = self.panes.iter().filter_map(|pane| pane.unsaved(store)).collect();
        if unsaved.is_empty() {
            return Effect::Quit;
        }
        Effect::Ask(Question {
            title: "Quit without saving?".into(),
            text: format!("Typed and not saved: {}.", unsaved.join("; ")),
            yes: "quit and lose it".into(),
            then: vec![Effect::Quit],
        })
    }

    /// A text came back from the person's own editor.
    pub fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        let effects = self.pane_mut(store).replace_text(text, store);
        self.keep_own(effects)
    }

    /// What an overlay answered.
    fn answer(&mut self, reply: Reply, store: &Store) -> Vec<Effect> {
        if reply.stays == Stays::No {
            self.overlay = None;
        }
        let mut effects = Vec::new();
        for ask in reply.asks {
            match ask {
                Ask::Perform(action) => effects.extend(self.perform(action, store)),
                Ask::Effect(effect) => effects.extend(self.keep_own(vec![effect])),
                Ask::Preview(theme) => self.theme = theme,
                Ask::PickTheme(theme) => {
                    self.theme = theme;
                    let name = self.themes.get(theme).map(|theme| theme.name.clone()).unwrap_or_default();
                    effects.push(Effect::Send(Command::System(SystemCommand::SaveTheme(name))));
                }
            }
        }
        effects
    }

    /// Carries out what is the studio's own among the effects; the rest is the program's.
    fn keep_own(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut outward = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Show(pane) => self.front = pane,
                Effect::Ask(question) => self.overlay = Some(Box::new(question)),
                Effect::Send(_)
                | Effect::Copy(_)
                | Effect::Notify(_)
                | Effect::EditOutside(_)
                | Effect::Redraw
                | Effect::Suspend
                | Effect::Quit => outward.push(effect),
            }
        }
        outward
    }

    /// The tables of all panes with their titles, the one in front first, then the shell's.
    fn tables(&self, store: &Store) -> Vec<(&'static str, &'static [Binding])> {
        if store.session.is_none() {
            return vec![("Welcome", welcome::BINDINGS), ("Everywhere", shell::BINDINGS)];
        }
        let mut ids = PaneId::ALL.to_vec();
        ids.sort_by_key(|pane| *pane != self.front);
        let own = ids.into_iter().map(|pane| (pane.title(), self.panes[pane as usize].bindings()));
        own.chain([("Everywhere", shell::BINDINGS)]).collect()
    }

    /// The keys of the pane in front, those of everywhere, then the other panes'.
    fn help(&self, store: &Store) -> help::Help {
        let mut tables = self.tables(store);
        if let Some(everywhere) = tables.pop() {
            tables.insert(1.min(tables.len()), everywhere);
        }
        help::Help::new(&tables, &self.keymap)
    }

    fn entries(&self, store: &Store) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (title, bindings) in self.tables(store) {
            entries.extend(bindings.iter().map(|binding| Entry {
                pane: title,
                help: binding.help,
                keys: self.keymap.hint(binding).to_owned(),
                action: binding.action,
                now: if self.available(binding.action, store) { Now::Yes } else { Now::No },
            }));
        }
        entries
    }

    fn available(&self, action: Action, store: &Store) -> bool {
        let pane = match action {
            Action::Shell(_) => return true,
            Action::Welcome(_) => return self.welcome.available(action, store),
            Action::Data(_) => PaneId::Data,
            Action::Review(_) => PaneId::Review,
            Action::Train(_) => PaneId::Train,
            Action::Chat(_) => PaneId::Chat,
            Action::Eval(_) => PaneId::Eval,
            Action::Models(_) => PaneId::Models,
        };
        self.panes[pane as usize].available(action, store)
    }

    fn beside(&self, by: usize) -> PaneId {
        let position = (self.front as usize + by) % PaneId::ALL.len();
        PaneId::ALL.get(position).copied().unwrap_or(self.front)
    }

    fn pane(&self, store: &Store) -> &dyn Pane {
        if store.session.is_none() { &self.welcome } else { self.panes[self.front as usize].as_ref() }
    }

    fn pane_mut(&mut self, store: &Store) -> &mut dyn Pane {
        if store.session.is_none() { &mut self.welcome } else { self.panes[self.front as usize].as_mut() }
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
        let focus = if self.overlay.is_some() { Focus::Elsewhere } else { Focus::Here };
        let view = View { store, theme, keymap: &self.keymap, focus };
        let front = store.session.as_ref().map(|_| self.front);
        self.tabs = shell::header::draw(buffer, area, view, front);
        let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
        let pane: &mut dyn Pane =
            if front.is_none() { &mut self.welcome } else { self.panes[self.front as usize].as_mut() };
        pane.draw(buffer, body, view);
        let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
        shell::toasts::draw(buffer, area, view);
        if let Some(overlay) = &mut self.overlay {
            overlay.draw(buffer, area, view);
            shell::footer::draw(buffer, footer, theme, overlay.hints().iter().copied(), &[]);
        } else {
            let shown = pane.bindings().iter().filter(|binding| binding.footer == Footer::Shown);
            let now = shown.filter(|binding| pane.available(binding.action, store));
            let hints = now.map(|binding| (self.keymap.hint(binding), binding.label));
            shell::footer::draw(buffer, footer, theme, hints, shell::footer::ALWAYS);
        }
    }
}
