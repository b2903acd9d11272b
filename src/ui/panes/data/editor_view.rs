//! How the turns being edited look: their list on the left, the one that has the keyboard beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::detail_turns::signs;
use super::editor::{Editor, Part, Turn};
use crate::domain::message::call_text;
use crate::ui::theme::Theme;
use crate::ui::widgets::{text, writing};

/// Columns of the list of turns.
const LIST: u16 = 18;
/// Columns below which the turns are named in one line.
const WIDE: u16 = 50;

impl Editor {
    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        if self.turns.is_empty() {
            let words = "This record has columns only. alt-n begins a conversation in it.";
            let room = usize::from(area.width);
            buffer.set_stringn(area.x, area.y, text::shorten(words, room), room, theme.dim);
            return;
        }
        let body = if area.width < WIDE {
            self.draw_name(buffer, area, theme);
            Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
        } else {
            self.draw_list(buffer, Rect { width: LIST, ..area }, theme);
            Rect { x: area.x + LIST + 1, width: area.width - LIST - 1, ..area }
        };
        self.draw_turn(buffer, body, theme);
    }

    /// `2/5 assistant`, where there is no room for a list.
    fn draw_name(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        self.list = (Rect::ZERO, 0);
        let Some(turn) = self.turns.get(self.at) else { return };
        let name = format!("{}/{} {}", self.at + 1, self.turns.len(), named(turn));
        let room = usize::from(area.width);
        buffer.set_stringn(area.x, area.y, text::shorten(&name, room), room, theme.accent);
    }

    fn draw_list(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let height = usize::from(area.height).max(1);
        let first = (self.at + 1).saturating_sub(height).max(self.list.1.min(self.at));
        let first = first.min(self.turns.len().saturating_sub(height));
        self.list = (area, first);
        for (y, (index, turn)) in (area.y..area.bottom()).zip(self.turns.iter().enumerate().skip(first)) {
            let here = index == self.at;
            let style = if here { theme.accent } else { theme.dim };
            if here {
                buffer.set_stringn(area.x, y, "▌", 1, theme.accent);
            }
            let line = format!("{:>2} {}", index + 1, named(turn));
            let room = usize::from(area.width - 1);
            buffer.set_stringn(area.x + 1, y, text::shorten(&line, room), room, style);
        }
    }

    /// The text, and below it what stays with it.
    fn draw_turn(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let Some(turn) = self.turns.get_mut(self.at) else { return };
        let mut below = kept(turn);
        if !self.note.is_empty() {
            below.push(self.note.clone());
        }
        let rows = (below.len() as u16).min(area.height.saturating_sub(1));
        let field = Rect { height: area.height - rows, ..area };
        turn.area.set_style(theme.text);
        turn.area.set_cursor_style(theme.caret);
        writing::draw(&turn.area, buffer, field, theme);
        for (y, line) in (field.bottom()..area.bottom()).zip(below.iter().rev().take(usize::from(rows)).rev())
        {
            let room = usize::from(area.width);
            buffer.set_stringn(area.x, y, text::shorten(line, room), room, theme.dim);
        }
    }
}

/// Who speaks, with signs of what the turn has beside its text.
fn named(turn: &Turn) -> String {
    let role = turn.name();
    let thoughts = usize::from(turn.message.thought().is_some());
    let signs = signs(turn.message.tool_calls().len(), thoughts);
    if signs.is_empty() { role.to_owned() } else { format!("{role} {signs}") }
}

/// What the turn has beside its text: it stays as it is.
fn kept(turn: &Turn) -> Vec<String> {
    if turn.part == Part::Text {
        return Vec::new();
    }
    let message = &turn.message;
    let thought =
        message.thought().map(|thought| format!("∴ thought, kept: {}", text::shorten(thought, 400)));
    let calls = message.tool_calls().iter().map(|call| format!("ƒ call, kept: {}", call_text(call)));
    let rest = message.rest();
    let rest = (!rest.is_empty()).then(|| format!("kept: {}", rest.join(", ")));
    thought.into_iter().chain(calls).chain(rest).take(3).collect()
}
