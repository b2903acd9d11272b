//! The studio's screen as one thing: keys, clicks and text in, effects out, and a picture of the store.

mod draw;
mod quit;
mod silent;
mod tables;

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, SessionsCommand, SystemCommand};
use crate::domain::settings::Settings;
use crate::ui::action::Action;
use crate::ui::keymap::{Chord, Keymap, Typing};
use crate::ui::pane::{Effect, Input, Pane, PaneId};
use crate::ui::panes::{self, welcome};
use crate::ui::shell::overlay::{Overlay, OverlayAsk, OverlayKind, OverlayReply, Stays};
use crate::ui::shell::palette::Palette;
use crate::ui::shell::{self, jobs, log, sessions, themes};
use crate::ui::theme::{Depth, Theme};
use crate::ui::widgets::path_field::is_path;
use crate::ui::widgets::text;

use self::tables::asks_for_help;

pub use self::quit::Quitting;
pub use self::tables::tables;

/// The panes and everything around them.
pub struct Studio {
    panes: [Box<dyn Pane>; 6],
    /// In the place of the panes while no session is open.
    welcome: welcome::Welcome,
    front: PaneId,
    overlay: Option<Box<dyn Overlay>>,
    /// What the help of an overlay is of: it comes back afterwards.
    beneath: Option<Box<dyn Overlay>>,
    themes: Vec<Theme>,
    theme: usize,
    keymap: Keymap,
    /// Of the last draw, for the mouse.
    places: ClickAreas,
    room: ScreenRoom,
    quitting: Quitting,
}

/// What can be clicked around the panes.
#[derive(Default)]
struct ClickAreas {
    tabs: [Rect; 6],
    /// What goes on.
    sign: Rect,
    hints: Vec<(Rect, Chord)>,
}

/// Bytes that are pasted in one go.
const MOST_PASTED: usize = 256_000;

/// Whether the screen has room for the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScreenRoom {
    Enough,
    /// Only what can't be done blindly is done.
    TooSmall,
}

impl Studio {
    /// With these themes (at least one) and the person's keys. What could not be understood of them comes back too, a
    /// sentence each.
    pub fn new(settings: &Settings, themes: Vec<Theme>, depth: Depth) -> (Self, Vec<String>) {
        let all: Vec<_> = tables().into_iter().map(|(_, table)| table).collect();
        let (keymap, mut complaints) = Keymap::new(&all, &settings.keys);
        let named = |name: &str| themes.iter().position(|theme| theme.name.eq_ignore_ascii_case(name));
        if !settings.theme.is_empty() && named(&settings.theme).is_none() {
            complaints.push(format!(
                "settings, theme: there is no theme '{}'; f5 shows those there are",
                settings.theme
            ));
        }
        let theme = named(&settings.theme).or_else(|| named(Theme::default_name(depth))).unwrap_or(0);
        let studio = Self {
            panes: panes::all(),
            welcome: welcome::Welcome::default(),
            front: PaneId::Train,
            overlay: None,
            beneath: None,
            themes,
            theme,
            keymap,
            places: ClickAreas::default(),
            room: ScreenRoom::Enough,
            quitting: Quitting::No,
        };
        (studio, complaints)
    }

    /// The pane in front.
    pub const fn front(&self) -> PaneId {
        self.front
    }

    /// Puts a pane in front.
    pub const fn show(&mut self, pane: PaneId) {
        self.front = pane;
    }

    /// A key was pressed. A pane that comes to the front looks round at once: the next key may come before a draw.
    pub fn key(&mut self, key: KeyEvent, store: &Store) -> Vec<Effect> {
        let front = self.front;
        let mut effects = self.press(key, store);
        if self.front != front {
            effects.extend(self.refresh(store));
        }
        effects
    }

    fn press(&mut self, key: KeyEvent, store: &Store) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let chord = Chord::of(key);
        if let Some(action) = self.over_all(chord, store) {
            return self.perform(action, store);
        }
        if let Some(overlay) = shown(&mut self.overlay, self.room) {
            if asks_for_help(overlay.as_ref(), key) {
                self.explain_overlay();
                return Vec::new();
            }
            let reply = overlay.key(key, store);
            return self.answer(reply, store);
        }
        if self.room == ScreenRoom::TooSmall {
            return Vec::new();
        }
        let typing = self.typing(store);
        // Nobody who types expects Ctrl-C to end the program.
        let interrupt = typing == Typing::Yes && is_interrupt(chord);
        let key = if interrupt { KeyEvent::from(KeyCode::Esc) } else { key };
        let chord = Chord::of(key);
        let pane = self.pane(store);
        let own = pane.bindings().iter().filter(|_| typing.leaves(chord));
        let own = own.filter(|row| pane.available(row.action, store));
        if let Some(binding) = self.keymap.find(own, chord) {
            return self.perform(binding.action, store);
        }
        let shared = shell::BINDINGS.iter().filter(|row| shared(row.action, typing, chord));
        if let Some(binding) = self.keymap.find(shared, chord) {
            return self.perform(binding.action, store);
        }
        if typing == Typing::Yes {
            let effects = self.pane_mut(store).input(&Input::Key(key), store);
            return self.keep_own(effects);
        }
        self.why_silent(chord, store)
    }

    /// What a key means whatever floats above the panes, and on a screen that is too small for them: there is nothing
    /// else that could be done without seeing it.
    fn over_all(&self, chord: Chord, store: &Store) -> Option<Action> {
        let above = self.overlay.as_ref().map(|overlay| overlay.kind());
        let small = self.room == ScreenRoom::TooSmall;
        let blind = small && above.is_none_or(|kind| kind == OverlayKind::Other);
        if above.is_none() && !small {
            return None;
        }
        // Where text may be going, a character is text.
        let typing = if above.is_some() { Typing::Yes } else { self.typing(store) };
        if typing == Typing::Yes && (!chord.is_global() || is_interrupt(chord)) {
            return None;
        }
        let means = |action: shell::ShellAction| match action {
            shell::ShellAction::Quit => above != Some(OverlayKind::Question),
            shell::ShellAction::Help => blind,
            action => action.reaches_over_all(),
        };
        let row = |row: &&'static crate::ui::keymap::Binding| match row.action {
            Action::Shell(action) => means(action),
            _ => false,
        };
        self.keymap.find(shell::BINDINGS.iter().filter(row), chord).map(|binding| binding.action)
    }

    fn typing(&self, store: &Store) -> Typing {
        if self.pane(store).typing() { Typing::Yes } else { Typing::No }
    }

    /// Text was pasted. No field takes more than it can show at once: what is larger is a file's.
    pub fn paste(&mut self, pasted: &str, store: &Store) -> Vec<Effect> {
        if pasted.len() > MOST_PASTED {
            let words = format!(
                "{} were pasted, and a field takes {} at most: nothing was put in; i on Data brings a file in",
                text::bytes(pasted.len() as u64),
                text::bytes(MOST_PASTED as u64)
            );
            return vec![Effect::Notify(Notice::new(Level::Warning, words))];
        }
        if let Some(overlay) = shown(&mut self.overlay, self.room) {
            let reply = overlay.paste(pasted);
            return self.answer(reply, store);
        }
        if self.room == ScreenRoom::TooSmall {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if !self.pane(store).typing() {
            if !is_path(pasted) {
                return effects;
            }
            let Some(asked) = self.ask_for_data(store) else {
                let words = "leave what is open on Data (1) first, then paste the path again to bring it in";
                return vec![Effect::Notify(Notice::new(Level::Warning, words))];
            };
            effects = asked;
        }
        effects.extend(self.pane_mut(store).input(&Input::Paste(pasted.to_owned()), store));
        self.keep_own(effects)
    }

    /// Opens the field for a path: on the pane in front, or on Data, which brings records in wherever one is.
    fn ask_for_data(&mut self, store: &Store) -> Option<Vec<Effect>> {
        if let Some(asked) = self.pane_mut(store).ask_for_data(store) {
            return Some(asked);
        }
        // It takes in first which session is open: what was asked of another doesn't count.
        let data = self.panes[PaneId::Data as usize].as_mut();
        let mut effects = data.refresh(store);
        effects.extend(data.ask_for_data(store)?);
        self.front = PaneId::Data;
        Some(effects)
    }

    /// The mouse did something.
    pub fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        // Column or row 0 in a report, which begins at 1: it is of no place.
        if mouse.column == u16::MAX || mouse.row == u16::MAX {
            return Vec::new();
        }
        let at = Position::new(mouse.column, mouse.row);
        let clicked = mouse.kind == MouseEventKind::Down(MouseButton::Left);
        let hint = self.places.hints.iter().find(|(place, _)| place.contains(at)).map(|(_, chord)| *chord);
        if let Some(chord) = hint.filter(|_| clicked) {
            return self.key(chord.event(), store);
        }
        if let Some(overlay) = shown(&mut self.overlay, self.room) {
            let reply = overlay.mouse(mouse, store);
            return self.answer(reply, store);
        }
        if self.room == ScreenRoom::TooSmall {
            return Vec::new();
        }
        let tab =
            self.places.tabs.iter().position(|tab| tab.contains(at)).and_then(|tab| PaneId::ALL.get(tab));
        if let (true, Some(pane)) = (clicked, tab) {
            self.front = *pane;
            return self.refresh(store);
        }
        if clicked && self.places.sign.contains(at) {
            return self.perform_own(shell::ShellAction::Jobs, store);
        }
        let effects = self.pane_mut(store).mouse(mouse, store);
        self.keep_own(effects)
    }

    /// Lets the pane in front ask for what it is about to show. Called after events, before drawing.
    pub fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        self.ask_anew(store);
        let effects = self.pane_mut(store).refresh(store);
        self.keep_own(effects)
    }

    /// Performs an action of the shell or of any pane.
    pub fn perform(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        if let Action::Shell(action) = action {
            return self.perform_own(action, store);
        }
        let Some(pane) = action.pane() else {
            let effects = self.welcome.update(action, store);
            return self.keep_own(effects);
        };
        self.front = pane;
        let effects = self.panes[pane as usize].update(action, store);
        self.keep_own(effects)
    }

    fn perform_own(&mut self, action: shell::ShellAction, store: &Store) -> Vec<Effect> {
        match action {
            shell::ShellAction::Show(pane) => self.front = pane,
            shell::ShellAction::NextPane => self.front = self.beside(1),
            shell::ShellAction::PreviousPane => self.front = self.beside(PaneId::ALL.len() - 1),
            shell::ShellAction::Help => self.overlay = Some(Box::new(self.help(store))),
            shell::ShellAction::Palette => self.overlay = Some(Box::new(Palette::new(self.entries(store)))),
            shell::ShellAction::Sessions => {
                self.overlay = Some(Box::new(sessions::Picker::new()));
                // One may have been made in a shell.
                return vec![Effect::Send(Command::Sessions(SessionsCommand::List))];
            }
            shell::ShellAction::NewSession => self.overlay = Some(Box::new(sessions::Picker::naming())),
            shell::ShellAction::Jobs => self.overlay = Some(Box::new(jobs::JobsDrawer::default())),
            shell::ShellAction::Log => self.overlay = Some(Box::new(log::LogView::default())),
            shell::ShellAction::Themes => {
                self.overlay = Some(Box::new(themes::Themes::new(&self.themes, self.theme)));
            }
            shell::ShellAction::EditOutside => {
                return self.pane(store).edited_text().map(Effect::EditOutside).into_iter().collect();
            }
            shell::ShellAction::Redraw => return vec![Effect::Redraw],
            shell::ShellAction::Suspend => return vec![Effect::Suspend],
            shell::ShellAction::Quit => return self.quit(store),
        }
        Vec::new()
    }

    /// A text came back from the person's own editor.
    pub fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        let effects = self.pane_mut(store).replace_text(text, store);
        self.keep_own(effects)
    }

    /// What an overlay answered.
    fn answer(&mut self, reply: OverlayReply, store: &Store) -> Vec<Effect> {
        if reply.stays == Stays::No {
            self.overlay = self.beneath.take();
            self.quitting = Quitting::No;
        }
        let mut effects = Vec::new();
        for ask in reply.asks {
            match ask {
                OverlayAsk::Perform(action) => effects.extend(self.perform(action, store)),
                OverlayAsk::Effect(effect) => effects.extend(self.keep_own(vec![*effect])),
                OverlayAsk::Preview(theme) => self.theme = theme,
                OverlayAsk::PickTheme(theme) => {
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
        for effect in silent::say_copied(effects) {
            match effect {
                Effect::Show(pane) => self.front = pane,
                Effect::Converse { left, right } => {
                    self.front = PaneId::Chat;
                    self.panes[PaneId::Chat as usize].converse(left, right);
                }
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
}

/// What floats, unless the screen is too small for it.
fn shown(overlay: &mut Option<Box<dyn Overlay>>, room: ScreenRoom) -> Option<&mut Box<dyn Overlay>> {
    overlay.as_mut().filter(|overlay| room == ScreenRoom::Enough || overlay.kind() != OverlayKind::Other)
}

/// Whether a shared key means its action: while somebody types, only what isn't text.
fn shared(action: Action, typing: Typing, chord: Chord) -> bool {
    match (typing, action) {
        (Typing::No, _) => true,
        (Typing::Yes, Action::Shell(action)) => action.reaches_over_text() && chord.is_global(),
        (Typing::Yes, _) => false,
    }
}

/// Ctrl-C.
fn is_interrupt(chord: Chord) -> bool {
    chord == Chord::of(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))
}
