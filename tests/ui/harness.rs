//! A studio without a terminal: keys in, effects and a screen out.
//!
//! ```ignore
//! let mut studio = Harness::new().size(120, 36).with(Event::Sessions(...));
//! assert_eq!(studio.keys("3 <down> <enter>"), [Effect::Send(...)]);
//! insta::assert_snapshot!(studio.screen());
//! ```

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dojo_studio::app::store::Store;
use dojo_studio::domain::protocol::system::Machine;
use dojo_studio::domain::protocol::{Event, SessionsEvent, SystemEvent};
use dojo_studio::domain::session::{SessionFile, SessionInfo};
use dojo_studio::domain::settings::Settings;
use dojo_studio::ui::keymap::Chord;
use dojo_studio::ui::pane::Effect;
use dojo_studio::ui::studio::Studio;
use dojo_studio::ui::theme::{Depth, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// 2026-01-05 12:00:00 UTC: what the clock of every test says.
pub(crate) const NOON: f64 = 1_767_614_400.0;

/// A studio, its store, and a screen of some size.
pub(crate) struct Harness {
    pub(crate) studio: Studio,
    pub(crate) store: Store,
    terminal: Terminal<TestBackend>,
    /// Where the terminal's own cursor was last asked for.
    caret: Option<Position>,
}

impl Harness {
    /// With a session called `first-principles`, at noon, at 120x36, in the theme Night.
    pub(crate) fn new() -> Self {
        Self::empty().with(Event::Sessions(SessionsEvent::Opened(SessionInfo {
            name: "first-principles".into(),
            path: "sessions/first-principles".into(),
            file: SessionFile {
                title: "First principles".into(),
                model: "smollm2-135m".into(),
                ..SessionFile::default()
            },
        })))
    }

    /// Without a session: the first start.
    pub(crate) fn empty() -> Self {
        Self::with_settings(&Settings::default())
    }

    pub(crate) fn with_settings(settings: &Settings) -> Self {
        let (studio, complaints) = Studio::new(settings, Theme::shipped(Depth::Full), Depth::Full);
        assert_eq!(complaints, Vec::<String>::new());
        let machine = Machine {
            device: "cpu".into(),
            memory_used_bytes: 1_200_000_000,
            memory_total_bytes: 24_000_000_000,
        };
        let terminal = Terminal::new(TestBackend::new(120, 36)).expect("a terminal in memory");
        Self { studio, store: Store::default(), terminal, caret: None }
            .with(Event::System(SystemEvent::ClockTicked(NOON)))
            .with(Event::System(SystemEvent::MachineRead(machine)))
    }

    /// A screen of this size.
    pub(crate) fn size(mut self, columns: u16, rows: u16) -> Self {
        self.resize(columns, rows);
        self
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.terminal.backend_mut().resize(columns, rows);
        self.terminal.resize(Rect::new(0, 0, columns, rows)).expect("resize in memory");
        self.paint();
    }

    /// Something has happened.
    pub(crate) fn with(mut self, event: Event) -> Self {
        self.apply(event);
        self
    }

    pub(crate) fn apply(&mut self, event: Event) {
        self.store.apply(event);
    }

    /// Keys as settings write them, parted by spaces: `"3 down ctrl-p x"`; `<enter>` works too. Returns all effects
    /// of all keys, those of `refresh` included. Draws between keys, as the program does.
    pub(crate) fn keys(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in keys.split_whitespace() {
            let name = key.strip_prefix('<').and_then(|key| key.strip_suffix('>')).unwrap_or(key);
            let chord = Chord::parse(name).expect("a key's name");
            effects.extend(self.press(chord.event()));
        }
        effects
    }

    /// Presses one key.
    pub(crate) fn press(&mut self, key: KeyEvent) -> Vec<Effect> {
        let mut effects = self.studio.key(key, &self.store);
        effects.extend(self.draw());
        effects
    }

    /// Types a text, a character at a time, spaces included.
    pub(crate) fn text(&mut self, text: &str) -> Vec<Effect> {
        text.chars().flat_map(|character| self.press(KeyEvent::from(KeyCode::Char(character)))).collect()
    }

    pub(crate) fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.studio.paste(text, &self.store)
    }

    /// A left click.
    pub(crate) fn click(&mut self, column: u16, row: u16) -> Vec<Effect> {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    /// Any mouse event; the screen is drawn before it, so that there is something to hit.
    pub(crate) fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
        let mut effects = self.draw();
        let mouse = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        effects.extend(self.studio.mouse(mouse, &self.store));
        effects
    }

    /// What the screen shows, as text; the ends of lines are trimmed.
    pub(crate) fn screen(&mut self) -> String {
        self.draw();
        let buffer = self.buffer();
        let width = usize::from(buffer.area.width);
        let rows = buffer.content.chunks(width).map(|row| {
            // A wide character leaves an empty cell behind it.
            let mut line = String::new();
            let mut skip = 0;
            for cell in row {
                if skip == 0 {
                    line.push_str(cell.symbol());
                    skip = ratatui::text::Span::raw(cell.symbol()).width().saturating_sub(1);
                } else {
                    skip -= 1;
                }
            }
            line.trim_end().to_owned()
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    /// The screen's cells, with styles, as last drawn.
    pub(crate) fn buffer(&self) -> &Buffer {
        self.terminal.backend().buffer()
    }

    /// The character at the caret; `None` while nothing is typed.
    pub(crate) fn at_caret(&mut self) -> Option<String> {
        self.draw();
        self.caret.map(|at| self.buffer()[at].symbol().to_owned())
    }

    /// A row of the screen.
    pub(crate) fn line(&mut self, row: usize) -> String {
        self.screen().lines().nth(row).unwrap_or_default().to_owned()
    }

    /// Where a text stands on the screen: column and row.
    pub(crate) fn find(&mut self, text: &str) -> Option<(u16, u16)> {
        self.screen().lines().enumerate().find_map(|(row, line)| {
            let before = line.split_once(text)?.0;
            Some((ratatui::text::Span::raw(before).width() as u16, row as u16))
        })
    }

    pub(crate) fn draw(&mut self) -> Vec<Effect> {
        let effects = self.studio.refresh(&self.store);
        self.paint();
        effects
    }

    fn paint(&mut self) {
        let (studio, store, caret) = (&mut self.studio, &self.store, &mut self.caret);
        self.terminal
            .draw(|frame| {
                let area = frame.area();
                *caret = studio.draw(frame.buffer_mut(), area, store);
            })
            .expect("draw in memory");
    }
}
