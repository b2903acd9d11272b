//! The results on the screen: the list, what goes on, the line that is being typed, and beside or below it what is chosen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::draw::rule;
use super::super::told::put_lines;
use super::detail::{report_lines, title};
use super::{ResultsFace, ResultsView, job, listed, name_of};
use crate::app::store::Store;
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::visible::visible;
use crate::ui::widgets::{empty, progress, text};

/// From this width on, what is chosen is beside the list.
const BESIDE: u16 = 100;
/// Columns of the list then.
const LIST: u16 = 38;

impl ResultsView {
    pub(in crate::ui::panes::eval) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let (store, theme) = (view.store, view.theme);
        if area.height < 4 {
            return;
        }
        let status = match self.face {
            ResultsFace::Evaluations => format!("{} evaluations", listed(store).len()),
            ResultsFace::Items => format!("{} items differ", self.length(store)),
        };
        rule(buffer, Rect { height: 1, ..area }, "evaluations", &status, theme);
        let mut body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        self.draw_line(buffer, &mut body, theme);
        if let Some(job) = job(store).filter(|_| body.height > 3) {
            let row = Rect { x: body.x + 1, width: body.width.saturating_sub(2), height: 1, ..body };
            progress::draw(buffer, row, job, store.now, theme);
            body = Rect { y: body.y + 1, height: body.height - 1, ..body };
        }
        if let Some(why) = store.evaluations.failed.as_ref().filter(|_| body.height > 3) {
            let words = visible(why).replace('\n', " ");
            text::put(
                buffer,
                body.x + 1,
                body.y,
                format!("✗ {words}"),
                usize::from(body.width) - 2,
                theme.bad,
            );
            body = Rect { y: body.y + 1, height: body.height - 1, ..body };
        }
        if listed(store).is_empty() {
            return draw_empty(buffer, body, store, theme);
        }
        let (list, detail) = if body.width >= BESIDE {
            let right = Rect { x: body.x + LIST + 1, width: body.width - LIST - 1, ..body };
            (Rect { width: LIST, ..body }, right)
        } else {
            let height = (body.height / 3).max(2);
            (Rect { height, ..body }, Rect { y: body.y + height, height: body.height - height, ..body })
        };
        match self.face {
            ResultsFace::Evaluations => {
                self.draw_list(buffer, list, (store, theme));
                self.draw_report(buffer, detail, (store, theme));
            }
            ResultsFace::Items => {
                self.draw_items(buffer, list, (store, theme));
                self.draw_item(buffer, detail, (store, theme));
            }
        }
    }

    /// The line that is being typed, with what is wrong with it.
    fn draw_line(&mut self, buffer: &mut Buffer, body: &mut Rect, theme: &Theme) {
        let Some(field) = &mut self.line else { return };
        let (x, _) = text::put(buffer, body.x, body.y, " evaluate: ", usize::from(body.width), theme.dim);
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

    fn draw_list(&mut self, buffer: &mut Buffer, area: Rect, (store, theme): (&Store, &Theme)) {
        let rows = listed(store);
        self.list = area;
        let window = self.cursor.window(rows.len(), usize::from(area.height));
        let chosen = self.cursor.row();
        for (y, at) in (area.y..area.bottom()).zip(window) {
            let Some(one) = rows.get(at) else { continue };
            let row = Rect { y, height: 1, ..area };
            let (sign, style) = if one.unfinished { ("◌", theme.warning) } else { ("✓", theme.good) };
            let models = match one.models.len() {
                1 => one.models.concat(),
                count => format!("{count} models"),
            };
            let line = Line::from(vec![
                Span::styled(format!(" {sign} "), style),
                Span::styled(name_of(&one.folder), theme.bright),
                Span::styled(format!("  {}  {}", one.tasks.join(", "), visible(&models)), theme.dim),
            ]);
            text::put_line(buffer, row, line);
            if at == chosen {
                buffer.set_style(row, theme.selection);
            }
        }
    }

    fn draw_report(&self, buffer: &mut Buffer, area: Rect, (store, theme): (&Store, &Theme)) {
        let head = Rect { height: 1.min(area.height), ..area };
        let below = Rect { y: area.y + head.height, height: area.height - head.height, ..area };
        let Some(kept) = self.opened(store) else {
            let name = self.picked(store).map(|one| name_of(&one.folder)).unwrap_or_default();
            return rule(buffer, head, &name, "reading ...", theme);
        };
        let (left, right) = title(kept, self.part);
        rule(buffer, head, &left, &right, theme);
        put_lines(buffer, below, report_lines(kept, self.part, usize::from(below.width), theme), theme);
    }
}

fn draw_empty(buffer: &mut Buffer, body: Rect, store: &Store, theme: &Theme) {
    let words = if store.evaluations.listed.is_none() {
        vec!["Looking for evaluations ..."]
    } else {
        vec![
            "Models answer the same items; each figure has its interval, and each difference says whether it could be \
             chance.",
            "n begins one here, dojo eval in a shell; b is the reward bench.",
        ]
    };
    empty::draw(buffer, body, theme, "No evaluation yet", &words);
}
