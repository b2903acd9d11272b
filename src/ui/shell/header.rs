//! The top line: program, session, tabs, what goes on, machine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::ongoing;
use crate::ui::pane::{PaneId, View};
use crate::ui::widgets::text;

const NUMBERS: [&str; 6] = ["①", "②", "③", "④", "⑤", "⑥"];

/// Columns of the program's name with the space around it, and of the session's name at most.
const PROGRAM: u16 = 7;
const SESSION: usize = 24;
/// Columns that a session's name keeps beside what goes on, if there is a sign short enough.
const LEAST_SESSION: usize = 6;

/// Where things can be clicked.
pub(crate) struct Header {
    pub(crate) tabs: [Rect; 6],
    /// What goes on; empty while nothing does.
    pub(crate) sign: Rect,
}

/// Draws the line and the hairline below it. Tabs stay in their places when work begins and ends.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, view: View<'_>, front: Option<PaneId>) -> Header {
    let row = Rect { height: 1, ..area };
    hairline(buffer, Rect { y: row.y + 1, ..row }, view);
    let session = view.store.session.as_ref().map_or("", |session| session.name.as_str());
    let session = text::shorten(session, SESSION);
    let left = PROGRAM + text::width(&session) as u16;
    let labelled = area.width >= 76;
    let label = |pane: PaneId| if labelled || Some(pane) == front { Label::Shown } else { Label::Hidden };
    let wide: u16 = PaneId::ALL.iter().map(|pane| tab_width(*pane, label(*pane))).sum();
    let machine = machine(view);
    let right = text::width(&machine.join(" · ")) as u16 + 3;
    let centred = left + wide + right + 2 <= area.width;
    let tabs = match area.width.checked_sub(left + wide + right).filter(|_| centred) {
        Some(free) => row.x + left + free / 2,
        None => row.x + area.width.saturating_sub(wide + 1),
    };
    let signs = ongoing::signs(view.store);
    let sign = if centred {
        let room = row.right().saturating_sub(tabs + wide + 1);
        draw_name(buffer, row, view, &session, "");
        draw_right(buffer, row, view, &signs, &machine, room)
    } else {
        let before = Rect { width: tabs.saturating_sub(row.x + 2), ..row };
        // Without its name where it is cut otherwise, and never within a word; shorter where the session's name would go.
        let room = usize::from(before.width.saturating_sub(PROGRAM));
        let named = text::width(&session).min(LEAST_SESSION);
        let telling = signs.get(1..signs.len().saturating_sub(1)).unwrap_or_default();
        let beside = telling.iter().find(|sign| text::width(sign) + 2 + named <= room);
        let fitting = beside.or_else(|| signs.iter().skip(1).find(|sign| text::width(sign) <= room));
        draw_name(buffer, before, view, &session, fitting.map_or("", String::as_str))
    };
    let Some(front) = front else { return Header { tabs: [Rect::ZERO; 6], sign } };
    let mut x = tabs.min(row.right());
    let tabs = PaneId::ALL.map(|pane| {
        let width = tab_width(pane, label(pane)).min(row.right().saturating_sub(x));
        let area = Rect { x, width, ..row };
        draw_tab(buffer, area, view, pane, if pane == front { Front::Yes } else { Front::No }, label(pane));
        x += width;
        area
    });
    Header { tabs, sign }
}

fn hairline(buffer: &mut Buffer, row: Rect, view: View<'_>) {
    for x in row.x + 1..row.right().saturating_sub(1) {
        if let Some(cell) = buffer.cell_mut((x, row.y)) {
            cell.set_symbol("─").set_style(view.theme.rule);
        }
    }
}

/// Program and session, and what goes on after them when it has no other place: the name gives way to it.
fn draw_name(buffer: &mut Buffer, row: Rect, view: View<'_>, session: &str, sign: &str) -> Rect {
    let theme = view.theme;
    let wide = text::width(sign) as u16;
    let taken = if wide > 0 { PROGRAM + wide + 2 } else { PROGRAM };
    let name = text::shorten(session, usize::from(row.width.saturating_sub(taken)));
    text::put(buffer, row.x + 1, row.y, "dojo", usize::from(row.width), theme.accent);
    let (end, _) = text::put(buffer, row.x + PROGRAM, row.y, &name, usize::from(row.width), theme.bright);
    let x = if name.is_empty() { end } else { end + 2 };
    let sign_area = Rect { x, width: wide, ..row }.intersection(row);
    text::put(buffer, x, row.y, sign, usize::from(sign_area.width), theme.accent);
    sign_area
}

/// What goes on, and as much of the machine as has room beside it.
fn draw_right(
    buffer: &mut Buffer,
    row: Rect,
    view: View<'_>,
    signs: &[String],
    machine: &[String],
    room: u16,
) -> Rect {
    let theme = view.theme;
    // The model goes first: it is the session's.
    let machines = [machine.join(" · "), machine.get(1..).unwrap_or_default().join(" · "), String::new()];
    // The machine is worth more than the shortest words, and words more than the bare sign.
    let (bare, telling) =
        signs.split_last().map_or((String::new(), signs), |(bare, rest)| (bare.clone(), rest));
    let telling = telling.get(..2).unwrap_or(telling);
    let told = machines.iter().flat_map(|machine| telling.iter().map(move |sign| (sign, machine)));
    let pairs = told.chain(machines.iter().map(|machine| (&bare, machine)));
    let wide = |(sign, machine): &(&String, &String)| {
        let gap = if sign.is_empty() || machine.is_empty() { 0 } else { 3 };
        (text::width(sign) + gap + text::width(machine)) as u16
    };
    let Some(pair) = pairs.into_iter().find(|pair| wide(pair) < room) else { return Rect::ZERO };
    let x = row.right().saturating_sub(wide(&pair) + 1);
    let (end, _) = text::put(buffer, x, row.y, pair.0, usize::from(room), theme.accent);
    let sign = Rect { x, width: end - x, ..row };
    let gap = if pair.0.is_empty() || pair.1.is_empty() { "" } else { " · " };
    text::put(buffer, end, row.y, format!("{gap}{}", pair.1), usize::from(room), theme.dim);
    sign
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

/// `smollm2-135m`, `cpu`, `1.2/23 GB`; what is not known is left out.
fn machine(view: View<'_>) -> Vec<String> {
    let machine = &view.store.machine;
    let model = view.store.session.as_ref().map_or("", |session| session.file.model.as_str());
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let memory = (machine.memory_total_bytes > 0).then(|| {
        format!("{:.1}/{:.0} GB", gigabytes(machine.memory_used_bytes), gigabytes(machine.memory_total_bytes))
    });
    let parts = [Some(model.to_owned()), Some(machine.device.clone()), memory];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect()
}
