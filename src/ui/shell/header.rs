//! The top line: program, session, tabs, machine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::ui::pane::{PaneId, View};
use crate::ui::widgets::text;

const NUMBERS: [&str; 6] = ["①", "②", "③", "④", "⑤", "⑥"];

/// Draws the line and the hairline below it. Returns where each tab is, for the mouse.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, view: View<'_>, front: Option<PaneId>) -> [Rect; 6] {
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
    let label = |pane: PaneId| if labelled || Some(pane) == front { Label::Shown } else { Label::Hidden };
    let wide: u16 = PaneId::ALL.iter().map(|pane| tab_width(*pane, label(*pane))).sum();
    let machine = machine(view);
    let machine_width = text::width(&machine) as u16 + 1;
    let room_for_machine = left_width + wide + machine_width + 4 <= area.width;
    if room_for_machine {
        buffer.set_string(row.right() - machine_width, row.y, &machine, theme.dim);
    }
    let right = if room_for_machine { machine_width + 2 } else { 1 };
    let free = area.width.saturating_sub(left_width + wide + right);
    let start = row.x + left_width + if room_for_machine { free / 2 } else { free };
    for x in row.x + 1..row.right().saturating_sub(1) {
        if let Some(cell) = buffer.cell_mut((x, row.y + 1)) {
            cell.set_symbol("─").set_style(theme.rule);
        }
    }
    let Some(front) = front else { return [Rect::ZERO; 6] };
    let mut x = start.min(row.right());
    PaneId::ALL.map(|pane| {
        let width = tab_width(pane, label(pane)).min(row.right().saturating_sub(x));
        let area = Rect { x, width, ..row };
        draw_tab(buffer, area, view, pane, if pane == front { Front::Yes } else { Front::No }, label(pane));
        x += width;
        area
    })
}

/// Whether a tab shows its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Shown,
    Hidden,
}

/// Whether a tab is the one in front.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Front {
    Yes,
    No,
}

fn tab_width(pane: PaneId, label: Label) -> u16 {
    match label {
        Label::Shown => pane.title().len() as u16 + 4,
        Label::Hidden => 3,
    }
}

fn draw_tab(buffer: &mut Buffer, area: Rect, view: View<'_>, pane: PaneId, front: Front, label: Label) {
    let theme = view.theme;
    let (sign, word) = match front {
        Front::Yes => (theme.accent, theme.bright),
        Front::No => (theme.dim, theme.dim),
    };
    let number = NUMBERS.get(pane as usize).copied().unwrap_or_default();
    let mut spans = vec![Span::styled(number, sign)];
    if label == Label::Shown {
        spans.extend([Span::raw(" "), Span::styled(pane.title(), word)]);
    }
    Line::from(spans).render(area, buffer);
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
