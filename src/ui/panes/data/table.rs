//! The table: a heading and the rows on the screen, whatever the number of records.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::columns::{CellAlignment, ColumnKind, sort_field};
use super::editor::EditTarget;
use super::{DataMode, DataPane, Visibility};
use crate::domain::protocol::data::RowSummary;
use crate::domain::record::Status;
use crate::domain::view::{SortDirection, SortField};
use crate::ui::pane::{Focus, View};
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Columns before the first cell: the cursor's sign and that of chosen records.
const GUTTER: u16 = 2;

pub(super) fn draw(pane: &mut DataPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let data = &view.store.data;
    let count = data.count();
    let pinned = pinned(pane, view);
    let body =
        Rect { y: area.y + 1, height: area.height.saturating_sub(1 + u16::from(pinned.is_some())), ..area };
    pane.areas.table = body;
    pane.cursor.resize(usize::from(body.height), count);
    if matches!(pane.mode, DataMode::Table) {
        pane.steady = pane.cursor.place();
    }
    let visible = pane.cursor.visible(count);
    visible.clone().filter_map(|position| data.row(position)).for_each(|row| pane.columns.see(row));
    let places = pane.columns.places(area.width.saturating_sub(GUTTER + 1));
    heading(pane, buffer, Rect { height: 1, ..area }, &places, view.theme);
    for (position, y) in visible.zip(body.y..body.bottom()) {
        let line = Rect { y, height: 1, ..body };
        match data.row(position) {
            Some(row) => {
                let here = pinned.is_none() && position == pane.cursor.position();
                let chosen = pane.is_chosen(position, row.id);
                draw_row(pane, buffer, line, (row, here, chosen), &places, view);
            }
            None => {
                text::put(buffer, line.x + GUTTER, y, "…", 1, view.theme.dim);
            }
        }
    }
    if let Some(row) = pinned {
        let line = Rect { y: body.bottom(), height: 1, ..body };
        draw_row(pane, buffer, line, (&row, true, false), &places, view);
    }
}

/// The record that was just made, while it isn't among the rows: its filter or its place may be another.
fn pinned(pane: &DataPane, view: View<'_>) -> Option<RowSummary> {
    let pinned = pane.pinned?;
    let (id, opened) = view.store.data.opened.as_ref()?;
    (*id == pinned).then(|| RowSummary { tokens: opened.tokens, ..RowSummary::of(*id, &opened.record) })
}

fn heading(
    pane: &mut DataPane,
    buffer: &mut Buffer,
    area: Rect,
    places: &[(ColumnKind, u16, u16)],
    theme: &Theme,
) {
    pane.areas.headings.clear();
    for (kind, x, width) in places {
        let sorted = sort_field(*kind) == Some(pane.order.field) && pane.order.field != SortField::Id;
        let arrow = match (sorted, pane.order.direction) {
            (false, _) => "",
            (true, SortDirection::Rising) => "↑",
            (true, SortDirection::Falling) => "↓",
        };
        let style = if pane.columns.chosen() == Some(*kind) { theme.accent } else { theme.dim };
        let title = format!("{}{arrow}", kind.title());
        // The arrow may take a column of the gap, rather than letters of the name.
        let more = u16::from(text::width(&title) > usize::from(*width) && !arrow.is_empty());
        let place = match kind.side() {
            CellAlignment::Left => (*x, width + more),
            CellAlignment::Right => (x.saturating_sub(more), width + more),
        };
        put(buffer, area, place, &title, kind.side(), style);
        let cell = Rect { x: area.x + GUTTER + x, width: *width, ..area };
        pane.areas.headings.push((*kind, cell.intersection(area)));
    }
}

fn draw_row(
    pane: &DataPane,
    buffer: &mut Buffer,
    area: Rect,
    (row, here, chosen): (&RowSummary, bool, bool),
    places: &[(ColumnKind, u16, u16)],
    view: View<'_>,
) {
    let theme = view.theme;
    if here {
        let style = if view.focus == Focus::Here { theme.selection } else { theme.selection_away };
        buffer.set_style(area, style);
        text::put(buffer, area.x, area.y, "▌", 1, theme.accent);
    }
    if chosen {
        text::put(buffer, area.x + 1, area.y, "•", 1, theme.accent);
    } else if pane.has_draft(EditTarget::Record(row.id)) {
        text::put(buffer, area.x + 1, area.y, "✎", 1, theme.warning);
    }
    for (kind, x, width) in places {
        let cell = kind.cell(row);
        let style = style_of(*kind, row, theme);
        if matches!(kind, ColumnKind::Prompt | ColumnKind::Answer) {
            let short = text::shorten(&cell, usize::from(*width));
            let spans = pane.highlights.spans(&short, style, theme.matched);
            let at = Rect { x: area.x + GUTTER + x, width: *width, ..area };
            Line::from(spans).render(at.intersection(area), buffer);
        } else {
            put(buffer, area, (*x, *width), &cell, kind.side(), style);
        }
    }
}

fn put(
    buffer: &mut Buffer,
    area: Rect,
    (x, width): (u16, u16),
    cell: &str,
    side: CellAlignment,
    style: Style,
) {
    let short = text::shorten(cell, usize::from(width));
    let offset = match side {
        CellAlignment::Left => 0,
        CellAlignment::Right => width.saturating_sub(text::width(&short) as u16),
    };
    let x = area.x + GUTTER + x + offset;
    if x < area.right() {
        text::put(buffer, x, area.y, short, usize::from(width), style);
    }
}

fn style_of(kind: ColumnKind, row: &RowSummary, theme: &Theme) -> Style {
    match kind {
        ColumnKind::Status => match row.status {
            Status::New => theme.dim,
            Status::Approved => theme.good,
            Status::Rejected => theme.bad,
        },
        ColumnKind::Answer if row.edited => theme.bright,
        ColumnKind::Prompt
        | ColumnKind::Answer
        | ColumnKind::Tokens
        | ColumnKind::Turns
        | ColumnKind::Score
        | ColumnKind::Label => theme.text,
        ColumnKind::Number | ColumnKind::Split | ColumnKind::Tags | ColumnKind::Source => theme.dim,
    }
}

/// Whether the statistics have room beside the record.
pub(super) const fn room_for_statistics(shown: Visibility, width: u16) -> bool {
    matches!(shown, Visibility::Yes) && width >= 100
}
