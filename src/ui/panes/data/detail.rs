//! One record whole: its turns, its row as imported, its history.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::detail_turns;
use crate::domain::change::{ChangeState, RecordChange};
use crate::domain::protocol::data::{Opened, TokenPiece, Trained};
use crate::domain::record::{Record, RecordId};
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::text;

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
    /// The first line on the screen; nothing until somebody scrolls: then it begins with what matters.
    top: Option<usize>,
    size: Size,
    /// Lines that the search matches, as of the last draw; none while no record is drawn.
    matches: Option<Vec<usize>>,
    /// The match that a person has gone to.
    mark: Option<usize>,
    /// The record that was drawn last.
    of: Option<RecordId>,
    /// Which match of the next record to begin with.
    arrive: Seek,
    /// What was drawn last: where scrolling begins.
    drawn: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Size {
    #[default]
    Beside,
    Whole,
}

/// Which match of a search comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Seek {
    #[default]
    Next,
    Before,
}

/// Lines that are seen above a match.
const ABOVE: usize = 2;

impl Detail {
    pub(super) const fn tab(&self) -> Tab {
        self.tab
    }

    pub(super) fn is_open(&self) -> bool {
        self.size == Size::Whole
    }

    pub(super) fn toggle(&mut self) {
        self.size = if self.is_open() { Size::Beside } else { Size::Whole };
        self.top = None;
    }

    pub(super) fn turn(&mut self, by: isize) {
        let count = Tab::ALL.len();
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or_default();
        let next = (at + count).saturating_add_signed(by) % count;
        self.show(Tab::ALL.get(next).copied().unwrap_or_default());
    }

    pub(super) fn show(&mut self, tab: Tab) {
        self.tab = tab;
        self.rewind(Seek::Next);
    }

    pub(super) fn scroll(&mut self, by: isize) {
        self.top = Some(self.drawn.saturating_add_signed(by));
    }

    /// Another record: from its first match, or from the last where one comes from below.
    pub(super) fn rewind(&mut self, arrive: Seek) {
        (self.top, self.mark, self.arrive) = (None, None, arrive);
    }

    /// No record is on the screen.
    pub(super) fn hide(&mut self) {
        self.matches = None;
    }

    /// Goes to the next match within the record; false where there is none, or no record is seen.
    pub(super) fn seek(&mut self, seek: Seek) -> bool {
        let Some(matches) = &self.matches else { return false };
        let next = match (seek, self.mark) {
            (_, None) => None,
            (Seek::Next, Some(mark)) => matches.iter().find(|line| **line > mark),
            (Seek::Before, Some(mark)) => matches.iter().rfind(|line| **line < mark),
        };
        let Some(next) = next.copied() else { return false };
        self.mark = Some(next);
        self.top = Some(next.saturating_sub(ABOVE));
        true
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
        if self.of.replace(id) != Some(id) {
            // The one before was still seen until this one was read.
            (self.top, self.mark) = (None, None);
        }
        let width = usize::from(area.width);
        let mut begin = 0;
        let (head, lines) = match self.tab {
            Tab::Messages => {
                let turns = detail_turns::turns(opened, width, view.theme, highlights);
                // Of a long conversation a part of the screen shows what is answered last.
                if self.size == Size::Beside && opened.record.messages.len() > 2 {
                    begin = turns.question;
                }
                (Some(facts(opened, width, view.theme)), turns.lines)
            }
            Tab::Tokens => (None, tokens(id, width, view)),
            Tab::Raw => (None, raw(&opened.record, width, view.theme, highlights)),
            Tab::History => (None, history(&opened.history, width, view)),
        };
        let mut area = area;
        if let Some(head) = head {
            head.render(Rect { height: 1, ..area }.intersection(area), buffer);
            area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        }
        self.arrive_at_match(&lines, highlights);
        self.draw_lines(buffer, area, lines, begin, view.theme);
    }

    /// Finds the lines that the search matches, and goes to one of them when the record has just come.
    fn arrive_at_match(&mut self, lines: &[Line<'_>], highlights: &Highlights) {
        let matched = |line: &Line<'_>| {
            !highlights.is_empty() && line.spans.iter().any(|span| highlights.is_match(&span.content))
        };
        let matches: Vec<usize> = (0..lines.len()).filter(|at| lines.get(*at).is_some_and(matched)).collect();
        if self.mark.is_none() && self.top.is_none() {
            self.mark = match self.arrive {
                Seek::Next => matches.first().copied(),
                Seek::Before => matches.last().copied(),
            };
            self.top = self.mark.map(|mark| mark.saturating_sub(ABOVE));
        }
        self.matches = Some(matches);
    }

    fn draw_lines(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        lines: Vec<Line<'static>>,
        begin: usize,
        theme: &Theme,
    ) {
        let height = usize::from(area.height);
        let count = lines.len();
        let top = self.top.unwrap_or(begin).min(count.saturating_sub(height));
        self.drawn = top;
        self.top = self.top.map(|_| top);
        for (index, (y, line)) in (area.y..area.bottom()).zip(lines.into_iter().skip(top)).enumerate() {
            text::put_line(buffer, Rect { y, height: 1, ..area }, line);
            if self.mark == Some(top + index) {
                text::put(buffer, area.x.saturating_sub(2), y, "›", 1, theme.accent);
            }
        }
        let below = count - (top + height).min(count);
        let mut say = |lines: usize, way: &str, y: u16| {
            let words = format!(" {lines} {way} ");
            let wide = text::width(&words) as u16;
            text::put(buffer, area.right().saturating_sub(wide), y, &words, usize::from(wide), theme.dim);
        };
        if area.height > 1 && top > 0 {
            say(top, if top == 1 { "line above" } else { "lines above" }, area.y);
        }
        if area.height > 1 && below > 0 {
            say(below, if below == 1 { "more line" } else { "more lines" }, area.bottom() - 1);
        }
    }
}

/// Where it came from and how it stands, on one line.
fn facts(opened: &Opened, width: usize, theme: &Theme) -> Line<'static> {
    let record = &opened.record;
    let mut parts = vec![match record.provenance.source.as_str() {
        "" => "written here".to_owned(),
        source => format!("{source}:{}", record.provenance.line),
    }];
    parts.extend(opened.tokens.map(|tokens| format!("{} tokens", text::count(u64::from(tokens)))));
    parts.extend(detail_turns::words(record));
    parts.extend(record.label.iter().map(|label| format!("label {label}")));
    parts.extend(record.tags.iter().map(|tag| format!("#{tag}")));
    Line::styled(text::shorten(&parts.join(" · "), width), theme.dim)
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
    let mut row = TokenLine { lines: &mut lines, spans: Vec::new(), used: 0, width: width.max(10) };
    for (index, piece) in pieces.iter().enumerate() {
        row.put(piece, index, theme);
    }
    row.end();
    lines
}

/// A line of tokens that is being filled.
struct TokenLine<'l> {
    lines: &'l mut Vec<Line<'static>>,
    spans: Vec<Span<'static>>,
    used: usize,
    width: usize,
}

impl TokenLine<'_> {
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
