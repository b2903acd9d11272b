//! Clicks and the wheel: each does something to what it is over.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::chosen::{Anchor, Hold};
use super::columns::{ColumnKind, sort_field};
use super::detail::Tab;
use super::{DataAction, DataMode, DataPane};
use crate::app::store::Store;
use crate::domain::view::{SortDirection, SortOrder};
use crate::ui::pane::Effect;

/// Rows or lines that one step of the wheel moves.
const WHEEL: isize = 3;

/// Where things were drawn last.
#[derive(Debug, Default)]
pub(super) struct Areas {
    pub(super) filter: Rect,
    pub(super) headings: Vec<(ColumnKind, Rect)>,
    /// The rows of the table.
    pub(super) table: Rect,
    pub(super) tabs: Vec<(Tab, Rect)>,
    /// The record, its title included.
    pub(super) record: Rect,
}

impl DataPane {
    pub(super) fn point(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.wheel(1, at, store),
            MouseEventKind::ScrollUp => self.wheel(-1, at, store),
            MouseEventKind::Down(MouseButton::Left) => return self.click(at, store),
            MouseEventKind::Drag(MouseButton::Left) => self.drag(at, store),
            _ => {}
        }
        Vec::new()
    }

    fn wheel(&mut self, by: isize, at: Position, store: &Store) {
        match &mut self.mode {
            DataMode::Findings(_) | DataMode::Coverage(_) | DataMode::Import(_) | DataMode::Export(_) => {
                self.step(by, store);
            }
            DataMode::Edit(editor) => editor.scroll(by * WHEEL),
            DataMode::Table | DataMode::Filter(_) | DataMode::Line(_) | DataMode::Labels(_) => {
                if self.areas.record.contains(at) {
                    self.detail.scroll(by * WHEEL);
                } else if self.areas.table.contains(at) {
                    self.let_go(store);
                    self.pinned = None;
                    self.cursor.scroll_by(by * WHEEL, store.data.count());
                }
            }
        }
    }

    fn click(&mut self, at: Position, store: &Store) -> Vec<Effect> {
        if let DataMode::Edit(editor) = &mut self.mode {
            if let Some((_, turn)) = editor.places.iter().find(|(place, _)| place.contains(at)) {
                editor.go(*turn);
            }
            return Vec::new();
        }
        if matches!(
            self.mode,
            DataMode::Findings(_) | DataMode::Coverage(_) | DataMode::Import(_) | DataMode::Export(_)
        ) {
            return Vec::new();
        }
        let on = |area: &Rect| area.contains(at);
        if on(&self.areas.filter) && matches!(self.mode, DataMode::Table) {
            return self.perform(DataAction::EditFilter, store);
        }
        if let Some((tab, _)) = self.areas.tabs.iter().find(|(_, area)| on(area)) {
            self.detail.show(*tab);
        } else if let Some((kind, _)) = self.areas.headings.iter().find(|(_, area)| on(area)) {
            return sort_field(*kind).map_or_else(Vec::new, |field| self.sort_by(field));
        } else if on(&self.areas.table) {
            self.let_go(store);
            self.pinned = None;
            let row = self.cursor.top() + usize::from(at.y - self.areas.table.y);
            if row < store.data.count() {
                self.cursor.go(row, store.data.count());
            }
        }
        Vec::new()
    }

    /// From the row that was clicked to the one under the pointer.
    fn drag(&mut self, at: Position, store: &Store) {
        let typing = !matches!(self.mode, DataMode::Table);
        if typing || !self.areas.table.contains(at) {
            return;
        }
        let row = self.cursor.top() + usize::from(at.y - self.areas.table.y);
        if row < store.data.count() && row != self.cursor.position() {
            let here = Anchor { position: self.cursor.position(), hold: Hold::Held };
            self.anchor.get_or_insert(here);
            self.cursor.go(row, store.data.count());
        }
    }

    /// By a field; by the same again, the other way round.
    pub(super) fn sort_by(&mut self, field: crate::domain::view::SortField) -> Vec<Effect> {
        let direction = match self.order.direction {
            SortDirection::Rising if self.order.field == field => SortDirection::Falling,
            SortDirection::Rising | SortDirection::Falling => SortDirection::Rising,
        };
        self.sort(SortOrder { field, direction })
    }
}
