//! The top line: program, session, tabs, machine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::ui::pane::{PaneId, View};
use crate::ui::widgets::text;

const NUMBERS: [&str; 6] = ["①", "②", "③", "④", "⑤", "⑥"];

/// Draws the line and the hairline below it. Returns where each tab is, for the mouse.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, view: View<'_>, front: PaneId) -> [Rect; 6] {
    let theme = view.theme;
    let row = Rect { height: 1, ..area };
    let session = view.store.session.as_ref().map_or("", |session| session.name.as_str());
    let left = Line::from(vec![
        Span::styled(" dojo", theme.accent),
        Span::raw("  "),
        Span::styled(text::shorten(session, 24), theme.bright),
    ]);
    let left_width = left.width() as u16;
    left.render(row, buffer);
    let labelled = area.width >= 76;
    let wide: u16 = PaneId::ALL.iter().map(|pane| tab_width(*pane, labelled)).sum();
    let machine = machine(view);
    let machine_width = text::width(&machine) as u16 + 1;
    let room_for_machine = left_width + wide + machine_width + 4 <= area.width;
    if room_for_machine {
        buffer.set_string(row.right() - machine_width, row.y, &machine, theme.dim);
    }
    let right = if room_for_machine { machine_width + 2 } else { 1 };
    let free = area.width.saturating_sub(left_width + wide + right);
    let start = row.x + left_width + if room_for_machine { free / 2 } else { free };
    let tabs =
        draw_tabs(buffer, Rect { x: start.min(row.right()), ..row }, row.right(), view, front, labelled);
    for x in row.x + 1..row.right().saturating_sub(1) {
        if let Some(cell) = buffer.cell_mut((x, row.y + 1)) {
            cell.set_symbol("─").set_style(theme.rule);
        }
    }
    tabs
}

fn tab_width(pane: PaneId, labelled: bool) -> u16 {
    if labelled { pane.title().len() as u16 + 4 } else { 3 }
}

fn draw_tabs(
    buffer: &mut Buffer,
    at: Rect,
    end: u16,
    view: View<'_>,
    front: PaneId,
    labelled: bool,
) -> [Rect; 6] {
    let theme = view.theme;
    let mut x = at.x;
    PaneId::ALL.map(|pane| {
        let width = tab_width(pane, labelled).min(end.saturating_sub(x));
        let (sign, word) = if pane == front { (theme.accent, theme.bright) } else { (theme.dim, theme.dim) };
        let number = NUMBERS.get(pane as usize).copied().unwrap_or_default();
        let area = Rect { x, width, ..at };
        let mut spans = vec![Span::styled(number, sign)];
        if labelled || pane == front {
            spans.push(Span::styled(format!(" {}", pane.title()), word));
        }
        Line::from(spans).render(area, buffer);
        x += width;
        area
    })
}

/// `smollm2-135m · cpu · 1.2/23 GB`.
fn machine(view: View<'_>) -> String {
    let machine = &view.store.machine;
    let model = view.store.session.as_ref().map_or("", |session| session.file.model.as_str());
    let memory = if machine.memory_total_bytes == 0 {
        String::new()
    } else {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        format!("{:.1}/{:.0} GB", gigabytes(machine.memory_used_bytes), gigabytes(machine.memory_total_bytes))
    };
    let parts = [model, &machine.device, &memory];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}
