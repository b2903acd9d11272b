//! One record whole: its turns, its row as imported, its history.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::domain::change::{ChangeState, RecordChange};
use crate::domain::protocol::data::{Opened, TokenPiece, Trained};
use crate::domain::record::{Record, RecordId};
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::{markdown, text};

/// Which side of a record is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tab {
    #[default]
    Messages,
    Tokens,
    Raw,
    History,
}

impl Tab {
    pub(super) const ALL: [Self; 4] = [Self::Messages, Self::Tokens, Self::Raw, Self::History];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Tokens => "tokens",
            Self::Raw => "raw",
            Self::History => "history",
        }
    }
}

/// Which side is shown, how far it is scrolled, and whether it has the whole pane.
#[derive(Debug, Default)]
pub(super) struct Detail {
    tab: Tab,
    top: usize,
    size: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Size {
    #[default]
    Beside,
    Whole,
}

impl Detail {
    pub(super) const fn tab(&self) -> Tab {
        self.tab
    }

    pub(super) fn is_open(&self) -> bool {
        self.size == Size::Whole
    }

    pub(super) fn toggle(&mut self) {
        self.size = if self.is_open() { Size::Beside } else { Size::Whole };
    }

    pub(super) fn turn(&mut self, by: isize) {
        let count = Tab::ALL.len();
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or_default();
        let next = (at + count).saturating_add_signed(by) % count;
        self.tab = Tab::ALL.get(next).copied().unwrap_or_default();
        self.top = 0;
    }

    pub(super) fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by);
    }

    pub(super) fn rewind(&mut self) {
        self.top = 0;
    }

    /// The record's side that is chosen, from the line that it is scrolled to.
    pub(super) fn draw(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        view: View<'_>,
        (id, opened): (RecordId, &Opened),
        highlights: &Highlights,
    ) {
        let width = usize::from(area.width);
        let lines = match self.tab {
            Tab::Messages => messages(opened, width, view.theme, highlights),
            Tab::Tokens => tokens(id, width, view),
            Tab::Raw => raw(&opened.record, width, view.theme, highlights),
            Tab::History => history(&opened.history, width, view),
        };
        let height = usize::from(area.height);
        self.top = self.top.min(lines.len().saturating_sub(height));
        let below = lines.len() - (self.top + height).min(lines.len());
        for (y, line) in (area.y..area.bottom()).zip(lines.into_iter().skip(self.top)) {
            line.render(Rect { y, height: 1, ..area }, buffer);
        }
        if below > 0 && area.height > 1 {
            let more = format!(" {below} more lines ");
            let x = area.right().saturating_sub(more.len() as u16);
            buffer.set_stringn(x, area.bottom() - 1, &more, more.len(), view.theme.dim);
        }
    }
}

/// Columns that the speakers' names take.
const NAMES: usize = 11;

fn messages(opened: &Opened, width: usize, theme: &Theme, highlights: &Highlights) -> Vec<Line<'static>> {
    let record = &opened.record;
    let mut lines = vec![facts(opened, theme)];
    lines.extend(
        opened.findings.iter().map(|(check, what)| Line::styled(format!("! {check}: {what}"), theme.warning)),
    );
    let turns = record.messages.iter().map(|turn| (turn.role.name(), turn.text()));
    let pair = record.preference.iter().flat_map(|pair| {
        let chosen = pair.chosen.iter().map(|turn| ("✓ chosen", turn.text()));
        chosen.chain(pair.rejected.iter().map(|turn| ("✗ rejected", turn.text())))
    });
    let text = record.text.iter().map(|text| ("text", Cow::Borrowed(text.as_str())));
    let mut any = false;
    for (who, content) in turns.chain(pair).chain(text) {
        any = true;
        let body = markdown::lines(&content, width.saturating_sub(NAMES).max(10), theme, highlights);
        for (index, line) in body.into_iter().enumerate() {
            let name = if index == 0 { who } else { "" };
            let mut spans = vec![Span::styled(format!("{name:NAMES$}"), theme.accent)];
            spans.extend(line.spans);
            lines.push(Line::from(spans));
        }
        lines.push(Line::default());
    }
    if !any {
        lines.push(Line::styled("Columns only; the row as imported is under raw.", theme.dim));
    }
    lines
}

/// Where it came from and how it stands, on one line.
fn facts(opened: &Opened, theme: &Theme) -> Line<'static> {
    let record = &opened.record;
    let mut parts = vec![match record.provenance.source.as_str() {
        "" => "written here".to_owned(),
        source => format!("{source}:{}", record.provenance.line),
    }];
    parts.extend(opened.tokens.map(|tokens| format!("{} tokens", text::count(u64::from(tokens)))));
    parts.extend(record.label.iter().map(|label| format!("label {label}")));
    parts.extend(record.tags.iter().map(|tag| format!("#{tag}")));
    Line::styled(parts.join(" · "), theme.dim)
}

/// Token by token: what is trained on in one colour and underlined, the rest dim; borders by turns of weight.
fn tokens(id: RecordId, width: usize, view: View<'_>) -> Vec<Line<'static>> {
    let theme = view.theme;
    let pieces = match &view.store.data.tokens {
        Some((of, Ok(pieces))) if *of == id => pieces,
        Some((of, Err(why))) if *of == id => {
            return text::wrap(why, width.max(10))
                .into_iter()
                .map(|line| Line::styled(line, theme.warning))
                .collect();
        }
        _ => return vec![Line::styled("cutting into tokens …", theme.dim)],
    };
    let trained = pieces.iter().filter(|piece| piece.trained == Trained::Yes).count();
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} tokens · ", pieces.len()), theme.dim),
        Span::styled(format!("{trained} trained on"), theme.good.add_modifier(Modifier::UNDERLINED)),
        Span::styled(format!(" · {} masked", pieces.len() - trained), theme.dim),
    ])];
    let mut row = Row { lines: &mut lines, spans: Vec::new(), used: 0, width: width.max(10) };
    for (index, piece) in pieces.iter().enumerate() {
        row.put(piece, index, theme);
    }
    row.end();
    lines
}

/// A line of tokens that is being filled.
struct Row<'l> {
    lines: &'l mut Vec<Line<'static>>,
    spans: Vec<Span<'static>>,
    used: usize,
    width: usize,
}

impl Row<'_> {
    fn put(&mut self, piece: &TokenPiece, index: usize, theme: &Theme) {
        let style = match piece.trained {
            Trained::Yes => theme.good.add_modifier(Modifier::UNDERLINED),
            Trained::No => theme.dim,
        };
        // Neighbours differ in weight, so that borders show without taking room.
        let style = if index.is_multiple_of(2) { style } else { style.add_modifier(Modifier::BOLD) };
        let breaks = piece.text.contains('\n');
        let shown = piece.text.replace('\n', "⏎").replace(['\r', '\t'], " ");
        let wide = text::width(&shown);
        if self.used + wide > self.width {
            self.end();
        }
        self.used += wide;
        self.spans.push(Span::styled(shown, style));
        if breaks {
            self.end();
        }
    }

    fn end(&mut self) {
        self.lines.push(Line::from(std::mem::take(&mut self.spans)));
        self.used = 0;
    }
}

fn raw(record: &Record, width: usize, theme: &Theme, highlights: &Highlights) -> Vec<Line<'static>> {
    let pretty = serde_json::to_string_pretty(&record.fields).unwrap_or_else(|error| error.to_string());
    let mut lines = Vec::new();
    for line in pretty.lines() {
        for part in text::wrap(line, width.max(10)) {
            let spans = highlights.spans(&part, theme.text, theme.matched);
            let owned = spans.into_iter().map(|span| Span::styled(span.content.into_owned(), span.style));
            lines.push(Line::from(owned.collect::<Vec<_>>()));
        }
    }
    lines
}

fn history(changes: &[RecordChange], width: usize, view: View<'_>) -> Vec<Line<'static>> {
    let theme = view.theme;
    changes
        .iter()
        .rev()
        .map(|change| {
            let when = text::ago(change.entry.at as f64 / 1000.0, view.store.now);
            let undone = if change.entry.state == ChangeState::Done { "" } else { "  (undone)" };
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            let what = match (&change.before, &change.after) {
                (None, Some(after)) if change.field == "record" => format!("{after}: {}", change.entry.what),
                (before, after) => format!("{}: {} → {}", change.field, shown(before), shown(after)),
            };
            let head = format!("{when:>8}  {:<10} ", text::shorten(&change.entry.who, 10));
            let room = width.saturating_sub(text::width(&head) + undone.len());
            Line::from(vec![
                Span::styled(head, theme.dim),
                Span::styled(text::shorten(&what, room), theme.text),
                Span::styled(undone, theme.dim),
            ])
        })
        .collect()
}
