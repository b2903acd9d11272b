//! One record whole: its turns, its row as imported, its history.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::domain::change::{ChangeState, RecordChange};
use crate::domain::protocol::data::Opened;
use crate::domain::record::Record;
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::{markdown, text};

/// Which side of a record is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tab {
    #[default]
    Messages,
    Raw,
    History,
}

impl Tab {
    pub(super) const ALL: [Self; 3] = [Self::Messages, Self::Raw, Self::History];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Messages => "messages",
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
        opened: &Opened,
        highlights: &Highlights,
    ) {
        let width = usize::from(area.width);
        let lines = match self.tab {
            Tab::Messages => messages(&opened.record, width, view.theme, highlights),
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

fn messages(record: &Record, width: usize, theme: &Theme, highlights: &Highlights) -> Vec<Line<'static>> {
    let mut lines = vec![facts(record, theme)];
    let turns = record.messages.iter().map(|turn| (turn.role.name(), turn.content.as_str()));
    let pair = record.preference.iter().flat_map(|pair| {
        let chosen = pair.chosen.iter().map(|turn| ("✓ chosen", turn.content.as_str()));
        chosen.chain(pair.rejected.iter().map(|turn| ("✗ rejected", turn.content.as_str())))
    });
    let text = record.text.iter().map(|text| ("text", text.as_str()));
    let mut any = false;
    for (who, content) in turns.chain(pair).chain(text) {
        any = true;
        let body = markdown::lines(content, width.saturating_sub(NAMES).max(10), theme, highlights);
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
fn facts(record: &Record, theme: &Theme) -> Line<'static> {
    let mut parts = vec![match record.provenance.source.as_str() {
        "" => "written here".to_owned(),
        source => format!("{source}:{}", record.provenance.line),
    }];
    parts.extend(record.label.iter().map(|label| format!("label {label}")));
    parts.extend(record.tags.iter().map(|tag| format!("#{tag}")));
    Line::styled(parts.join(" · "), theme.dim)
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
