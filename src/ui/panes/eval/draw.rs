//! The pane on the screen: a head, and one completion with what it is worth, or the figures of all.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::told::{put_lines, total_told};
use super::{BenchFace, BenchLine, BenchMode, EvalPane, RowTaken};
use crate::app::store::Store;
use crate::domain::protocol::rewards::OpenedBench;
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::visible::visible;
use crate::ui::widgets::{empty, text, writing};

/// From this width on, what a completion is worth is beside it.
const BESIDE: u16 = 100;

impl EvalPane {
    pub(super) fn draw_bench(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let (store, theme) = (view.store, view.theme);
        if area.height < 4 {
            return;
        }
        let mut body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        self.draw_head(buffer, Rect { height: 1, ..area }, store, theme);
        self.draw_line(buffer, &mut body, theme);
        let failed = self.bench.and_then(|bench| store.rewards.failed(bench));
        let Some(opened) = self.opened(store) else {
            let words = match (failed, self.bench) {
                (Some(why), _) => vec![why, "t names other rewards, d other rows."],
                (None, Some(_)) => vec!["Making the rewards and reading the rows ..."],
                (None, None) => vec!["The session names no task: t says whose rewards are tried."],
            };
            empty::draw(buffer, body, theme, "Reward bench", &words);
            return;
        };
        if let Some(why) = failed.filter(|_| body.height > 2) {
            text::put(buffer, body.x + 1, body.y, format!("✗ {why}"), usize::from(body.width) - 2, theme.bad);
            body = Rect { y: body.y + 1, height: body.height - 1, ..body };
        }
        match self.face {
            BenchFace::One => self.draw_one(buffer, body, opened, (store, theme)),
            BenchFace::All => self.draw_all(buffer, body, (store, theme)),
        }
    }

    fn draw_head(&self, buffer: &mut Buffer, row: Rect, store: &Store, theme: &Theme) {
        let opened = self.opened(store);
        let title = match opened.map(|opened| (&opened.task, &opened.against)) {
            Some((task, Some(other))) => format!("rewards of {task}, against {other}"),
            Some((task, None)) => format!("rewards of {task}"),
            None => format!("rewards of {}", self.task),
        };
        let status = match (opened, self.face) {
            (Some(opened), BenchFace::One) if opened.rows > 0 => {
                let place = self.shown_row(store).map(|shown| text::shorten_path(&shown.place, 30));
                format!("{}  row {} of {}", place.unwrap_or_default(), self.row + 1, opened.rows)
            }
            (Some(opened), _) => format!("{} rows", opened.rows),
            (None, _) => String::new(),
        };
        rule(buffer, row, &title, &status, theme);
    }

    /// The line that is being typed, with what is wrong with it.
    fn draw_line(&mut self, buffer: &mut Buffer, body: &mut Rect, theme: &Theme) {
        let BenchMode::Line(line, field) = &mut self.mode else { return };
        let label = match line {
            BenchLine::Task => " rewards: ",
            BenchLine::Data => " rows: ",
        };
        let (x, _) = text::put(buffer, body.x, body.y, label, usize::from(body.width), theme.dim);
        let place = Rect { x, y: body.y, width: body.right().saturating_sub(x + 1), height: 1 };
        field.draw(buffer, place, theme);
        let complaint = u16::from(!self.complaint.is_empty());
        if complaint > 0 {
            let width = usize::from(body.width).saturating_sub(2);
            text::put(buffer, body.x + 1, body.y + 1, &self.complaint, width, theme.warning);
        }
        let used = (1 + complaint).min(body.height);
        *body = Rect { y: body.y + used, height: body.height - used, ..*body };
    }

    fn draw_one(
        &mut self,
        buffer: &mut Buffer,
        body: Rect,
        opened: &OpenedBench,
        (store, theme): (&Store, &Theme),
    ) {
        let (own, worth) = if body.width >= BESIDE {
            let width = body.width / 2;
            let right = Rect { x: body.x + width + 1, width: body.width - width - 1, ..body };
            (Rect { width, ..body }, right)
        } else {
            let height = body.height / 2;
            (Rect { height, ..body }, Rect { y: body.y + height, height: body.height - height, ..body })
        };
        self.draw_text(buffer, own, opened, (store, theme));
        let behind = self.is_behind(store);
        let status = if behind { "scoring ..." } else { "" };
        rule(buffer, Rect { height: 1.min(worth.height), ..worth }, "worth", status, theme);
        let below = Rect { y: worth.y + 1, height: worth.height.saturating_sub(1), ..worth };
        let Some(tried) = self.last_tried(store) else { return };
        let width = usize::from(below.width);
        let mut lines = total_told(&opened.task, &tried.total, width, theme);
        if let Some((name, against)) = opened.against.as_ref().zip(tried.against.as_ref()) {
            lines.push(Line::default());
            lines.extend(total_told(name, against, width, theme));
        }
        put_lines(buffer, below, lines, theme);
    }

    /// What is asked, and the completion.
    fn draw_text(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        opened: &OpenedBench,
        (store, theme): (&Store, &Theme),
    ) {
        let mut rest = area;
        if let Some(shown) = self.shown_row(store) {
            let lines = text::wrap(&visible(&shown.prompt), usize::from(area.width.saturating_sub(3)));
            let rows = (lines.len() as u16 + 1).min(area.height / 3);
            rule(buffer, Rect { height: 1.min(rows), ..area }, "prompt", "", theme);
            for (y, line) in (area.y + 1..area.y + rows).zip(&lines) {
                text::put(buffer, area.x + 1, y, line, usize::from(area.width) - 2, theme.dim);
            }
            rest = Rect { y: area.y + rows, height: area.height - rows, ..area };
        }
        let own = self.shown_row(store).and_then(|shown| shown.completion.as_deref());
        let status = match (self.shown, own) {
            (Some((_, RowTaken::Yes)), Some(own)) if own == self.completion() => "as the row has it",
            (Some((_, RowTaken::Yes)), Some(_)) => "changed: alt-o puts it back",
            _ => "",
        };
        rule(buffer, Rect { height: 1.min(rest.height), ..rest }, "completion", status, theme);
        let taken = opened.taken.len().min(usize::from(rest.height) / 4) as u16;
        for (y, line) in (rest.bottom() - taken..rest.bottom()).zip(&opened.taken) {
            text::put(buffer, rest.x + 1, y, line, usize::from(rest.width) - 2, theme.dim);
        }
        let place = Rect {
            x: rest.x + 1,
            y: rest.y + 1,
            width: rest.width.saturating_sub(3),
            height: rest.height.saturating_sub(1 + taken),
        };
        let writes = matches!(self.mode, BenchMode::Write);
        self.text.set_style(theme.bright);
        self.text.set_cursor_style(if writes { theme.caret } else { Style::new() });
        writing::draw(&self.text, buffer, place, theme);
    }
}

/// A hairline with a title in it, and something at its right end.
pub(super) fn rule(buffer: &mut Buffer, row: Rect, title: &str, status: &str, theme: &Theme) {
    if row.height == 0 {
        return;
    }
    buffer.set_stringn(row.x, row.y, "─".repeat(usize::from(row.width)), usize::from(row.width), theme.rule);
    let room = usize::from(row.width).saturating_sub(6);
    let (x, _) = text::put(buffer, row.x + 2, row.y, format!(" {title} "), room, theme.bright);
    let length = text::width(status) as u16;
    if length > 0 && x + length + 4 < row.right() {
        let at = row.right() - length - 4;
        text::put(buffer, at, row.y, format!(" {status} "), usize::from(length) + 2, theme.dim);
    }
}
