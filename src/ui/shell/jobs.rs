//! The jobs drawer: what takes a while, how far it is, and how to stop it.

use crossterm::event::{KeyCode, KeyEvent, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::overlay::{Ask, Overlay, Reply};
use crate::app::store::{JobRow, Store};
use crate::domain::protocol::system::{JobEnd, Progress, Stoppable, Unit};
use crate::domain::protocol::{Command, SystemCommand};
use crate::ui::pane::{Effect, View};
use crate::ui::widgets::cursor::Cursor;
use crate::ui::widgets::{float, gauge, text};

/// The drawer while it is open. The newest job is on top.
#[derive(Default)]
pub(crate) struct JobsDrawer {
    cursor: Cursor,
}

impl Overlay for JobsDrawer {
    fn key(&mut self, key: KeyEvent, store: &Store) -> Reply {
        let length = store.jobs.rows().len();
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.cursor.step(1, length),
            KeyCode::Up | KeyCode::Char('k') => self.cursor.step(-1, length),
            KeyCode::Char('x') => {
                let row = store.jobs.rows().iter().rev().nth(self.cursor.row());
                if let Some(row) = row.filter(|row| row.end.is_none() && row.job.stoppable == Stoppable::Yes)
                {
                    let stop = Command::System(SystemCommand::StopJob(row.job.id));
                    return Reply::stay().and(Ask::Effect(Effect::Send(stop)));
                }
            }
            _ => return Reply::close(),
        }
        Reply::stay()
    }

    fn mouse(&mut self, mouse: MouseEvent, _store: &Store) -> Reply {
        match mouse.kind {
            MouseEventKind::Down(_) => Reply::close(),
            _ => Reply::stay(),
        }
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let rows = view.store.jobs.rows();
        let height = (rows.len() as u16 + 2).clamp(4, (screen.height / 2).max(4));
        let area = Rect { y: screen.bottom().saturating_sub(height + 1), height, ..screen };
        let inside = float::draw(buffer, area, view.theme, "jobs");
        if rows.is_empty() {
            let hint = "Nothing is going on. Pulls, imports and exports show here while they run.";
            buffer.set_stringn(inside.x, inside.y, hint, usize::from(inside.width), view.theme.dim);
        }
        let window = self.cursor.window(rows.len(), usize::from(inside.height));
        for (number, y) in window.zip(inside.y..inside.bottom()) {
            let Some(row) = rows.iter().rev().nth(number) else { continue };
            let line = Rect { y, height: 1, ..inside };
            draw_row(buffer, line, view, row);
            if number == self.cursor.row() {
                buffer.set_style(line, view.theme.selection);
            }
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↑↓", "choose"), ("x", "stop"), ("esc", "close")]
    }
}

fn draw_row(buffer: &mut Buffer, line: Rect, view: View<'_>, row: &JobRow) {
    let theme = view.theme;
    let (sign, style, state) = match &row.end {
        None => ("●", theme.accent, text::duration(view.store.now - row.job.started)),
        Some(JobEnd::Done) => ("✓", theme.good, "done".to_owned()),
        Some(JobEnd::Stopped) => ("■", theme.dim, "stopped".to_owned()),
        Some(JobEnd::Failed(why)) => ("✗", theme.bad, why.clone()),
    };
    buffer.set_stringn(line.x, line.y, sign, 1, style);
    let what = text::shorten(&row.job.what, 30);
    buffer.set_stringn(line.x + 2, line.y, what, 30, theme.text);
    let x = line.x + 34;
    let room = line.right().saturating_sub(x);
    if row.end.is_some() {
        buffer.set_stringn(x, line.y, text::shorten(&state, usize::from(room)), usize::from(room), theme.dim);
        return;
    }
    let bar = Rect { x, width: room.min(24), ..line };
    if let Some(share) = share(&row.job.progress) {
        gauge::draw(buffer, bar, share, theme.accent, theme.rule);
    }
    let rest = format!("{}  {state}  {}", amount(&row.job.progress), row.job.progress.note);
    let x = bar.right() + 2;
    let room = usize::from(line.right().saturating_sub(x));
    buffer.set_stringn(x, line.y, text::shorten(&rest, room), room, theme.dim);
}

fn share(progress: &Progress) -> Option<f64> {
    let total = progress.total.filter(|total| *total > 0)?;
    Some(progress.done as f64 / total as f64)
}

fn amount(progress: &Progress) -> String {
    let write = |number: u64| match progress.unit {
        Unit::Items => text::count(number),
        Unit::Bytes => text::bytes(number),
    };
    match progress.total {
        Some(total) => format!("{} of {}", write(progress.done), write(total)),
        None => write(progress.done),
    }
}
