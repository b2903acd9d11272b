//! The jobs drawer: what takes a while, how far it is, and how to stop it.

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::ongoing::{self, Named, Ongoing};
use super::overlay::{self, Overlay, OverlayReply};
use crate::app::store::{JobRow, Store};
use crate::domain::protocol::system::{JobEnd, Level, Notice};
use crate::domain::run::{RunState, Standing};
use crate::domain::run_info::RunInfo;
use crate::ui::pane::{Effect, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::{float, gauge, progress, text};

/// The drawer while it is open: runs on top, then the newest job.
#[derive(Default)]
pub(crate) struct JobsDrawer {
    cursor: ListCursor,
    /// What is under the cursor: rows that come above it don't move it.
    chosen: Option<Named>,
    list: Rect,
}

impl JobsDrawer {
    /// The row under the cursor, wherever it is now.
    fn place(&self, rows: &[Ongoing<'_>]) -> usize {
        let chosen =
            self.chosen.as_ref().and_then(|chosen| rows.iter().position(|row| row.name() == *chosen));
        chosen.unwrap_or_else(|| self.cursor.row()).min(rows.len().saturating_sub(1))
    }

    fn step(&mut self, by: isize, store: &Store) -> OverlayReply {
        let rows = ongoing::all(store);
        self.go(self.place(&rows).saturating_add_signed(by), &rows)
    }

    fn go(&mut self, row: usize, rows: &[Ongoing<'_>]) -> OverlayReply {
        self.cursor.go(row, rows.len());
        self.chosen = rows.get(self.cursor.row()).map(Ongoing::name);
        OverlayReply::stay()
    }

    fn stop(&self, store: &Store) -> OverlayReply {
        let rows = ongoing::all(store);
        let stop = rows.get(self.place(&rows)).and_then(Ongoing::stop);
        let nothing =
            || Notice::new(Level::Info, "there is nothing here to stop that was not asked to already");
        match stop {
            // The question comes in the drawer's place.
            Some(question @ Effect::Ask(_)) => OverlayReply::close().with(question),
            Some(stop) => OverlayReply::stay().with(stop),
            None => OverlayReply::stay().with(Effect::Notify(nothing())),
        }
    }
}

impl Overlay for JobsDrawer {
    fn key(&mut self, key: KeyEvent, store: &Store) -> OverlayReply {
        match (overlay::movement(key), overlay::letter(key)) {
            (Some(by), _) => self.step(by, store),
            (None, Some('x')) => self.stop(store),
            (None, _) if overlay::closes_list(key) => OverlayReply::close(),
            (None, _) => OverlayReply::stay(),
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> OverlayReply {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.step(1, store),
            MouseEventKind::ScrollUp => self.step(-1, store),
            MouseEventKind::Down(MouseButton::Left) if self.list.contains(at) => {
                let rows = ongoing::all(store);
                match self.cursor.at_line(usize::from(mouse.row - self.list.y), rows.len()) {
                    Some(row) => self.go(row, &rows),
                    None => OverlayReply::stay(),
                }
            }
            MouseEventKind::Down(_) => OverlayReply::close(),
            _ => OverlayReply::stay(),
        }
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let rows = ongoing::all(view.store);
        let height = (rows.len() as u16 + 2).clamp(4, (screen.height / 2).max(4));
        let area = Rect { y: screen.bottom().saturating_sub(height + 1), height, ..screen };
        let inside = float::draw(buffer, area, view.theme, "jobs");
        self.list = inside;
        if rows.is_empty() {
            let hint = "Nothing is going on. Runs, pulls, imports and checks show here while they run.";
            let room = usize::from(inside.width);
            text::put(buffer, inside.x, inside.y, hint, room, view.theme.dim);
        }
        let place = self.place(&rows);
        self.cursor.go(place, rows.len());
        // Until a row is chosen, the cursor stays on the top one.
        if self.chosen.is_some() {
            self.chosen = rows.get(place).map(Ongoing::name);
        }
        let window = self.cursor.window(rows.len(), usize::from(inside.height));
        for (number, y) in window.zip(inside.y..inside.bottom()) {
            let line = Rect { y, height: 1, ..inside };
            match rows.get(number) {
                Some(one @ Ongoing::Run(run, _)) => draw_run(buffer, line, view, run, one),
                Some(Ongoing::Job(row)) => draw_job(buffer, line, view, row),
                None => {}
            }
            if number == self.cursor.row() {
                buffer.set_style(line, view.theme.selection);
            }
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↑↓", "choose"), ("x", "stop"), ("esc", "close")]
    }
}

/// Columns of what it is, its sign included, and of the bar.
const WHAT: u16 = 34;
const BAR: u16 = 24;

fn draw_run(buffer: &mut Buffer, line: Rect, view: View<'_>, run: &RunInfo, one: &Ongoing<'_>) {
    let theme = view.theme;
    let standing = run.standing();
    let (sign, style) = match standing {
        Standing::Running | Standing::Starting => ("●", theme.accent),
        Standing::Paused => ("‖", theme.warning),
        Standing::Queued => ("◌", theme.dim),
        Standing::Done | Standing::Stopped | Standing::Failed | Standing::Crashed => ("■", theme.dim),
    };
    let state = run.state.as_ref();
    let steps = state
        .filter(|state| state.total_steps > 0)
        .map(|state| format!("step {}/{}", state.step, state.total_steps));
    let doing = match standing {
        Standing::Starting => state.and_then(RunState::doing).unwrap_or_else(|| "starting".into()),
        Standing::Running => state.and_then(RunState::doing).unwrap_or_default(),
        Standing::Queued
        | Standing::Paused
        | Standing::Done
        | Standing::Stopped
        | Standing::Failed
        | Standing::Crashed => standing.name().to_owned(),
    };
    let left = one.seconds_left(view.store.now).map(text::left);
    let words = [steps, left, Some(doing)].into_iter().flatten().filter(|words| !words.is_empty());
    let words = words.collect::<Vec<_>>().join("  ");
    draw_moving(buffer, line, view, (sign, style), &one.what(), one.share(), &words);
}

fn draw_job(buffer: &mut Buffer, line: Rect, view: View<'_>, row: &JobRow) {
    let theme = view.theme;
    let (sign, style, end) = match &row.end {
        None => {
            let words = progress::words(row, view.store.now);
            return draw_moving(buffer, line, view, ("●", theme.accent), &row.job.what, row.share(), &words);
        }
        Some(JobEnd::Done) => ("✓", theme.good, "done"),
        Some(JobEnd::Stopped) => ("■", theme.dim, "stopped"),
        Some(JobEnd::Failed(why)) => ("✗", theme.bad, why.as_str()),
    };
    let x = draw_what(buffer, line, view, (sign, style), &row.job.what);
    let room = usize::from(line.right().saturating_sub(x));
    text::put(buffer, x, line.y, end, room, theme.dim);
}

fn draw_what(
    buffer: &mut Buffer,
    line: Rect,
    view: View<'_>,
    (sign, style): (&str, Style),
    what: &str,
) -> u16 {
    let wide = WHAT.min(line.width * 2 / 5);
    let room = usize::from(wide.saturating_sub(4));
    text::put(buffer, line.x, line.y, sign, 1, style);
    text::put(buffer, line.x + 2, line.y, what, room, view.theme.text);
    line.x + wide
}

fn draw_moving(
    buffer: &mut Buffer,
    line: Rect,
    view: View<'_>,
    sign: (&str, Style),
    what: &str,
    share: Option<f64>,
    words: &str,
) {
    let mut x = draw_what(buffer, line, view, sign, what);
    if let Some(share) = share {
        let bar = Rect { x, width: line.right().saturating_sub(x).min(BAR.min(line.width / 6)), ..line };
        gauge::draw(buffer, bar, share, view.theme.accent, view.theme.rule);
        x = bar.right() + 2;
    }
    let room = usize::from(line.right().saturating_sub(x));
    text::put(buffer, x, line.y, words, room, view.theme.dim);
}
