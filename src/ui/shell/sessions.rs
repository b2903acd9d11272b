//! The session picker, and the name of a new one.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::overlay::{Ask, Overlay, Reply};
use crate::app::store::Store;
use crate::domain::protocol::{Command, SessionsCommand};
use crate::domain::session::{SessionPlace, SessionSummary};
use crate::ui::layout::centred;
use crate::ui::pane::{Effect, PaneId, View};
use crate::ui::widgets::cursor::Cursor;
use crate::ui::widgets::field::Field;
use crate::ui::widgets::{float, text};

/// Opens a row of the picker: a sample is copied first.
pub(crate) fn open(session: &SessionSummary) -> Effect {
    let command = match &session.place {
        SessionPlace::Folder(path) => SessionsCommand::Open(path.clone()),
        SessionPlace::Sample => SessionsCommand::OpenSample(session.name.clone()),
    };
    Effect::Send(Command::Sessions(command))
}

/// One row: name, what it is about, runs.
pub(crate) fn draw_row(buffer: &mut Buffer, row: Rect, view: View<'_>, session: &SessionSummary) {
    let theme = view.theme;
    let (end, _) = buffer.set_stringn(row.x + 1, row.y, text::shorten(&session.name, 22), 22, theme.bright);
    let tail = match (&session.place, session.runs) {
        (SessionPlace::Sample, _) => "sample".to_owned(),
        (SessionPlace::Folder(_), 0) => "no runs".to_owned(),
        (SessionPlace::Folder(_), 1) => "1 run".to_owned(),
        (SessionPlace::Folder(_), runs) => format!("{runs} runs"),
    };
    let tail_x = row.right().saturating_sub(tail.len() as u16 + 1);
    buffer.set_string(tail_x, row.y, &tail, theme.dim);
    let x = (row.x + 20).max(end + 2);
    let room = usize::from(tail_x.saturating_sub(x + 2));
    buffer.set_stringn(x, row.y, text::shorten(&session.about, room), room, theme.dim);
}

/// The picker while it is open.
pub(crate) struct Picker {
    cursor: Cursor,
    list: Rect,
    /// The name of a new session, while it is being typed.
    naming: Option<Field>,
}

impl Picker {
    pub(crate) fn new() -> Self {
        Self { cursor: Cursor::default(), list: Rect::ZERO, naming: None }
    }

    /// Straight to the name of a new session.
    pub(crate) fn naming() -> Self {
        Self { naming: Some(Field::new("letters, digits, - and _")), ..Self::new() }
    }

    fn choose(&self, store: &Store) -> Reply {
        let sessions = store.sessions.as_deref().unwrap_or_default();
        sessions
            .get(self.cursor.row())
            .map_or_else(Reply::stay, |session| Reply::close().and(Ask::Effect(open(session))))
    }

    fn name_key(key: KeyEvent, field: &mut Field) -> Reply {
        match key.code {
            KeyCode::Esc => Reply::close(),
            KeyCode::Enter if !field.text().is_empty() => {
                let create = SessionsCommand::Create(field.text().to_owned());
                Reply::close()
                    .and(Ask::Effect(Effect::Send(Command::Sessions(create))))
                    .and(Ask::Effect(Effect::Show(PaneId::Train)))
            }
            _ => {
                field.key(key);
                Reply::stay()
            }
        }
    }
}

impl Overlay for Picker {
    fn key(&mut self, key: KeyEvent, store: &Store) -> Reply {
        if let Some(field) = &mut self.naming {
            return Self::name_key(key, field);
        }
        let length = store.sessions.as_ref().map_or(0, Vec::len);
        match key.code {
            KeyCode::Down | KeyCode::Tab | KeyCode::Char('j') => self.cursor.step(1, length),
            KeyCode::Up | KeyCode::BackTab | KeyCode::Char('k') => self.cursor.step(-1, length),
            KeyCode::Enter => return self.choose(store),
            KeyCode::Char('n') => self.naming = Self::naming().naming,
            _ => return Reply::close(),
        }
        Reply::stay()
    }

    fn paste(&mut self, text: &str) -> Reply {
        if let Some(field) = &mut self.naming {
            field.paste(text);
        }
        Reply::stay()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Reply {
        let length = store.sessions.as_ref().map_or(0, Vec::len);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.cursor.step(1, length),
            MouseEventKind::ScrollUp => self.cursor.step(-1, length),
            MouseEventKind::Down(MouseButton::Left) => {
                if !self.list.contains(Position::new(mouse.column, mouse.row)) {
                    return Reply::close();
                }
                if let Some(row) = self.cursor.at_line(usize::from(mouse.row - self.list.y), length) {
                    self.cursor.go(row, length);
                    return self.choose(store);
                }
            }
            _ => {}
        }
        Reply::stay()
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        if let Some(field) = &mut self.naming {
            let inside = float::draw(buffer, centred(screen, 60, 5), theme, "new session");
            buffer.set_stringn(inside.x + 1, inside.y + 1, "name", 4, theme.dim);
            field.draw(
                buffer,
                Rect { x: inside.x + 7, y: inside.y + 1, width: inside.width.saturating_sub(8), height: 1 },
                theme,
            );
            return;
        }
        let sessions = view.store.sessions.as_deref().unwrap_or_default();
        let height = (sessions.len() as u16 + 4).min(screen.height.saturating_sub(2));
        let inside = float::draw(buffer, centred(screen, 96, height), theme, "sessions");
        self.list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(2), ..inside };
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

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        if self.naming.is_some() {
            &[("⏎", "make it"), ("esc", "close")]
        } else {
            &[("↑↓", "choose"), ("⏎", "open"), ("n", "new"), ("esc", "close")]
        }
    }
}
