//! Labels by single keys: each of the most frequent ones has a digit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Labels that get a key.
const KEYS: usize = 9;

/// Which key sets which label, for as long as one labels: a key never changes under the fingers.
#[derive(Debug)]
pub(super) struct LabelKeys(Vec<(char, String)>);

impl LabelKeys {
    /// For the labels in use, the most frequent first. None when nothing is labelled.
    pub(super) fn of(labels: &[String]) -> Option<Self> {
        let mut names: Vec<&String> = labels.iter().take(KEYS).collect();
        names.sort();
        // A label that is a digit is set by that digit; the others take the digits that are left.
        let own = |name: &str| name.chars().next().filter(|digit| name.len() == 1 && digit.is_ascii_digit());
        let taken: Vec<char> = names.iter().filter_map(|name| own(name)).collect();
        let mut free = ('1'..='9').filter(|digit| !taken.contains(digit));
        let mut keys: Vec<(char, String)> = names
            .into_iter()
            .filter_map(|name| Some((own(name).or_else(|| free.next())?, name.clone())))
            .collect();
        keys.sort();
        (!keys.is_empty()).then_some(Self(keys))
    }

    pub(super) fn at(&self, key: char) -> Option<&str> {
        self.0.iter().find(|(own, _)| *own == key).map(|(_, label)| label.as_str())
    }

    /// `1 contradiction  2 entailment  3 neutral`, as wide as there is room.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let end = "  ⌫ none  ⏎ another";
        let room = usize::from(area.width).saturating_sub(text::width(end));
        let each = (room / self.0.len().max(1)).saturating_sub(4).max(3);
        let mut x = area.x;
        for (key, label) in &self.0 {
            let label = text::shorten(label, each);
            let left = usize::from(area.right().saturating_sub(x));
            if left < text::width(&label) + 2 {
                break;
            }
            (x, _) = text::put(buffer, x, area.y, key.to_string(), 1, theme.accent);
            (x, _) = text::put(buffer, x + 1, area.y, label, left - 2, theme.text);
            x += 2;
        }
        let left = usize::from(area.right().saturating_sub(x));
        text::put(buffer, x, area.y, end.trim_start(), left, theme.dim);
    }
}
