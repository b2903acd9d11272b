//! What checks have found, a line each; one of them opens as a filtered view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::ui::pane::View;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::{empty, progress, text};

/// The list that is on the screen.
#[derive(Debug, Default)]
pub(super) struct Findings {
    cursor: ListCursor,
}

/// What a check looks for, in words.
fn about(check: &str) -> &'static str {
    match check {
        "duplicate" => "the same content as an earlier record",
        "near-duplicate" => "almost the same content as an earlier record",
        "leakage" => "held out, but its prompt is trained on",
        "near-leakage" => "held out, but almost its prompt is trained on",
        "turns" => "turns without text, or missing",
        "order" => "turns in an order that no chat template expects",
        "pair" => "both answers of the pair are the same",
        "length" => "much longer or shorter than the others",
        "truncation" => "longer than training keeps",
        "characters" => "characters that were lost or that nobody typed",
        "secret" => "keys, passwords, addresses or numbers of people",
        "control-token" => "a control token's name in a text: the finding says whether it is learnt as text",
        "hidden" => "a part of an answer that the chat template leaves out",
        _ => "",
    }
}

impl Findings {
    pub(super) fn step(&mut self, by: isize, store: &Store) {
        self.cursor.step(by, store.data.findings.as_ref().map_or(0, Vec::len));
    }

    /// The filter that shows what is under the cursor.
    pub(super) fn filter(&self, store: &Store) -> Option<String> {
        let (name, _) = store.data.findings.as_ref()?.get(self.cursor.row())?;
        Some(format!("check:{name}"))
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let job = view.store.job_here("check the records");
        let checking = job.is_some();
        if let Some(row) = job {
            let line =
                Rect { x: area.x + 3, y: area.bottom() - 1, width: area.width.saturating_sub(6), height: 1 };
            progress::draw(buffer, line, row, view.store.now, theme);
        }
        // The last line is the progress's.
        let area = Rect { height: area.height.saturating_sub(2 * u16::from(checking)), ..area };
        let Some(found) = view.store.data.findings.as_ref().filter(|found| !found.is_empty()) else {
            let words = match (&view.store.data.findings, checking) {
                (_, true) => ["Reading every record …", "What it finds comes here."],
                (None, false) => {
                    ["No check has run yet.", "x looks for repeats, leakage, odd lengths and more."]
                }
                (Some(_), false) => {
                    ["Nothing was found: no repeats, no leakage, nothing odd.", "x looks again."]
                }
            };
            return empty::draw(buffer, area, theme, "Checks", &words);
        };
        let title = if checking { " what checks found · looking again … " } else { " what checks found " };
        let width = usize::from(area.width.saturating_sub(2));
        text::put(buffer, area.x + 1, area.y, "─".repeat(width), width, theme.rule);
        text::put(buffer, area.x + 3, area.y, title, width.saturating_sub(2), theme.bright);
        let shown = self.cursor.window(found.len(), usize::from(area.height.saturating_sub(1)));
        for (row, y) in shown.zip(area.y + 1..) {
            let Some((name, count)) = found.get(row) else { break };
            let here = row == self.cursor.row();
            if here {
                buffer
                    .set_style(Rect { x: area.x + 1, y, width: area.width - 2, height: 1 }, theme.selection);
                text::put(buffer, area.x + 1, y, "▌", 1, theme.accent);
            }
            let count = text::count(*count);
            text::put(buffer, area.x + 3, y, format!("{count:>9}"), 9, theme.warning);
            text::put(buffer, area.x + 14, y, name, 16, if here { theme.bright } else { theme.text });
            let room = usize::from(area.width.saturating_sub(33));
            text::put(buffer, area.x + 31, y, about(name), room, theme.dim);
        }
        // What has no room beside its name is read below.
        let chosen = found.get(self.cursor.row()).map_or("", |(name, _)| about(name));
        if text::width(chosen) > usize::from(area.width.saturating_sub(33)) {
            let below = area.y + 2 + found.len() as u16;
            for (row, y) in text::wrap(chosen, width.saturating_sub(2)).iter().zip(below..area.bottom()) {
                text::put(buffer, area.x + 3, y, row, width, theme.text);
            }
        }
    }
}
