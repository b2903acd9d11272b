//! What is written of blueprints, a line for each cell: how much of its plan is there, and how much checks and a person
//! let through. One of them opens as a filtered view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::domain::coverage::{BlueprintCoverage, CellCoverage, cell_filter};
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::{empty, text};

/// The list that is on the screen.
#[derive(Debug, Default)]
pub(super) struct CoverageList {
    cursor: ListCursor,
}

/// Columns of the bar.
const BAR: usize = 10;
/// Columns that the figures take, the bar among them.
const FIGURES: usize = 46;

/// All cells of all blueprints, each with its blueprint.
fn cells(store: &Store) -> impl Iterator<Item = (&BlueprintCoverage, &CellCoverage)> {
    store.data.coverage.iter().flat_map(|one| one.cells.iter().map(move |cell| (one, cell)))
}

impl CoverageList {
    pub(super) fn step(&mut self, by: isize, store: &Store) {
        self.cursor.step(by, cells(store).count());
    }

    /// The filter that shows the records of the cell under the cursor.
    pub(super) fn filter(&self, store: &Store) -> Option<String> {
        let (one, cell) = cells(store).nth(self.cursor.row())?;
        Some(cell_filter(&one.blueprint, &cell.cell))
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let all: Vec<_> = cells(view.store).collect();
        if all.is_empty() {
            let words = [
                "No blueprint was expanded in this session.",
                "dojo expand FILE --teacher NAME has one written; its cells come here.",
            ];
            return empty::draw(buffer, area, theme, "Blueprints", &words);
        }
        let width = usize::from(area.width.saturating_sub(2));
        text::put(buffer, area.x + 1, area.y, "─".repeat(width), width, theme.rule);
        let title = title(&view.store.data.coverage);
        text::put(buffer, area.x + 3, area.y, &title, width.saturating_sub(2), theme.bright);
        let shown = self.cursor.window(all.len(), usize::from(area.height.saturating_sub(1)));
        for (row, y) in shown.zip(area.y + 1..) {
            let Some((one, cell)) = all.get(row) else { break };
            let line = Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: 1 };
            let here = row == self.cursor.row();
            if here {
                buffer.set_style(line, theme.selection);
                text::put(buffer, area.x + 1, y, "▌", 1, theme.accent);
            }
            let name = match view.store.data.coverage.as_slice() {
                [_] => cell.cell.to_string(),
                _ => format!("{} / {}", one.blueprint, cell.cell),
            };
            let room = width.saturating_sub(FIGURES + 4);
            text::put(
                buffer,
                area.x + 3,
                y,
                text::shorten(&name, room),
                room,
                if here { theme.bright } else { theme.text },
            );
            figures(buffer, area.x + 4 + room as u16, y, cell, theme);
        }
    }
}

/// ` devops · 120 of 200 planned are there · 86% passed `.
fn title(coverage: &[BlueprintCoverage]) -> String {
    let parts = coverage.iter().map(|one| {
        let total = one.total();
        let share = total.share_kept().map(|share| format!(" · {:.0}% passed the checks", share * 100.0));
        format!(
            "{} · {} of {} planned are there{}",
            one.blueprint,
            text::count(total.kept),
            text::count(total.planned),
            share.unwrap_or_default()
        )
    });
    format!(" {} ", parts.collect::<Vec<_>>().join(" · "))
}

/// `███████░░░  7 of 10   88% passed  ✓ 3 ✗ 1`.
fn figures(buffer: &mut Buffer, x: u16, y: u16, cell: &CellCoverage, theme: &Theme) {
    let good = cell.kept.saturating_sub(cell.refused);
    let filled = (good as usize * BAR).div_ceil(cell.planned.max(1) as usize).min(BAR);
    let style = match cell.missing() {
        0 => theme.good,
        missing if missing == cell.planned => theme.dim,
        _ => theme.warning,
    };
    let bar = format!("{}{}", "█".repeat(filled), "░".repeat(BAR - filled));
    text::put(buffer, x, y, &bar, BAR, style);
    let of = format!("{good} of {}", cell.planned);
    text::put(buffer, x + 11, y, &of, 10, theme.text);
    let passed =
        cell.share_kept().map_or_else(String::new, |share| format!("{:>3.0}% passed", share * 100.0));
    text::put(buffer, x + 22, y, &passed, 11, theme.dim);
    let words = format!("✓ {} ✗ {}", cell.approved, cell.refused);
    text::put(buffer, x + 34, y, &words, 12, theme.dim);
}
