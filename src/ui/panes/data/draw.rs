//! The pane from top to bottom: filter, table, the record with its figures beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::detail::Tab;
use super::editor::EditTarget;
use super::pointer::Areas;
use super::{ChosenRecords, DataMode, DataPane, statistics, table};
use crate::app::store::JobRow;
use crate::domain::filter::{Filter, explain, passed_over};
use crate::domain::protocol::data::{Opened, ViewCount};
use crate::domain::record::RecordId;
use crate::domain::view::{SortDirection, SortField};
use crate::ui::pane::View;
use crate::ui::widgets::{empty, progress, text};

/// Columns of the figures.
const FIGURES: u16 = 40;
/// Rows below which the record only opens on its own.
const TALL: u16 = 24;

pub(super) fn draw(pane: &mut DataPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let Some(session) = &view.store.session else {
        let words = [
            "Records of a session: search, filter, edit, tag, split.",
            "Open a session first: press : and choose one.",
        ];
        return empty::draw(buffer, area, view.theme, "Data", &words);
    };
    pane.detail.hide();
    pane.areas = Areas::default();
    if let DataMode::Findings(_) | DataMode::Coverage(_) | DataMode::Import(_) | DataMode::Export(_) =
        &pane.mode
    {
        return over_all(pane, buffer, area, view);
    }
    let known = view.store.data.view.as_ref();
    if matches!(pane.mode, DataMode::Table)
        && known.is_some_and(|known| known.records == 0)
        && view.store.jobs.of(&session.path).next().is_none()
    {
        let import = format!("dojo data import PATH --session {}", session.name);
        let words = [
            "No records yet. Press i to bring in JSONL, JSON, CSV, Parquet, text or a folder of them, or write",
            &import,
            "in the shell; n writes a record here.",
        ];
        return empty::draw(buffer, area, view.theme, "Data", &words);
    }
    let top = Rect { height: 1, ..area };
    let below = filter(pane, buffer, Rect { x: top.x + 1, width: top.width.saturating_sub(2), ..top }, view);
    let note = passed_over(&pane.filter).filter(|_| matches!(pane.mode, DataMode::Table));
    if let Some(note) = &note {
        let room = usize::from(area.width.saturating_sub(2));
        text::put(buffer, area.x + 1, area.y + 1, note, room, view.theme.dim);
    }
    let top = 1 + below.max(u16::from(note.is_some()));
    let body = Rect { y: area.y + top, height: area.height.saturating_sub(top), ..area };
    if matches!(pane.mode, DataMode::Edit(_)) || pane.detail.is_open() {
        return record(pane, buffer, body, view);
    }
    if known.is_some_and(|known| known.records == 0) {
        if let Some(row) = view.store.job_here("import ") {
            let line = Rect { x: body.x + 2, y: body.y + 1, width: body.width.saturating_sub(4), height: 1 };
            progress::draw(buffer, line, row, view.store.now, view.theme);
        }
        return;
    }
    if known.is_some_and(|known| known.found == ViewCount::All(0)) && pane.pinned.is_none() {
        let why = explain(&pane.filter, &view.store.data.vocabulary);
        let words = [why.as_deref().unwrap_or("No record matches this filter."), "esc clears it."];
        return empty::draw(buffer, body, view.theme, "Nothing found", &words);
    }
    if area.height < TALL {
        return table::draw(pane, buffer, body, view);
    }
    let lower = (body.height * 2 / 5).max(8);
    let upper = Rect { height: body.height - lower, ..body };
    table::draw(pane, buffer, upper, view);
    record(pane, buffer, Rect { y: upper.bottom(), height: lower, ..body }, view);
}

/// What takes the place of the table for a while.
fn over_all(pane: &mut DataPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let width = usize::from(area.width.saturating_sub(2));
    match &mut pane.mode {
        DataMode::Findings(findings) => findings.draw(buffer, area, view),
        DataMode::Coverage(list) => list.draw(buffer, area, view),
        DataMode::Import(form) => {
            let (x, _) = text::put(buffer, area.x + 1, area.y, "import  ", width, view.theme.accent);
            let path = text::shorten_path(&form.path.display().to_string(), width.saturating_sub(8));
            text::put(buffer, x, area.y, path, width.saturating_sub(8), view.theme.text);
            form.draw(buffer, body, view);
        }
        DataMode::Export(form) => {
            text::put(buffer, area.x + 1, area.y, "export", width, view.theme.accent);
            form.draw(buffer, body, view.theme);
        }
        DataMode::Table
        | DataMode::Filter(_)
        | DataMode::Line(_)
        | DataMode::Labels(_)
        | DataMode::Edit(_) => {}
    }
}

/// The filter, or the line that is typed in its place. Says how many rows below it that takes.
fn filter(pane: &mut DataPane, buffer: &mut Buffer, area: Rect, view: View<'_>) -> u16 {
    let theme = view.theme;
    pane.areas.filter = area;
    let counts = counts(pane, view);
    let wide = text::width(&counts) as u16;
    let title = match &pane.mode {
        DataMode::Line(line) => line.field().title(),
        DataMode::Labels(_) => "label",
        _ => "filter",
    };
    let title_style =
        if matches!(pane.mode, DataMode::Table | DataMode::Edit(_)) { theme.dim } else { theme.accent };
    let (x, _) = text::put(buffer, area.x, area.y, title, 10, title_style);
    let start = (x + 2).max(area.x + 8);
    text::put(buffer, area.right().saturating_sub(wide), area.y, &counts, usize::from(wide), theme.dim);
    let field = Rect { x: start, width: area.right().saturating_sub(start + wide + 2), ..area };
    let below = Rect { y: area.y + 1, x: start, width: area.right().saturating_sub(start), height: 1 };
    match &pane.mode {
        DataMode::Filter(line) => {
            let rows = line.rows_below(below.width);
            line.draw(buffer, field, Rect { height: rows, ..below }.intersection(buffer.area), theme);
            return rows;
        }
        DataMode::Line(line) => {
            line.draw(buffer, field, below, theme);
            return 1;
        }
        DataMode::Labels(labels) => {
            let words = "a digit labels and goes on · esc ends";
            text::put(buffer, field.x, field.y, words, usize::from(field.width), theme.dim);
            labels.draw(buffer, below, theme);
            return 1;
        }
        _ if pane.line.is_empty() => {
            text::put(buffer, field.x, field.y, "everything", usize::from(field.width), theme.dim);
        }
        DataMode::Table
        | DataMode::Edit(_)
        | DataMode::Findings(_)
        | DataMode::Coverage(_)
        | DataMode::Import(_)
        | DataMode::Export(_) => {
            let line = text::shorten(&pane.line, usize::from(field.width));
            text::put(buffer, field.x, field.y, line, usize::from(field.width), theme.text);
        }
    }
    0
}

/// `184 of 500 · 2 selected`, and what is still going on.
fn counts(pane: &DataPane, view: View<'_>) -> String {
    let data = &view.store.data;
    let Some(known) = &data.view else { return "reading …".to_owned() };
    let mut parts = Vec::new();
    if Some(known.view) != pane.asked {
        parts.push("searching …".to_owned());
    }
    let records = text::count(known.records as u64);
    let unread = if let DataMode::Filter(line) = &pane.mode { line.unknown_count() } else { None };
    parts.push(match (unread, known.found) {
        (Some(words), _) => words.to_owned(),
        (None, ViewCount::AtLeast(_)) => format!("… of {records}"),
        (None, ViewCount::All(count)) => format!("{} of {records}", text::count(count as u64)),
    });
    if let Some(range) = pane.range() {
        parts.push(format!("range of {}", text::count(range.len() as u64)));
    }
    let chosen = text::count(pane.chosen.count(data.count()) as u64);
    match &pane.chosen {
        ChosenRecords::Records(ids) if ids.is_empty() => {}
        ChosenRecords::AllBut(ids) if ids.is_empty() => parts.push(format!("all {chosen} selected")),
        ChosenRecords::Records(_) | ChosenRecords::AllBut(_) => parts.push(format!("{chosen} selected")),
    }
    if pane.order.field != SortField::Id || pane.order.direction == SortDirection::Falling {
        let arrow = if pane.order.direction == SortDirection::Rising { "↑" } else { "↓" };
        parts.push(format!("by {} {arrow}", pane.order.field.name()));
    }
    let imported = view.store.job_here("import ").and_then(JobRow::share);
    parts.extend(imported.map(|share| format!("{}% imported", (share * 100.0) as u32)));
    let (done, total) = data.indexed;
    if done < total {
        parts.push(format!("{}% indexed", done * 100 / total.max(1)));
    }
    parts.join(" · ")
}

fn record(pane: &mut DataPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let figures =
        table::room_for_statistics(pane.statistics, area.width) && !matches!(pane.mode, DataMode::Edit(_));
    let width = if figures { area.width - FIGURES } else { area.width };
    let left = Rect { width, ..area };
    pane.areas.record = left;
    let opened = view.store.data.opened.as_ref().map(|(id, opened)| (*id, opened.as_ref()));
    title(pane, buffer, left, opened, view);
    let inside = Rect {
        x: left.x + 2,
        y: left.y + 1,
        width: left.width.saturating_sub(4),
        height: left.height.saturating_sub(1),
    };
    if let DataMode::Edit(editor) = &mut pane.mode {
        editor.draw(buffer, inside, view.theme);
    } else if let Some(opened) = opened {
        pane.detail.draw(buffer, inside, view, opened, &pane.highlights);
    }
    if figures {
        let right = Rect { x: area.right() - FIGURES, width: FIGURES - 1, ..area };
        rule(buffer, right, " this filter ", view);
        let inside = Rect { y: right.y + 1, height: right.height.saturating_sub(1), ..right };
        match &view.store.data.statistics {
            Some((of, statistics)) if Some(*of) == pane.asked => {
                statistics::draw(buffer, inside, statistics, view.store.data.findings.as_deref(), view.theme);
            }
            _ => {
                text::put(
                    buffer,
                    inside.x,
                    inside.y,
                    "counting …",
                    usize::from(inside.width),
                    view.theme.dim,
                );
            }
        }
    }
}

/// `── 13 ─────── messages │ raw │ history ──`.
fn title(
    pane: &mut DataPane,
    buffer: &mut Buffer,
    area: Rect,
    opened: Option<(RecordId, &Opened)>,
    view: View<'_>,
) {
    let name = name(pane, opened.map(|(id, _)| id));
    let name = if name.is_empty() { name } else { format!(" {name} ") };
    rule(buffer, area, &name, view);
    if matches!(pane.mode, DataMode::Edit(_)) {
        return;
    }
    let tabs: Vec<(Tab, &str)> = Tab::ALL.into_iter().map(|tab| (tab, tab.title())).collect();
    let wide: u16 = tabs.iter().map(|(_, title)| title.len() as u16 + 3).sum();
    let mut x = area.right().saturating_sub(wide + 4).max(area.x + 12);
    for (tab, title) in tabs {
        let style = if tab == pane.tab() { view.theme.accent } else { view.theme.dim };
        let room = usize::from(area.right().saturating_sub(x));
        let (after, _) = text::put(buffer, x, area.y, format!(" {title} "), room, style);
        pane.areas.tabs.push((tab, Rect { x, width: after - x, height: 1, ..area }));
        x = (after + 1).min(area.right());
    }
}

/// The record's number and how it stands.
fn name(pane: &DataPane, opened: Option<RecordId>) -> String {
    let number = |id: RecordId| text::count(id.0.unsigned_abs());
    if let DataMode::Edit(editor) = &pane.mode {
        let what = match editor.target() {
            EditTarget::New => "new record".to_owned(),
            EditTarget::Record(id) => number(id),
        };
        let changed = if editor.is_changed() { " · not saved" } else { "" };
        return if editor.draft { format!("{what} · draft{changed}") } else { format!("{what}{changed}") };
    }
    let Some(id) = opened else { return String::new() };
    let mut name = number(id);
    if pane.has_draft(EditTarget::Record(id)) {
        name.push_str(" · draft: e opens it");
    }
    if pane.pinned == Some(id) && pane.filter != Filter::Everything {
        name.push_str(" · not in this filter");
    }
    name
}

fn rule(buffer: &mut Buffer, area: Rect, name: &str, view: View<'_>) {
    let width = usize::from(area.width.saturating_sub(2));
    text::put(buffer, area.x + 1, area.y, "─".repeat(width), width, view.theme.rule);
    text::put(buffer, area.x + 3, area.y, name, width.saturating_sub(2), view.theme.bright);
}
