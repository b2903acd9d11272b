//! One column of a conversation: its turns as lines, which of them are in sight, and what was clicked.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::app::store::chat::{Chats, Writing};
use crate::domain::chat::{Chat, Names, Outcome, Turn, TurnId, Why};
use crate::domain::message::Role;
use crate::domain::protocol::chat::Phase;
use crate::ui::theme::Theme;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::{markdown, text};

/// Columns of the speakers' names, the mark of the chosen turn before them.
const NAMES: usize = 8;

/// How far a column is scrolled, and what it showed last.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// The first line in sight; none follows the end.
    top: Option<usize>,
    /// Lines in all, and rows on the screen, at the last draw.
    lines: usize,
    rows: usize,
    /// Which turn each row of the screen belongs to.
    shown: Vec<Option<TurnId>>,
    pub(super) area: Rect,
    /// Turns as lines, at a width, for a length of text: only what is being written is laid out anew.
    laid_out: HashMap<TurnId, (usize, usize, Vec<Line<'static>>)>,
}

/// What a column is drawn from.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) chats: &'a Chats,
    pub(super) chat: &'a Chat,
    pub(super) theme: &'a Theme,
    pub(super) head: Option<TurnId>,
    /// The turn under the cursor, in the column that has it.
    pub(super) chosen: Option<TurnId>,
    /// Who answers according to the column's title: it need not be said again.
    pub(super) title: &'a str,
    /// Whether that turn has to be brought into sight.
    pub(super) follow: Follow,
}

/// Whether the window goes after the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Follow {
    Cursor,
    #[default]
    No,
}

impl Column {
    /// Follows the end again.
    pub(super) fn follow_end(&mut self) {
        self.top = None;
    }

    pub(super) fn scroll(&mut self, by: isize) {
        let last = self.lines.saturating_sub(self.rows);
        let top = self.top.unwrap_or(last).saturating_add_signed(by);
        self.top = (top < last).then_some(top);
    }

    pub(super) fn page(&mut self, by: isize) {
        let page = self.rows.saturating_sub(2).max(1) as isize;
        self.scroll(by * page);
    }

    /// The turn at a row of the screen.
    pub(super) fn turn_at(&self, row: u16) -> Option<TurnId> {
        self.shown.get(usize::from(row.checked_sub(self.area.y)?)).copied().flatten()
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, scene: Scene<'_>) {
        self.area = area;
        self.rows = usize::from(area.height);
        let width = usize::from(area.width);
        let mut lines: Vec<(TurnId, Line<'static>)> = Vec::new();
        let mut begins = None;
        for turn in scene.chat.path(scene.head) {
            if scene.chosen == Some(turn.id) {
                begins = Some(lines.len());
            }
            lines.extend(self.turn(turn, width, scene).into_iter().map(|line| (turn.id, line)));
        }
        self.lines = lines.len();
        let last = self.lines.saturating_sub(self.rows);
        if let (Follow::Cursor, Some(begin)) = (scene.follow, begins) {
            let top = self.top.unwrap_or(last);
            if begin < top || begin >= top + self.rows {
                self.top = (begin < last).then_some(begin);
            }
        }
        let top = self.top.unwrap_or(last).min(last);
        self.shown.clear();
        for (y, (turn, line)) in (area.y..area.bottom()).zip(lines.into_iter().skip(top)) {
            if scene.chosen == Some(turn) {
                buffer.set_string(area.x, y, "▌", scene.theme.accent);
            }
            self.shown.push(Some(turn));
            let room = Rect { x: area.x + 1, y, width: area.width.saturating_sub(1), height: 1 };
            line.render(room, buffer);
        }
        let below = self.lines - (top + self.rows).min(self.lines);
        if below > 0 && area.height > 2 {
            let more = format!(" {below} more lines ↓ ");
            let wide = text::width(&more) as u16;
            let x = area.right().saturating_sub(wide);
            buffer.set_stringn(x, area.bottom() - 1, &more, usize::from(wide), scene.theme.dim);
        }
    }

    fn turn(&mut self, turn: &Turn, width: usize, scene: Scene<'_>) -> Vec<Line<'static>> {
        let theme = scene.theme;
        let (name, style) = match turn.role {
            Role::Assistant => ("dojo", theme.accent),
            Role::User => ("you", theme.bright),
            Role::System | Role::Tool => (turn.role.name(), theme.dim),
        };
        let mut out = Vec::new();
        for (index, line) in self.body(turn, width, theme).into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            let mut spans = vec![Span::styled(format!("{name:<0$}", NAMES - 1), style)];
            spans.extend(line.spans);
            out.push(Line::from(spans));
        }
        let mark = " ".repeat(NAMES - 1);
        if let Some((words, style)) = below(turn, scene) {
            for part in text::wrap(&words, width.saturating_sub(NAMES).max(8)) {
                out.push(Line::from(vec![Span::raw(mark.clone()), Span::styled(part, style)]));
            }
        }
        out.push(Line::default());
        out
    }

    /// The turn's text, laid out once for each length and width.
    fn body(&mut self, turn: &Turn, width: usize, theme: &Theme) -> Vec<Line<'static>> {
        let known = self.laid_out.get(&turn.id);
        if let Some((_, _, lines)) =
            known.filter(|(columns, length, _)| *columns == width && *length == turn.content.len())
        {
            return lines.clone();
        }
        if turn.content.is_empty() {
            return Vec::new();
        }
        let room = width.saturating_sub(NAMES).max(8);
        let lines = markdown::lines(turn.content.trim_end(), room, theme, &Highlights::default());
        self.laid_out.insert(turn.id, (width, turn.content.len(), lines.clone()));
        lines
    }
}

/// What stands below a turn: how it goes on or how it ended, and its branches.
fn below(turn: &Turn, scene: Scene<'_>) -> Option<(String, Style)> {
    let theme = scene.theme;
    let mut parts = Vec::new();
    let mut style = theme.dim;
    if turn.role == Role::Assistant {
        match (scene.chats.writing.get(&turn.id), &turn.outcome) {
            (Some(Writing::Waits(Phase::Loading)), _) => {
                parts.push("loading the model … esc stops".to_owned());
            }
            (Some(Writing::Waits(Phase::Reading)), _) => {
                parts.push("reading the conversation … esc stops".to_owned());
            }
            (Some(Writing::Writes(pace)), _) => {
                parts.push(format!(
                    "▍{:.0} tok/s · {} tokens · esc stops",
                    pace.tokens_per_second, pace.tokens
                ));
            }
            (None, Some(outcome)) => {
                if let Why::Failed(_) = outcome.why {
                    style = theme.bad;
                }
                parts.push(ended(outcome));
            }
            (None, None) => parts.push("cut off: the program ended meanwhile; r asks again".to_owned()),
        }
        let hidden = is_hidden(turn, scene.chat);
        let new = !turn.by.is_empty() && turn.by != scene.title;
        if new && !hidden && !scene.chats.writing.contains_key(&turn.id) {
            parts.push(turn.by.clone());
        }
    }
    let branches = scene.chat.siblings(turn);
    if branches.len() > 1 {
        let place = branches.iter().position(|id| *id == turn.id).map_or(1, |place| place + 1);
        parts.push(format!("◂ {place} of {} ▸", branches.len()));
    }
    (!parts.is_empty()).then(|| (parts.join(" · "), style))
}

/// Whether an answer's author is not to be told yet.
pub(super) fn is_hidden(turn: &Turn, chat: &Chat) -> bool {
    chat.setup.names == Names::Hidden && chat.heads[1].is_some() && chat.vote_on(turn.id).is_none()
}

/// `38 tok/s · 41 tokens · 0.2 s to the first`.
fn ended(outcome: &Outcome) -> String {
    let pace = format!(
        "{:.0} tok/s · {} tokens · {:.1} s to the first",
        outcome.tokens_per_second, outcome.tokens, outcome.first_token_seconds
    );
    match &outcome.why {
        Why::End => pace,
        Why::Length => format!("{pace} · ended at max_tokens (p)"),
        Why::Context => format!("{pace} · ended: the context is full"),
        Why::Stopped => format!("{pace} · stopped"),
        Why::Failed(why) => format!("✗ {why}"),
    }
}
