//! The session picker, and the name of a new one.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::overlay::{self, Overlay, OverlayReply};
use super::session_keys;
use crate::app::store::Store;
use crate::domain::counted::counted;
use crate::domain::name;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, SessionsCommand};
use crate::domain::session::{Begins, SessionPlace, SessionSummary};
use crate::ui::layout::centred;
use crate::ui::pane::{Confirmation, Effect, PaneId, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::{float, text};

/// Opens a row of the picker: a sample is copied first.
pub(crate) fn open(session: &SessionSummary) -> Effect {
    let command = match &session.place {
        SessionPlace::Folder(path) => SessionsCommand::Open(path.clone()),
        SessionPlace::Sample => SessionsCommand::OpenSample(session.name.clone()),
    };
    Effect::Send(Command::Sessions(command))
}

/// The column of what a session is about.
pub(crate) const ABOUT: u16 = 20;

/// One row: name, what it is about, runs.
pub(crate) fn draw_row(buffer: &mut Buffer, row: Rect, view: View<'_>, session: &SessionSummary) {
    let theme = view.theme;
    let (end, _) = text::put(buffer, row.x + 1, row.y, &session.name, 22, theme.bright);
    let tail = match (&session.place, session.runs) {
        (SessionPlace::Sample, _) => "sample".to_owned(),
        (SessionPlace::Folder(_), 0) => "no runs".to_owned(),
        (SessionPlace::Folder(_), runs) => counted(runs as u64, "run"),
    };
    let tail_x = row.right().saturating_sub(tail.len() as u16 + 1);
    buffer.set_string(tail_x, row.y, &tail, theme.dim);
    let x = (row.x + ABOUT).max(end + 2);
    let room = usize::from(tail_x.saturating_sub(x + 2));
    text::put(buffer, x, row.y, &session.about, room, theme.dim);
}

/// The picker while it is open.
pub(crate) struct Picker {
    cursor: ListCursor,
    list: Rect,
    typing: Typing,
    /// Only sessions are shown whose name or words hold this.
    filter: String,
    /// Why the name that was typed last can't be one.
    refused: Option<String>,
}

/// What the keyboard is for.
enum Typing {
    Nothing,
    Filter(TextField),
    /// The name of a new session.
    New(TextField),
    /// Another name for the session in this folder.
    Name(PathBuf, TextField),
}

impl Picker {
    pub(crate) fn new() -> Self {
        Self {
            cursor: ListCursor::default(),
            list: Rect::ZERO,
            typing: Typing::Nothing,
            filter: String::new(),
            refused: None,
        }
    }

    /// Straight to the name of a new session.
    pub(crate) fn naming() -> Self {
        Self { typing: Typing::New(TextField::new(NAME)), ..Self::new() }
    }

    fn shown<'s>(&self, store: &'s Store) -> Vec<&'s SessionSummary> {
        let wanted = self.filter.to_lowercase();
        let holds = |session: &&SessionSummary| {
            session.name.to_lowercase().contains(&wanted) || session.about.to_lowercase().contains(&wanted)
        };
        store.sessions.iter().flatten().filter(holds).collect()
    }

    fn chosen<'s>(&self, store: &'s Store) -> Option<&'s SessionSummary> {
        self.shown(store).get(self.cursor.row()).copied()
    }

    fn choose(&self, store: &Store) -> OverlayReply {
        let Some(session) = self.chosen(store) else { return OverlayReply::stay() };
        let reply = OverlayReply::close().with(open(session));
        match session.begins {
            Begins::Review => reply.with(Effect::Show(PaneId::Review)),
            Begins::Data | Begins::Train => reply,
        }
    }

    /// Whether a name can't be a session's; it stays to be mended, and why stands below it.
    fn is_refused(&mut self, name: &str, own: Option<&Path>, store: &Store) -> bool {
        let is_other = |session: &&SessionSummary| match &session.place {
            SessionPlace::Folder(folder) => own != Some(folder),
            SessionPlace::Sample => false,
        };
        let others = || store.sessions.iter().flatten().filter(is_other);
        self.refused = match name::check("session", name) {
            _ if name.is_empty() => None,
            Err(why) => Some(why),
            Ok(()) if others().any(|session| session.name == name) => {
                Some(format!("there is a session '{name}' already: esc, then ⏎ on it opens it"))
            }
            Ok(()) if is_sample(name, store) => Some(format!(
                "'{name}' is a sample: esc, then ⏎ on it copies and opens it; or take another name"
            )),
            Ok(()) => None,
        };
        self.refused.is_some()
    }

    fn key_over_text(&mut self, key: KeyEvent, store: &Store) -> OverlayReply {
        let send = |command| OverlayReply::close().with(Effect::Send(Command::Sessions(command)));
        let filtering = matches!(self.typing, Typing::Filter(_));
        if overlay::closes(key) && (key.code != KeyCode::Esc || !filtering) {
            return OverlayReply::close();
        }
        let typing = std::mem::replace(&mut self.typing, Typing::Nothing);
        self.typing = match (typing, key.code) {
            (Typing::Filter(_), KeyCode::Esc) => {
                self.filter.clear();
                Typing::Nothing
            }
            (Typing::Filter(_), KeyCode::Enter) => return self.choose(store),
            // After tab the letters are keys again, for what is left of the list.
            (Typing::Nothing, _) | (Typing::Filter(_), KeyCode::Tab) => Typing::Nothing,
            (Typing::New(field), KeyCode::Enter) if self.is_refused(field.text(), None, store) => {
                Typing::New(field)
            }
            (Typing::Name(folder, field), KeyCode::Enter)
                if self.is_refused(field.text(), Some(&folder), store) =>
            {
                Typing::Name(folder, field)
            }
            (Typing::New(field), KeyCode::Enter) if !field.text().is_empty() => {
                return send(SessionsCommand::Create(field.text().to_owned()))
                    .with(Effect::Show(PaneId::Data));
            }
            (Typing::Name(folder, field), KeyCode::Enter) if !field.text().is_empty() => {
                return send(SessionsCommand::Rename { folder, name: field.text().to_owned() });
            }
            (Typing::Filter(field), KeyCode::Down | KeyCode::Up | KeyCode::PageDown | KeyCode::PageUp) => {
                self.cursor.step(overlay::movement(key).unwrap_or_default(), self.shown(store).len());
                Typing::Filter(field)
            }
            (Typing::Filter(mut field), _) => {
                field.key(key);
                field.text().clone_into(&mut self.filter);
                self.cursor.go(0, self.shown(store).len());
                Typing::Filter(field)
            }
            (Typing::New(mut field), _) => {
                field.key(key);
                Typing::New(field)
            }
            (Typing::Name(folder, mut field), _) => {
                field.key(key);
                Typing::Name(folder, field)
            }
        };
        OverlayReply::stay()
    }

    /// The folder of the chosen session, when it can be renamed and deleted; else why not.
    fn at_rest(&self, store: &Store) -> Result<(PathBuf, SessionSummary), String> {
        let session = self.chosen(store).ok_or_else(|| "no session is chosen".to_owned())?;
        let SessionPlace::Folder(folder) = &session.place else {
            return Err(format!("{} is a sample that was not opened yet", session.name));
        };
        if store.session.as_ref().is_some_and(|open| open.path == *folder) {
            return Err(format!("{} is open: open another session first", session.name));
        }
        Ok((folder.clone(), session.clone()))
    }

    fn rename(&mut self, store: &Store) -> OverlayReply {
        match self.at_rest(store) {
            Ok((folder, session)) => {
                let mut field = TextField::new(NAME);
                field.paste(&session.name);
                self.typing = Typing::Name(folder, field);
                OverlayReply::stay()
            }
            Err(why) => refuse(why),
        }
    }

    /// Asks, and says what goes.
    fn delete(&self, store: &Store) -> OverlayReply {
        let (folder, session) = match self.at_rest(store) {
            Ok(found) => found,
            Err(why) => return refuse(why),
        };
        let runs = match session.runs {
            0 => "no run".to_owned(),
            1 => "1 run with its adapter".to_owned(),
            many => format!("{many} runs with their adapters"),
        };
        let size = text::bytes(session.bytes);
        OverlayReply::close().with(Effect::Ask(Confirmation {
            title: format!("Delete the session {}?", session.name),
            text: format!(
                "{} goes with its records, reviews, chats, recipes and {runs}: {size}. It can't be taken back.",
                folder.display()
            ),
            yes: "delete".to_owned(),
            then: vec![Effect::Send(Command::Sessions(SessionsCommand::Delete(folder)))],
        }))
    }
}

fn is_sample(name: &str, store: &Store) -> bool {
    let is_it = |session: &SessionSummary| session.place == SessionPlace::Sample && session.name == name;
    store.sessions.iter().flatten().any(is_it)
}

/// What a name may be made of.
const NAME: &str = "letters, digits, - and _";

fn refuse(why: String) -> OverlayReply {
    OverlayReply::stay().with(Effect::Notify(Notice::new(Level::Warning, why)))
}

impl Overlay for Picker {
    fn key(&mut self, key: KeyEvent, store: &Store) -> OverlayReply {
        if !matches!(self.typing, Typing::Nothing) {
            return self.key_over_text(key, store);
        }
        if key.code == KeyCode::Esc && !self.filter.is_empty() {
            self.filter.clear();
            return OverlayReply::stay();
        }
        if overlay::closes(key) || matches!(key.code, KeyCode::F(_)) {
            return OverlayReply::close();
        }
        if let Some(by) = overlay::movement(key) {
            self.cursor.step(by, self.shown(store).len());
            return OverlayReply::stay();
        }
        match (key.code, overlay::letter(key)) {
            (KeyCode::Enter, _) => return self.choose(store),
            (KeyCode::Delete, _) | (_, Some('D')) => return self.delete(store),
            (_, Some('n')) => self.typing = Self::naming().typing,
            (_, Some('/')) => {
                let mut field = TextField::new("letters of a name");
                field.paste(&self.filter);
                self.typing = Typing::Filter(field);
            }
            (_, Some('r')) => return self.rename(store),
            // Whoever types a name means the picker, not what is below it.
            _ => {}
        }
        OverlayReply::stay()
    }

    fn paste(&mut self, text: &str) -> OverlayReply {
        match &mut self.typing {
            Typing::Nothing => {}
            Typing::New(field) | Typing::Name(_, field) => field.paste(text),
            Typing::Filter(field) => {
                field.paste(text);
                field.text().clone_into(&mut self.filter);
                self.cursor = ListCursor::default();
            }
        }
        OverlayReply::stay()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> OverlayReply {
        let length = self.shown(store).len();
        match mouse.kind {
            MouseEventKind::ScrollDown => self.cursor.step(1, length),
            MouseEventKind::ScrollUp => self.cursor.step(-1, length),
            MouseEventKind::Down(MouseButton::Left) => {
                if !self.list.contains(Position::new(mouse.column, mouse.row)) {
                    return OverlayReply::close();
                }
                if let Some(row) = self.cursor.at_line(usize::from(mouse.row - self.list.y), length) {
                    self.cursor.go(row, length);
                    return self.choose(store);
                }
            }
            _ => {}
        }
        OverlayReply::stay()
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        let title = if matches!(self.typing, Typing::New(_)) { "new session" } else { "rename the session" };
        if let Typing::New(field) | Typing::Name(_, field) = &mut self.typing {
            let width = 60.min(screen.width);
            let why = self.refused.as_deref().unwrap_or_default();
            let why = text::wrap(why, usize::from(width.saturating_sub(4)));
            let why: Vec<String> = why.into_iter().filter(|line| !line.is_empty()).collect();
            let height = 5 + why.len() as u16;
            let inside = float::draw(buffer, centred(screen, width, height), theme, title);
            for (y, line) in (inside.y + 3..inside.bottom()).zip(&why) {
                let room = usize::from(inside.width.saturating_sub(2));
                text::put(buffer, inside.x + 1, y, line, room, theme.bad);
            }
            text::put(buffer, inside.x + 1, inside.y + 1, "name", 4, theme.dim);
            field.draw(
                buffer,
                Rect { x: inside.x + 7, y: inside.y + 1, width: inside.width.saturating_sub(8), height: 1 },
                theme,
            );
            return;
        }
        let all = view.store.sessions.as_ref().map_or(0, Vec::len);
        let height = (all as u16 + 4).min(screen.height.saturating_sub(2));
        let inside = float::draw(buffer, centred(screen, 96, height), theme, "sessions");
        self.list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(2), ..inside };
        let line = Rect { x: inside.x + 3, width: inside.width.saturating_sub(4), height: 1, ..inside };
        if let Typing::Filter(field) = &mut self.typing {
            text::put(buffer, inside.x + 1, inside.y, "/", 1, theme.dim);
            field.draw(buffer, line, theme);
        } else if !self.filter.is_empty() {
            let said = format!("/ {}", self.filter);
            text::put(buffer, inside.x + 1, inside.y, said, usize::from(line.width), theme.dim);
        }
        let sessions = self.shown(view.store);
        let window = self.cursor.window(sessions.len(), usize::from(self.list.height));
        for (number, y) in window.zip(self.list.y..self.list.bottom()) {
            let Some(session) = sessions.get(number) else { continue };
            let row = Rect { y, height: 1, ..self.list };
            draw_row(buffer, row, view, session);
            if number == self.cursor.row() {
                buffer.set_style(row, theme.selection);
            }
        }
    }

    fn is_typing(&self) -> bool {
        !matches!(self.typing, Typing::Nothing)
    }

    fn help(&self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        let rows = match &self.typing {
            Typing::Nothing => session_keys::ALL,
            Typing::New(_) | Typing::Name(..) | Typing::Filter(_) => self.hints(),
        };
        ("Sessions, here and now", rows)
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match &self.typing {
            Typing::New(_) => session_keys::NEW,
            Typing::Name(..) => session_keys::NAME,
            Typing::Filter(_) => session_keys::FILTER,
            Typing::Nothing if self.filter.is_empty() => session_keys::LIST,
            Typing::Nothing => session_keys::FILTERED,
        }
    }
}
