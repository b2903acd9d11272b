//! One column of a conversation: which of its turns are in sight, and what was clicked. Only turns in sight are laid
//! out, each once for its text, the width and the theme; the rest of a long chat costs nothing.

use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::below::below;
use super::outline::Outline;
use crate::app::store::chat::Chats;
use crate::domain::chat::{Chat, Side, Turn, TurnId};
use crate::domain::message::Role;
use crate::ui::theme::Theme;
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::{markdown, text};

/// Columns of the speakers' names, the mark of the chosen turn before them.
const NAMES: usize = 8;

/// So many turns stay laid out; when there are more, those out of sight are forgotten.
const MOST_LAID: usize = 400;

/// A line of a turn: by the turn's place in its column, and the line's in the turn.
type LinePlace = (usize, usize);

/// How far a column is scrolled, and what it showed last.
#[derive(Debug, Default)]
pub(super) struct TurnColumn {
    /// The first line in sight; none follows the end.
    top: Option<(TurnId, usize)>,
    /// Lines to go from there at the next draw.
    pending: isize,
    /// Rows on the screen at the last draw.
    rows: usize,
    /// Which turn each row of the screen belongs to.
    shown: Vec<TurnId>,
    pub(super) area: Rect,
    laid: HashMap<TurnId, LaidTurn>,
    /// What all of them are laid out for.
    look: Option<TurnLook>,
}

/// A turn as lines, and what they were made of.
#[derive(Debug)]
struct LaidTurn {
    content: String,
    below: Option<(String, Style)>,
    lines: Vec<Line<'static>>,
    /// Lines in which something that was looked for begins.
    hits: Vec<usize>,
}

#[derive(Debug, PartialEq)]
struct TurnLook {
    width: usize,
    theme: Theme,
    sought: String,
}

/// What a column is drawn from.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) chats: &'a Chats,
    pub(super) chat: &'a Chat,
    pub(super) outline: &'a Outline,
    pub(super) theme: &'a Theme,
    pub(super) side: Side,
    /// The turn under the cursor, in the column that has it.
    pub(super) chosen: Option<TurnId>,
    /// Who answers according to the column's title: it need not be said again.
    pub(super) title: &'a str,
    /// Whether that turn has to be brought into sight.
    pub(super) follow: Follow,
    /// What is looked for, and how it is found.
    pub(super) sought: (&'a str, &'a Highlights),
}

impl Scene<'_> {
    fn path(&self) -> &[TurnId] {
        self.outline.path(self.side)
    }

    fn turn(&self, at: usize) -> Option<&Turn> {
        self.path().get(at).and_then(|id| self.chat.turns.get(id))
    }
}

/// Whether the window goes after the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Follow {
    Cursor,
    /// To this one of the places in the chosen turn that hold what is looked for.
    Hit(usize),
    #[default]
    No,
}

impl TurnColumn {
    /// Follows the end again.
    pub(super) fn follow_end(&mut self) {
        self.top = None;
        self.pending = 0;
    }

    pub(super) fn scroll(&mut self, by: isize) {
        self.pending = self.pending.saturating_add(by);
    }

    pub(super) fn page(&mut self, by: isize) {
        let page = self.rows.saturating_sub(2).max(1) as isize;
        self.scroll(by * page);
    }

    /// The turn at a row of the screen.
    pub(super) fn turn_at(&self, row: u16) -> Option<TurnId> {
        self.shown.get(usize::from(row.checked_sub(self.area.y)?)).copied()
    }

    /// Places in a turn that hold what is looked for, if it was in sight.
    pub(super) fn hits(&self, turn: TurnId) -> usize {
        self.laid.get(&turn).map_or(0, |laid| laid.hits.len())
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, scene: Scene<'_>) {
        self.area = area;
        self.rows = usize::from(area.height);
        self.look_at(usize::from(area.width), scene);
        self.shown.clear();
        if scene.path().is_empty() || area.height == 0 {
            return;
        }
        let top = self.find_top(scene);
        let below = self.draw_from(buffer, area, top, scene);
        if let (Some(more), true) = (below, area.height > 2) {
            let more = format!(" {more} ↓ ");
            let wide = text::width(&more) as u16;
            let x = area.right().saturating_sub(wide).max(area.x);
            text::put(buffer, x, area.bottom() - 1, &more, usize::from(wide), scene.theme.dim);
        }
        if self.laid.len() > MOST_LAID {
            let shown = &self.shown;
            self.laid.retain(|turn, _| shown.contains(turn));
        }
    }

    /// Whatever was laid out for another width, theme or search is forgotten.
    fn look_at(&mut self, width: usize, scene: Scene<'_>) {
        let sought = scene.sought.0;
        let same =
            |look: &TurnLook| look.width == width && look.sought == sought && look.theme == *scene.theme;
        if !self.look.as_ref().is_some_and(same) {
            self.laid.clear();
            self.look = Some(TurnLook { width, theme: scene.theme.clone(), sought: sought.to_owned() });
        }
    }

    /// The first line in sight: what was asked for is carried out, and the window stays inside the column.
    fn find_top(&mut self, scene: Scene<'_>) -> LinePlace {
        let last = scene.path().len() - 1;
        let height = self.height(last, scene);
        let end = self.back((last, height), self.rows, scene);
        let mut top = match self.top {
            None => end,
            Some((turn, line)) => match scene.path().binary_search(&turn) {
                Ok(at) => (at, line.min(self.height(at, scene).saturating_sub(1))),
                Err(at) => (at.min(last), 0),
            },
        };
        top = match std::mem::take(&mut self.pending) {
            0 => top,
            by if by < 0 => self.back(top, by.unsigned_abs(), scene),
            by => self.forth(top, by.unsigned_abs(), scene),
        };
        if let Some(wanted) = self.wanted(scene)
            && (wanted < top || self.forth(top, self.rows, scene) <= wanted)
        {
            let above = if matches!(scene.follow, Follow::Hit(_)) { self.rows / 3 } else { 0 };
            top = self.back(wanted, above, scene);
        }
        if top >= end {
            self.top = None;
            return end;
        }
        self.top = scene.path().get(top.0).map(|turn| (*turn, top.1));
        top
    }

    /// The line that has to be in sight.
    fn wanted(&mut self, scene: Scene<'_>) -> Option<LinePlace> {
        let chosen = scene.chosen.filter(|_| scene.follow != Follow::No)?;
        let at = scene.path().binary_search(&chosen).ok()?;
        let Follow::Hit(hit) = scene.follow else { return Some((at, 0)) };
        self.height(at, scene);
        let hits = self.laid.get(&chosen).map_or(&[][..], |laid| &laid.hits);
        Some((at, hits.get(hit).or(hits.last()).copied().unwrap_or(0)))
    }

    /// So many lines above a place, or the first line.
    fn back(&mut self, (mut at, mut line): LinePlace, mut by: usize, scene: Scene<'_>) -> LinePlace {
        while by > line && at > 0 {
            by -= line;
            at -= 1;
            line = self.height(at, scene);
        }
        (at, line.saturating_sub(by))
    }

    /// So many lines below a place, or past the last line.
    fn forth(&mut self, (mut at, mut line): LinePlace, by: usize, scene: Scene<'_>) -> LinePlace {
        line += by;
        while at < scene.path().len() {
            let height = self.height(at, scene);
            if line < height {
                break;
            }
            line -= height;
            at += 1;
        }
        (at, line)
    }

    /// Draws lines until there is no room; says what follows.
    fn draw_from(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        top: LinePlace,
        scene: Scene<'_>,
    ) -> Option<String> {
        let (mut y, mut skip) = (area.y, top.1);
        for at in top.0..scene.path().len() {
            let height = self.height(at, scene);
            let Some((id, laid)) = scene.path().get(at).and_then(|id| Some((*id, self.laid.get(id)?))) else {
                continue;
            };
            for line in laid.lines.iter().skip(skip) {
                if y >= area.bottom() {
                    let left = height - skip;
                    let turns = scene.path().len() - at;
                    return Some(if turns > 1 {
                        format!("{turns} more turns")
                    } else {
                        format!("{left} more lines")
                    });
                }
                if scene.chosen == Some(id) {
                    buffer.set_string(area.x, y, "▌", scene.theme.accent);
                }
                self.shown.push(id);
                let room = Rect { x: area.x + 1, y, width: area.width.saturating_sub(1), height: 1 };
                line.render(room, buffer);
                y += 1;
                skip += 1;
            }
            skip = 0;
        }
        None
    }

    /// Lines of a turn, which is laid out if it isn't, or was for another text.
    fn height(&mut self, at: usize, scene: Scene<'_>) -> usize {
        let Some(turn) = scene.turn(at) else { return 0 };
        let below = below(turn, scene);
        if let Some(laid) = self.laid.get(&turn.id)
            && laid.content == turn.content
            && laid.below == below
        {
            return laid.lines.len();
        }
        let width = self.look.as_ref().map_or(0, |look| look.width);
        let laid = lay(turn, below, width, scene);
        let height = laid.lines.len();
        self.laid.insert(turn.id, laid);
        height
    }
}

fn lay(turn: &Turn, below: Option<(String, Style)>, width: usize, scene: Scene<'_>) -> LaidTurn {
    let theme = scene.theme;
    let (name, style) = match turn.role {
        Role::Assistant => ("dojo", theme.accent),
        Role::User => ("you", theme.bright),
        Role::System | Role::Developer | Role::Tool => (turn.role.name(), theme.dim),
    };
    let room = width.saturating_sub(NAMES).max(8);
    let mut body = match turn.content.trim_end() {
        "" => markdown::LaidText::default(),
        content => markdown::laid(content, room, theme, scene.sought.1),
    };
    if let Some((words, style)) = &below {
        let parts = text::wrap(words, room);
        body.lines.extend(parts.into_iter().map(|part| Line::styled(part, *style)));
    }
    let mut lines = Vec::with_capacity(body.lines.len() + 1);
    for (index, line) in body.lines.into_iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let mut spans = vec![Span::styled(format!("{name:<0$}", NAMES - 1), style)];
        let whole = line.style;
        spans.extend(line.spans.into_iter().map(|span| Span { style: whole.patch(span.style), ..span }));
        lines.push(Line::from(spans));
    }
    lines.push(Line::default());
    LaidTurn { content: turn.content.clone(), below, lines, hits: body.hits }
}
