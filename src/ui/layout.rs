//! Where things go. A [`Split`] is a border that the mouse can drag.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// The smallest screen that is drawn; below it stands a message.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Which way a [`Split`] lays its two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitDirection {
    /// Left and right.
    Columns,
    /// Above and below.
    Rows,
}

/// Two parts beside each other with one column (or row) between them that can be dragged.
#[derive(Debug, Clone)]
pub struct Split {
    direction: SplitDirection,
    /// The first part's share, in thousandths, of what is there.
    share: u16,
    /// The least that each part keeps.
    least: (u16, u16),
    area: Rect,
    dragging: Dragging,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dragging {
    Yes,
    No,
}

impl Split {
    /// `percent` of the room for the first part; neither part below its least, in columns or rows.
    #[must_use]
    pub const fn new(direction: SplitDirection, percent: u16, least: (u16, u16)) -> Self {
        Self { direction, share: percent * 10, least, area: Rect::ZERO, dragging: Dragging::No }
    }

    /// The two parts of `area`, with a gap of one between. Remembers the area for the mouse.
    pub fn areas(&mut self, area: Rect) -> [Rect; 2] {
        self.area = area;
        let room = self.room();
        let first = self.first(room);
        let second = room.saturating_sub(first + 1);
        match self.direction {
            SplitDirection::Columns => [
                Rect { width: first, ..area },
                Rect { x: area.x + (first + 1).min(room), width: second, ..area },
            ],
            SplitDirection::Rows => [
                Rect { height: first, ..area },
                Rect { y: area.y + (first + 1).min(room), height: second, ..area },
            ],
        }
    }

    /// Takes a mouse event if it is about this border. Returns whether it did.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Taken {
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) if self.on_border(mouse) => self.dragging = Dragging::Yes,
            MouseEventKind::Drag(MouseButton::Left) if self.dragging == Dragging::Yes => self.drag_to(mouse),
            MouseEventKind::Up(MouseButton::Left) if self.dragging == Dragging::Yes => {
                self.dragging = Dragging::No;
            }
            _ => return Taken::No,
        }
        Taken::Yes
    }

    fn room(&self) -> u16 {
        match self.direction {
            SplitDirection::Columns => self.area.width,
            SplitDirection::Rows => self.area.height,
        }
    }

    fn first(&self, room: u16) -> u16 {
        let wanted = u32::from(room) * u32::from(self.share) / 1000;
        let most = room.saturating_sub(self.least.1 + 1);
        (wanted as u16).max(self.least.0).min(most.max(self.least.0.min(room)))
    }

    fn set_first(&mut self, first: u16, room: u16) {
        let most = room.saturating_sub(self.least.1 + 1).max(self.least.0);
        let first = first.clamp(self.least.0, most);
        // Half a cell more, so that the share rounds back to the same cell.
        self.share = ((u32::from(first) * 2 + 1) * 500 / u32::from(room.max(1))).min(1000) as u16;
    }

    fn on_border(&self, mouse: MouseEvent) -> bool {
        let first = self.first(self.room());
        let inside = self.area.contains(Position::new(mouse.column, mouse.row));
        inside
            && match self.direction {
                SplitDirection::Columns => mouse.column == self.area.x + first,
                SplitDirection::Rows => mouse.row == self.area.y + first,
            }
    }

    fn drag_to(&mut self, mouse: MouseEvent) {
        let room = self.room();
        let first = match self.direction {
            SplitDirection::Columns => mouse.column.saturating_sub(self.area.x),
            SplitDirection::Rows => mouse.row.saturating_sub(self.area.y),
        };
        self.set_first(first, room);
    }
}

/// Whether an input was for the one asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Yes,
    No,
}

/// A box of at most this size in the middle of `area`, a little above centre.
#[must_use]
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(area.width);
    let height = height.min(area.height);
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 3;
    Rect { x, y, width, height }
}
