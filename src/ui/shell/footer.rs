//! The bottom line: the keys that work right now. A click on one acts as the key.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::keymap::Chord;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// A key and what it does.
#[derive(Debug, Clone)]
pub(crate) struct Hint {
    pub(crate) keys: String,
    pub(crate) label: &'static str,
    /// How soon it may be left out when there is no room: greater ones go first, then those farther right.
    pub(crate) rank: usize,
}

impl Hint {
    pub(crate) const fn new(keys: String, label: &'static str, rank: usize) -> Self {
        Self { keys, label, rank }
    }

    fn width(&self) -> u16 {
        (text::width(&self.keys) + text::width(self.label)) as u16 + 1
    }
}

/// Draws as many as fit, in their order; those of `last` always, at the right end. Where some are left out there is a
/// `…`. Returns where each key is.
pub(crate) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    hints: &[Hint],
    last: &[Hint],
) -> Vec<(Rect, Chord)> {
    buffer.set_style(area, theme.base);
    let mut places = Vec::new();
    let mut end = area.right().saturating_sub(1);
    for hint in last.iter().rev() {
        end = end.saturating_sub(hint.width());
        draw_hint(buffer, (end, area.y), theme, hint, &mut places);
        end = end.saturating_sub(2);
    }
    let shown = ShownHints::of(hints, end.saturating_sub(area.x + 1));
    let mut x = area.x + 1;
    for hint in hints.iter().zip(&shown.kept).filter_map(|(hint, kept)| kept.then_some(hint)) {
        draw_hint(buffer, (x, area.y), theme, hint, &mut places);
        x += hint.width() + shown.gap;
    }
    if shown.kept.contains(&false) && x < end {
        text::put(buffer, x, area.y, "…", 1, theme.dim);
    }
    places
}

/// Which hints have room, and how far apart they are.
struct ShownHints {
    kept: Vec<bool>,
    gap: u16,
}

impl ShownHints {
    fn of(hints: &[Hint], room: u16) -> Self {
        let wide = |gap: u16| hints.iter().map(|hint| hint.width() + gap).sum::<u16>().saturating_sub(gap);
        if let Some(gap) = [3, 2].into_iter().find(|gap| wide(*gap) <= room) {
            return Self { kept: vec![true; hints.len()], gap };
        }
        let mut order: Vec<usize> = (0..hints.len()).collect();
        order.sort_by_key(|at| hints.get(*at).map(|hint| hint.rank));
        // A `…` says that there are more.
        let mut left = room.saturating_sub(1);
        let mut kept = vec![false; hints.len()];
        for (at, hint) in order.into_iter().filter_map(|at| Some((at, hints.get(at)?))) {
            let Some(rest) = left.checked_sub(hint.width() + 2) else { break };
            left = rest;
            if let Some(kept) = kept.get_mut(at) {
                *kept = true;
            }
        }
        Self { kept, gap: 2 }
    }
}

fn draw_hint(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    theme: &Theme,
    hint: &Hint,
    places: &mut Vec<(Rect, Chord)>,
) {
    let (after, _) = text::put(buffer, x, y, &hint.keys, 12, theme.text);
    let (end, _) = text::put(buffer, after + 1, y, hint.label, 24, theme.dim);
    if let Some(chord) = Chord::of_sign(&hint.keys) {
        places.push((Rect { x, y, width: end.saturating_sub(x), height: 1 }, chord));
    }
}
