//! What an import would read, drawn: its files, what plays no part, what the first rows become.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::protocol::data::{Example, ImportPlan};
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::{progress, text};

/// Files that are listed; the others are counted.
const FILES: usize = 6;
/// Lines for what plays no part.
const PASSED: u16 = 5;

/// How far the job of this name is, below the words that it is waited for.
pub(super) fn draw_job(buffer: &mut Buffer, area: Rect, name: &str, view: View<'_>) {
    let line = Rect { x: area.x + 2, y: area.y + 2, width: area.width.saturating_sub(4), height: 1 };
    if let Some(job) = view.store.jobs.named(name).filter(|_| line.y < area.bottom()) {
        progress::draw(buffer, line, job, view.store.now, view.theme);
    }
}

/// What plays no part in what is learnt. Returns the line below it.
pub(super) fn passed_over(
    buffer: &mut Buffer,
    area: Rect,
    mut y: u16,
    plan: &ImportPlan,
    theme: &Theme,
) -> u16 {
    // The parts below keep room: they can be changed.
    let room = usize::from((area.bottom().saturating_sub(y) / 3).min(PASSED));
    let wide = usize::from(area.width.saturating_sub(4));
    let lines = plan.passed_over.iter().flat_map(|told| text::wrap(&format!("! {told}"), wide));
    let lines: Vec<String> = lines.collect();
    let cut = lines.len() > room;
    for (at, line) in lines.into_iter().take(room).enumerate() {
        let last = cut && at + 1 == room;
        let line = if last { text::shorten(&format!("{line} …"), wide) } else { line };
        put(buffer, area, y - 1, &line, theme.warning);
        y += 1;
    }
    y
}

/// The files, and the line below them.
pub(super) fn files(buffer: &mut Buffer, area: Rect, plan: &ImportPlan, theme: &Theme) -> u16 {
    heading(buffer, area, "files", theme);
    let mut y = area.y + 1;
    let name_room = usize::from(area.width).saturating_sub(52).max(16);
    for file in plan.files.iter().take(FILES) {
        let bytes = text::bytes(file.bytes);
        let name = text::shorten_path(&file.name, name_room);
        let line = format!("{name:name_room$}  {:7}  {bytes:>8}  {}", file.format, file.read_as);
        put(buffer, area, y, &line, theme.text);
        y += 1;
    }
    if plan.files.len() > FILES {
        let bytes: u64 = plan.files.iter().map(|file| file.bytes).sum();
        let more = format!("and {} more; {} in all", plan.files.len() - FILES, text::bytes(bytes));
        put(buffer, area, y, &more, theme.dim);
        y += 1;
    }
    y + 1
}

pub(super) fn examples(buffer: &mut Buffer, area: Rect, plan: &ImportPlan, theme: &Theme) {
    if area.height == 0 {
        return;
    }
    heading(buffer, area, "the first rows become", theme);
    let mut y = area.y + 1;
    let room = usize::from(area.width).saturating_sub(14);
    for example in &plan.examples {
        let lines = match example {
            // Why a row can't be read is read whole.
            Err(why) => text::wrap(why, room).into_iter().map(|row| ("", row, theme.warning)).collect(),
            Ok(Example { prompt, answer, label }) => {
                let mut lines =
                    vec![("user", prompt.clone(), theme.text), ("assistant", answer.clone(), theme.text)];
                lines.extend(label.iter().map(|label| ("label", label.clone(), theme.text)));
                lines.retain(|(_, text, _)| !text.is_empty());
                if lines.is_empty() {
                    lines.push(("", "columns only: give a part a column".to_owned(), theme.warning));
                }
                lines
            }
        };
        for (who, said, style) in lines {
            if y >= area.bottom() {
                return;
            }
            text::put(buffer, area.x + 2, y, who, 10, theme.accent);
            text::put(buffer, area.x + 12, y, &said, room, style);
            y += 1;
        }
        y += 1;
    }
}

pub(super) fn heading(buffer: &mut Buffer, area: Rect, title: &str, theme: &Theme) {
    let width = usize::from(area.width.saturating_sub(2));
    text::put(buffer, area.x + 1, area.y, "─".repeat(width), width, theme.rule);
    text::put(buffer, area.x + 3, area.y, format!(" {title} "), width.saturating_sub(2), theme.bright);
}

pub(super) fn put(buffer: &mut Buffer, area: Rect, y: u16, line: &str, style: Style) {
    if y < area.bottom() {
        let room = usize::from(area.width.saturating_sub(4));
        text::put(buffer, area.x + 2, y, line, room, style);
    }
}
