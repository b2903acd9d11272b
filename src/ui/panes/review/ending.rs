//! Nothing waits any more: what comes next.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::bindings::key_of;
use super::{Blind, ReviewMode, ReviewPane};
use crate::ui::pane::View;
use crate::ui::widgets::text;

/// Above the texts: that all is decided, and the keys that go on from there. Gives what is left of the area.
pub(super) fn draw(pane: &ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) -> Rect {
    let waits = view.store.review.rows().iter().any(|row| pane.waits(row));
    if waits || pane.blind == Blind::Yes || !matches!(pane.mode, ReviewMode::Look) {
        return area;
    }
    let most = if area.height < 14 { 2 } else { 3 };
    let mut lines = text::wrap(&words(pane, view), usize::from(area.width.saturating_sub(2)).max(10));
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    let theme = view.theme;
    for (y, (line, sign)) in (area.y..area.bottom()).zip(lines.iter().zip(["✓ ", "  ", "  "])) {
        let line = Line::from(vec![Span::styled(sign, theme.good), Span::styled(line.clone(), theme.bright)]);
        text::put_line(buffer, Rect { y, height: 1, ..area }, line);
    }
    let rows = (lines.len() as u16).min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

fn words(pane: &ReviewPane, view: View<'_>) -> String {
    let counts = view.store.review.counts.unwrap_or_default();
    let key = |name: &str| key_of(name, view.keymap);
    if !pane.line.is_empty() && counts.pending > 0 {
        return format!(
            "Nothing waits in this filter. {} shows everything: {} wait there.",
            key("review.close"),
            text::count(counts.pending)
        );
    }
    let mut words = "Nothing waits any more. ".to_owned();
    words.push_str(&match counts.ready_for_sft {
        0 => "Nothing is ready to train on: no correction was approved and no thought is right.".to_owned(),
        1 => format!("{} trains on the 1 text that is ready.", key("review.train")),
        ready => {
            format!("{} trains on the {} texts that are ready.", key("review.train"), text::count(ready))
        }
    });
    if counts.uncorrected > 0 {
        let noun = if counts.uncorrected == 1 { "thought has" } else { "thoughts have" };
        words.push_str(&format!(
            " {} wrong {noun} no correction: {} goes there, {} writes one.",
            text::count(counts.uncorrected),
            key("review.skip"),
            key("review.edit")
        ));
    }
    words
}
