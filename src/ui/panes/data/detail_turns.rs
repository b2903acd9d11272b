//! A record's turns as lines: who speaks, what was thought first, which tools were called.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::message::{Message, Role, call_text};
use crate::domain::protocol::data::Opened;
use crate::domain::record::Record;
use crate::ui::theme::Theme;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::{markdown, text};

/// Columns that the speakers' names take.
const NAMES: usize = 11;

/// Lines, and where among them the question begins that is answered last.
pub(super) struct TurnLines {
    pub(super) lines: Vec<Line<'static>>,
    pub(super) question: usize,
}

/// `ƒ2∴1`: calls and thoughts, in as little room as a table has.
pub(super) fn signs(calls: usize, thoughts: usize) -> String {
    let calls = if calls > 0 { format!("ƒ{calls}") } else { String::new() };
    let thoughts = if thoughts > 0 { format!("∴{thoughts}") } else { String::new() };
    calls + &thoughts
}

/// The same in words: `5 turns · ƒ 2 tool calls · ∴ 1 thought`.
pub(super) fn words(record: &Record) -> Vec<String> {
    let of = |sign: &str, count: usize, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{sign}{count} {what}{plural}"))
    };
    [
        of("", record.messages.len(), "turn"),
        of("ƒ ", record.tool_calls(), "tool call"),
        of("∴ ", record.thoughts(), "thought"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// All turns of a record.
pub(super) fn turns(opened: &Opened, width: usize, theme: &Theme, highlights: &Highlights) -> TurnLines {
    let record = &opened.record;
    let mut lines: Vec<Line<'static>> = opened
        .findings
        .iter()
        .map(|(check, what)| Line::styled(format!("! {check}: {what}"), theme.warning))
        .collect();
    let mut writer =
        TurnWriter { lines: &mut lines, width: width.saturating_sub(NAMES).max(10), theme, highlights };
    let last = answered_last(record);
    let mut question = 0;
    for (index, turn) in record.messages.iter().enumerate() {
        if Some(index) == last {
            question = writer.lines.len();
        }
        writer.turn(turn.role.name(), turn);
    }
    if let Some(pair) = &record.preference {
        pair.chosen.iter().for_each(|turn| writer.turn("✓ chosen", turn));
        pair.rejected.iter().for_each(|turn| writer.turn("✗ rejected", turn));
    }
    if let Some(text) = &record.text {
        writer.part("text", text, theme.accent);
        writer.lines.push(Line::default());
    }
    for (name, told) in record.given() {
        // What the template is told has a long name.
        let name = if text::width(name) < NAMES { name } else { "template" };
        writer.part(name, &told, theme.accent);
        writer.lines.push(Line::default());
    }
    if record.messages.is_empty() && record.preference.is_none() && record.text.is_none() {
        lines.push(Line::styled("Columns only; the row as imported is under raw.", theme.dim));
    }
    TurnLines { lines, question }
}

/// Which turn asks what is answered last.
fn answered_last(record: &Record) -> Option<usize> {
    let last = record.messages.iter().rposition(|turn| turn.role == Role::Assistant);
    let end = last.filter(|_| record.preference.is_none()).unwrap_or(record.messages.len());
    record.messages.get(..end)?.iter().rposition(|turn| turn.role == Role::User)
}

struct TurnWriter<'w> {
    lines: &'w mut Vec<Line<'static>>,
    /// Of the texts, without the names.
    width: usize,
    theme: &'w Theme,
    highlights: &'w Highlights,
}

impl TurnWriter<'_> {
    /// What was thought first, what was said, what was called, and what else the turn has.
    fn turn(&mut self, who: &str, turn: &Message) {
        let (name, aside) = (self.theme.accent, self.theme.dim);
        let mut who = who;
        if let Some(thought) = turn.thought() {
            self.part(who, "", name);
            self.part(" ∴ thought", thought, aside);
            who = "";
        }
        let has_calls = !turn.tool_calls().is_empty();
        if !turn.content.is_empty() || (who.len() > 1 && !has_calls) {
            self.part(who, &turn.content, name);
            who = "";
        }
        for call in turn.tool_calls() {
            if !who.is_empty() {
                self.part(who, "", name);
                who = "";
            }
            self.part(" ƒ call", &call_text(call), aside);
        }
        let rest = turn.rest();
        if !rest.is_empty() {
            self.part("", &format!("[{}]", rest.join(", ")), aside);
        }
        self.lines.push(Line::default());
    }

    fn part(&mut self, who: &str, content: &str, style: Style) {
        let body = markdown::lines(content, self.width, self.theme, self.highlights);
        for (index, line) in body.into_iter().enumerate() {
            let name = if index == 0 { text::shorten(who, NAMES) } else { String::new() };
            let pad = NAMES.saturating_sub(text::width(&name));
            let mut spans = vec![Span::styled(name + &" ".repeat(pad), style)];
            spans.extend(line.spans);
            self.lines.push(Line::from(spans));
        }
    }
}
