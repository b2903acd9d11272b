//! The first screen: what this is, a sample to open, what will be downloaded, where files go. Stands in for the panes
//! while no session is open.

use std::ops::Range;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::domain::protocol::data::LOOK_UP;
use crate::domain::protocol::{Command, SessionsCommand};
use crate::domain::session::{Begins, Download, SessionPlace, SessionSummary};
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Input, Pane, PaneId, View};
use crate::ui::shell::sessions;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::path_field::{PathField, PathWanted};
use crate::ui::widgets::{progress, text};

/// What the welcome can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WelcomeAction {
    /// A session that begins with training.
    Open,
    /// Any other row.
    Look,
    /// The file whose path was typed.
    LookInto,
    Down,
    Up,
    /// Ask for the path of one's own data.
    Bring,
    Complete,
    Cancel,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: WelcomeAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Welcome(action))
}

pub(crate) const BINDINGS: &[Binding] = &[
    bind("welcome.open", &["enter"], "open and train", "Open the chosen session", WelcomeAction::Open),
    bind("welcome.look", &["enter"], "open", "Open the chosen row", WelcomeAction::Look),
    bind(
        "welcome.file",
        &["enter"],
        "look into it",
        "Look into what the path names",
        WelcomeAction::LookInto,
    ),
    bind("welcome.bring", &["i"], "own data", "Make a session of a file of one's own", WelcomeAction::Bring),
    bind("welcome.complete", &["tab"], "complete", "Complete the path", WelcomeAction::Complete),
    bind("welcome.cancel", &["esc"], "back", "Back to the list", WelcomeAction::Cancel),
    bind("welcome.down", &["down", "j"], "down", "Choose the session below", WelcomeAction::Down).hidden(),
    bind("welcome.up", &["up", "k"], "up", "Choose the session above", WelcomeAction::Up).hidden(),
];

const WORDS: &str = "Turn a small language model into a specialist that reasons in your own style, on this machine: \
    curate records, correct its thoughts, train, watch, chat. Nothing leaves the machine unless you connect a teacher.";

const FEW_WORDS: &str = "Tune a small language model, on this machine.";

/// The cursor of the list.
#[derive(Debug, Default)]
pub(crate) struct Welcome {
    cursor: ListCursor,
    list: Rect,
    /// Where the row of one's own data stays in sight although the list goes on.
    own: Rect,
    /// The path of one's own data, while it is being typed.
    path: Option<PathField>,
}

/// The row after the sessions: one's own data.
const OWN: &str = "bring your data";

/// Rows of the list.
fn rows(store: &Store) -> usize {
    store.sessions.as_ref().map_or(0, Vec::len) + 1
}

impl Welcome {
    fn bring(&mut self) -> Vec<Effect> {
        let (field, ask) = PathField::asking("", PathWanted::Records);
        self.path = Some(field);
        vec![ask]
    }

    /// Whether the row's session begins with training.
    fn trains(&self, store: &Store) -> bool {
        let sessions = store.sessions.as_deref().unwrap_or_default();
        sessions.get(self.cursor.row()).is_some_and(|session| session.begins == Begins::Train)
    }

    /// The session of the row, or a new one for the path.
    fn open(&mut self, store: &Store) -> Vec<Effect> {
        if let Some(field) = &self.path {
            let create = SessionsCommand::CreateFor(field.path().into());
            return vec![Effect::Send(Command::Sessions(create)), Effect::Show(PaneId::Data)];
        }
        let sessions = store.sessions.as_deref().unwrap_or_default();
        let Some(session) = sessions.get(self.cursor.row()) else { return self.bring() };
        vec![sessions::open(session), Effect::Show(PaneId::of(session.begins))]
    }
}

impl Pane for Welcome {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Welcome(action) = action else { return false };
        match (action, &self.path) {
            (WelcomeAction::LookInto, Some(field)) => {
                !field.text().trim().is_empty() && store.jobs.named(LOOK_UP).is_none()
            }
            (WelcomeAction::Open, None) => self.trains(store),
            (WelcomeAction::Look, None) => !self.trains(store),
            (WelcomeAction::Bring | WelcomeAction::Down | WelcomeAction::Up, None)
            | (WelcomeAction::Complete | WelcomeAction::Cancel, Some(_)) => true,
            (
                WelcomeAction::Open
                | WelcomeAction::Look
                | WelcomeAction::Bring
                | WelcomeAction::Down
                | WelcomeAction::Up,
                Some(_),
            )
            | (WelcomeAction::LookInto | WelcomeAction::Complete | WelcomeAction::Cancel, None) => false,
        }
    }

    fn typing(&self) -> bool {
        self.path.is_some()
    }

    fn ask_for_data(&mut self, _store: &Store) -> Option<Vec<Effect>> {
        Some(self.bring())
    }

    fn input(&mut self, input: &Input, _store: &Store) -> Vec<Effect> {
        self.path.as_mut().map_or_else(Vec::new, |field| field.input(input))
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Welcome(action) = action else { return Vec::new() };
        let length = rows(store);
        match action {
            WelcomeAction::Open | WelcomeAction::Look | WelcomeAction::LookInto => return self.open(store),
            WelcomeAction::Bring => return self.bring(),
            WelcomeAction::Complete => {
                return self.path.as_mut().map_or_else(Vec::new, |field| field.complete(store));
            }
            WelcomeAction::Cancel => self.path = None,
            WelcomeAction::Down => self.cursor.step(1, length),
            WelcomeAction::Up => self.cursor.step(-1, length),
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let length = rows(store);
        if mouse.kind == MouseEventKind::Down(MouseButton::Left)
            && self.own.contains(Position::new(mouse.column, mouse.row))
        {
            return self.bring();
        }
        let inside = self.list.contains(Position::new(mouse.column, mouse.row));
        if mouse.kind == MouseEventKind::Down(MouseButton::Left)
            && inside
            && let Some(row) = self.cursor.at_line(usize::from(mouse.row - self.list.y), length)
        {
            let again = row == self.cursor.row();
            self.cursor.go(row, length);
            return if again { self.open(store) } else { Vec::new() };
        }
        Vec::new()
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let width = area.width.saturating_sub(4).min(92);
        let x = area.x + (area.width - width) / 2;
        let mut y = area.y + area.height.saturating_sub(22) / 3;
        let mut write = |y: u16, line: &str, style| {
            if y < area.bottom() {
                text::put(buffer, x, y, line, usize::from(width), style);
            }
        };
        let short = area.height < 20;
        if !short {
            write(y, "Dojo", theme.accent);
            y += 2;
        }
        for line in text::wrap(if short { FEW_WORDS } else { WORDS }, usize::from(width)) {
            write(y, &line, theme.text);
            y += 1;
        }
        let sessions = view.store.sessions.as_deref().unwrap_or_default();
        let own = sessions.iter().any(|session| session.place != SessionPlace::Sample);
        let title = match (&self.path, own) {
            (Some(_), _) => "The file with your data",
            (None, true) => "Open a session",
            (None, false) => "Start with a sample or your own data",
        };
        write(y + 1, title, theme.bright);
        let title_row = Rect { x, y: y + 1, width, height: 1 };
        y += if short { 2 } else { 3 };
        let room = area.bottom().saturating_sub(y + 6).max(3);
        if let Some(field) = &self.path {
            let line =
                Rect { x: x + 1, y, width: width.saturating_sub(2), height: area.bottom().saturating_sub(y) };
            field.draw(buffer, line, view);
            if let Some(row) = view.store.jobs.named(LOOK_UP).filter(|_| line.height > 2) {
                let line = Rect { y: line.y + 2, height: 1, ..line };
                progress::draw(buffer, line, row, view.store.now, view.theme);
            }
            return;
        }
        let count = rows(view.store);
        let rows = (count as u16).min(room);
        self.list = Rect { x, y, width, height: rows.min(area.bottom().saturating_sub(y)) };
        let shown = self.draw_list(buffer, (count, usize::from(rows)), area.bottom(), view);
        if usize::from(rows) < count {
            let words = format!("{}–{} of {}", shown.start + 1, shown.end.min(count - 1), count - 1);
            let x = title_row.right().saturating_sub(text::width(&words) as u16 + 1);
            text::put(buffer, x, title_row.y, words, usize::from(width), theme.dim);
        }
        let below = Rect {
            x,
            y: (y + rows + 1).min(area.bottom()),
            width,
            height: area.bottom().saturating_sub(y + rows + 1),
        };
        if let Some(session) = sessions.get(self.cursor.row()) {
            draw_costs(buffer, below, view, session);
        }
    }
}

impl Welcome {
    /// The sessions that have room, and one's own data. Returns which rows these are.
    fn draw_list(
        &mut self,
        buffer: &mut Buffer,
        (count, rows): (usize, usize),
        bottom: u16,
        view: View<'_>,
    ) -> Range<usize> {
        let sessions = view.store.sessions.as_deref().unwrap_or_default();
        // It is what a newcomer looks for: it stays below a list that is too long.
        let pinned = usize::from(rows < count);
        let window = self.cursor.window(count, rows - pinned);
        self.own = Rect { y: self.list.y + rows.saturating_sub(1) as u16, height: 1, ..self.list };
        if pinned == 0 || window.end == count || self.own.y >= bottom {
            self.own = Rect::ZERO;
        } else {
            draw_own(buffer, self.own, view);
        }
        for (number, y) in window.clone().zip(self.list.y..bottom) {
            let row = Rect { y, height: 1, ..self.list };
            match sessions.get(number) {
                Some(session) => sessions::draw_row(buffer, row, view, session),
                None => draw_own(buffer, row, view),
            }
            if number == self.cursor.row() {
                buffer.set_style(row, view.theme.selection);
            }
        }
        window
    }
}

fn draw_own(buffer: &mut Buffer, row: Rect, view: View<'_>) {
    let (end, _) = text::put(buffer, row.x + 1, row.y, OWN, usize::from(row.width), view.theme.bright);
    let words = "JSONL, JSON, CSV, Parquet, text; a file or a folder";
    // Below what the sessions are about.
    let x = (row.x + sessions::ABOUT).max(end + 2);
    let room = usize::from(row.right().saturating_sub(x + 1));
    text::put(buffer, x, row.y, words, room, view.theme.dim);
}

/// What opening it copies, what training downloads, where both go. Where there is little room, the closer words.
fn draw_costs(buffer: &mut Buffer, area: Rect, view: View<'_>, session: &SessionSummary) {
    let theme = view.theme;
    let columns = usize::from(area.width.saturating_sub(12));
    let rows = usize::from(area.height);
    let wrapped = |(word, line): &(&'static str, String)| {
        let lines = text::wrap(line, columns).into_iter().enumerate();
        lines.map(|(at, line)| (if at == 0 { *word } else { "" }, line)).collect::<Vec<_>>()
    };
    let about = wrapped(&("about", session.about.clone()));
    let lay = |words: SessionWords| costs(view, session, words).iter().flat_map(wrapped).collect::<Vec<_>>();
    let (whole, close) = (lay(SessionWords::Whole), lay(SessionWords::Close));
    let rest = if about.len().min(ABOUT) + whole.len() <= rows { whole } else { close };
    let room = rows.saturating_sub(rest.len()).clamp(1, ABOUT);
    let cut = about.len() > room;
    let mut lines: Vec<(&str, String)> = about.into_iter().take(room).collect();
    if let Some((_, last)) = lines.last_mut().filter(|_| cut) {
        *last = text::shorten(&format!("{last} …"), columns);
    }
    lines.extend(rest);
    for ((word, line), y) in lines.iter().zip(area.y..area.bottom()) {
        text::put(buffer, area.x + 1, y, word, 10, theme.dim);
        text::put(buffer, area.x + 12, y, line, columns, theme.text);
    }
}

/// Rows of what a session is about.
const ABOUT: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionWords {
    Whole,
    /// Without the folders.
    Close,
}

fn costs(view: View<'_>, session: &SessionSummary, words: SessionWords) -> Vec<(&'static str, String)> {
    let places = &view.store.places;
    let whole = words == SessionWords::Whole;
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    if session.place == SessionPlace::Sample {
        let to = places.sessions.join(&session.name);
        let to = if whole { format!(" to {}", to.display()) } else { " to your sessions".to_owned() };
        lines.push(("copies", format!("{}{to}", text::bytes(session.bytes))));
    }
    match &session.download {
        Download::Nothing => {}
        Download::Here(model) => lines.push(("model", format!("{model}, on this machine already"))),
        Download::Needed { model, bytes } => {
            let size = bytes.map_or_else(String::new, |bytes| format!(", {}", text::bytes(bytes)));
            let to = if whole { format!(", to {}", places.models.display()) } else { String::new() };
            lines.push(("downloads", format!("{model}{size}, when training starts{to}")));
        }
    }
    let then = match (session.begins, whole) {
        (Begins::Data, true) => "⏎ opens it on the Data pane, which brings records in",
        (Begins::Data, false) => "⏎ opens Data, which brings records in",
        (Begins::Review, true) => {
            "⏎ opens it on the Review pane, with corrections that wait for your verdict"
        }
        (Begins::Review, false) => "⏎ opens Review, with corrections to decide",
        (Begins::Train, true) => "⏎ opens it on the Train pane, where the same key starts the run",
        (Begins::Train, false) => "⏎ opens Train, where ⏎ starts the run",
    };
    lines.push(("then", then.to_owned()));
    lines
}
