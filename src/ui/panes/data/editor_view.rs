//! How the turns being edited look: all in their order with the beginnings of their texts, the one that has the
//! keyboard open at its own place, and the question that it answers for as long as there is room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::detail_turns::signs;
use super::editor::{BodyPart, EditedTurn, RecordEditor};
use crate::domain::message::{Role, call_text};
use crate::ui::theme::Theme;
use crate::ui::widgets::{text, writing};

/// Columns of the speakers' names, where there is room for them, and where there isn't.
const NAMES: u16 = 18;
const FEW: u16 = 11;
/// Columns from which on there is room.
const WIDE: u16 = 50;
/// Rows that the turn being written has at least.
const OWN: usize = 3;

impl RecordEditor {
    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        self.places.clear();
        if self.turns.is_empty() {
            let words = "This record has columns only. alt-n begins a conversation in it.";
            let room = usize::from(area.width);
            text::put(buffer, area.x, area.y, words, room, theme.dim);
            return;
        }
        let names = if area.width < WIDE { FEW } else { NAMES };
        let columns = usize::from(area.width.saturating_sub(names + 1)).max(2);
        let height = usize::from(area.height);
        let question = self
            .question()
            .map(|turn| (turn, self.turns.get(turn).map_or(0, |turn| rows(turn, columns, height))));
        let mut y = area.y;
        for (index, rows) in plan(self.turns.len(), self.at, question, height) {
            let place = Rect { y, height: rows as u16, ..area };
            y += place.height;
            self.draw_name(buffer, Rect { width: names.min(area.width), ..place }, index, theme);
            let texts = Rect {
                x: (area.x + names + 1).min(area.right()),
                width: area.width.saturating_sub(names + 1),
                ..place
            };
            if index == self.at {
                self.draw_turn(buffer, texts, theme);
            } else if let Some(turn) = self.turns.get(index) {
                let style = if question.is_some_and(|(question, _)| question == index) {
                    theme.text
                } else {
                    theme.dim
                };
                for (y, line) in (texts.y..texts.bottom()).zip(beginning(turn, columns, rows)) {
                    text::put(buffer, texts.x, y, line, columns, style);
                }
            }
            self.places.push((place, index));
        }
    }

    /// The turn that asks what the one being written answers.
    fn question(&self) -> Option<usize> {
        let own = self.turns.get(self.at)?;
        let asks = |turn: &EditedTurn| turn.part == BodyPart::Message && turn.message.role == Role::User;
        if asks(own) { None } else { self.turns.get(..self.at)?.iter().rposition(asks) }
    }

    /// ` 5 assistant ƒ1∴1`.
    fn draw_name(&self, buffer: &mut Buffer, area: Rect, index: usize, theme: &Theme) {
        let Some(turn) = self.turns.get(index).filter(|_| area.width > 1) else { return };
        let here = index == self.at;
        if here {
            text::put(buffer, area.x, area.y, "▌", 1, theme.accent);
        }
        let style = if here { theme.accent } else { theme.dim };
        let line = format!("{:>2} {}", index + 1, named(turn));
        let room = usize::from(area.width - 1);
        text::put(buffer, area.x + 1, area.y, &line, room, style);
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
            text::put(buffer, area.x, y, line, room, theme.dim);
        }
    }
}

/// Who speaks, with signs of what the turn has beside its text.
fn named(turn: &EditedTurn) -> String {
    let role = turn.name();
    let thoughts = usize::from(turn.message.thought().is_some());
    let signs = signs(turn.message.tool_calls().len(), thoughts);
    if signs.is_empty() { role.to_owned() } else { format!("{role} {signs}") }
}

/// What the turn has beside its text: it stays as it is.
fn kept(turn: &EditedTurn) -> Vec<String> {
    if turn.part == BodyPart::Text {
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

/// Which turns are shown, and in how many rows each. The one being written has what the others leave; these have a row
/// each, those next to it where there is no room for all. The question has as many as it needs where there is room.
fn plan(count: usize, at: usize, question: Option<(usize, usize)>, height: usize) -> Vec<(usize, usize)> {
    let rest = height - (height * 2 / 5).max(OWN).min(height);
    let all = count.saturating_sub(1);
    let more =
        question.map_or(0, |(_, rows)| rows.saturating_sub(1).min(rest.saturating_sub(all).max(rest / 3)));
    let others = all.min(rest - more);
    let after = count.saturating_sub(at + 1).min(others / 2);
    let before = at.min(others - after);
    let mut shown: Vec<usize> = (at - before..=at + (others - before)).collect();
    if let (Some((question, _)), Some(top)) = (question, shown.first_mut())
        && question < *top
        && *top != at
    {
        *top = question;
    }
    let rows =
        |turn: usize| if question.is_some_and(|(question, _)| question == turn) { 1 + more } else { 1 };
    let taken: usize = shown.iter().filter(|turn| **turn != at).map(|turn| rows(*turn)).sum();
    shown.into_iter().map(|turn| (turn, if turn == at { height - taken } else { rows(turn) })).collect()
}

/// Rows that a turn's text takes, up to so many.
fn rows(turn: &EditedTurn, columns: usize, most: usize) -> usize {
    text::wrap(&head(turn, columns, most), columns).len().min(most)
}

/// The text in at most so many rows; what is cut ends in `…`.
fn beginning(turn: &EditedTurn, columns: usize, rows: usize) -> Vec<String> {
    let text = head(turn, columns, rows);
    if rows == 1 {
        return vec![text::shorten(&text, columns)];
    }
    let mut lines = text::wrap(&text, columns);
    if lines.len() > rows {
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            *last = text::shorten(&format!("{last} …"), columns);
        }
    }
    lines
}

/// As much of a turn's text as fills so many rows, and a little more; its calls where it has no text.
fn head(turn: &EditedTurn, columns: usize, rows: usize) -> String {
    let most = columns.saturating_mul(rows + 1).saturating_mul(4);
    let mut head = String::new();
    for line in turn.area.lines() {
        if head.len() > most {
            break;
        }
        if !head.is_empty() {
            head.push('\n');
        }
        head.extend(line.chars().take(most));
    }
    if head.trim().is_empty() {
        let calls: Vec<_> =
            turn.message.tool_calls().iter().map(|call| format!("ƒ {}", call_text(call))).collect();
        return calls.join(" ");
    }
    head
}
