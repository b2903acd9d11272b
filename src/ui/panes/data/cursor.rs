//! Where the cursor is and which rows are on the screen.

use std::ops::Range;

use crate::domain::protocol::data::{Generation, ViewCount, ViewId, Viewed};
use crate::domain::record::RecordId;

/// Rows beyond the screen that are read with it, above and below.
const MARGIN: usize = 50;

/// A position in the view, and the first row on the screen.
#[derive(Debug, Default)]
pub(super) struct ViewCursor {
    position: usize,
    top: usize,
    height: usize,
    /// The state of the view that the position was made for.
    generation: Generation,
    /// Whether a person has gone elsewhere since the record under it was asked for.
    moved: bool,
    /// Where to be in a view that is being looked for: a person went back to it.
    back: Option<(ViewId, ScrollPlace)>,
}

/// A row, and the first one on the screen with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ScrollPlace {
    position: usize,
    top: usize,
}

impl ViewCursor {
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    pub(super) const fn top(&self) -> usize {
        self.top
    }

    pub(super) const fn place(&self) -> ScrollPlace {
        ScrollPlace { position: self.position, top: self.top }
    }

    /// Goes to a place as soon as a view is there.
    pub(super) const fn go_back(&mut self, view: ViewId, place: ScrollPlace) {
        self.back = Some((view, place));
    }

    pub(super) fn go(&mut self, position: usize, count: usize) {
        self.back = None;
        self.moved = true;
        self.settle(position, count);
    }

    pub(super) fn move_by(&mut self, by: isize, count: usize) {
        self.go(self.position.saturating_add_signed(by), count);
    }

    /// Moves the rows under the cursor, and the cursor only when its row would leave the screen.
    pub(super) fn scroll_by(&mut self, by: isize, count: usize) {
        let height = self.height.max(1);
        let last = count.saturating_sub(height);
        let top = self.top.saturating_add_signed(by).min(last);
        // At an end the cursor goes on alone.
        let moved = if top == self.top { self.position.saturating_add_signed(by) } else { self.position };
        self.top = top;
        self.go(moved.clamp(top, top + height - 1), count);
    }

    pub(super) fn page(&mut self, pages: isize, count: usize) {
        let step = self.height.saturating_sub(1).max(1) as isize;
        self.move_by(pages * step, count);
    }

    /// The table has this many rows on the screen.
    pub(super) fn resize(&mut self, height: usize, count: usize) {
        self.height = height;
        self.settle(self.position, count);
    }

    /// The record under it is asked for.
    pub(super) const fn rest(&mut self) {
        self.moved = false;
    }

    /// Goes where the record has gone that it is on, or is to be on. A view that was found before the person went
    /// elsewhere doesn't take it back.
    pub(super) fn follow(&mut self, view: &Viewed, on: Option<RecordId>, to: Option<RecordId>) {
        if view.generation == self.generation {
            return;
        }
        self.generation = view.generation;
        let count = view.found.count();
        let all = matches!(view.found, ViewCount::All(_));
        let told =
            view.cursor.filter(|(record, _)| to == Some(*record) || !self.moved && on == Some(*record));
        let told = told.map(|(_, position)| position);
        if let Some((_, place)) = self.back.filter(|(of, _)| *of == view.view) {
            let position = view.cursor.map_or(place.position, |(_, position)| position);
            if position < count || all {
                self.top = position.saturating_sub(place.position.saturating_sub(place.top));
                self.settle(position, count);
            }
            if all {
                self.back = None;
            }
        } else if let Some(position) = told {
            // The row stays where it is on the screen.
            let row = self.position - self.top.min(self.position);
            self.top = position.saturating_sub(row);
            self.settle(position, count);
        } else if all {
            self.settle(self.position, count);
        }
    }

    fn settle(&mut self, position: usize, count: usize) {
        self.position = position.min(count.saturating_sub(1));
        let height = self.height.max(1);
        if self.position < self.top {
            self.top = self.position;
        } else if self.position >= self.top + height {
            self.top = self.position + 1 - height;
        }
        self.top = self.top.min(count.saturating_sub(height));
    }

    /// The rows on the screen.
    pub(super) fn visible(&self, count: usize) -> Range<usize> {
        self.top.min(count)..(self.top + self.height).min(count)
    }

    /// The rows to ask for: those on the screen where some of them aren't known, and only then the ones around them,
    /// so that a far jump waits for no more than it shows. Scrolling asks once in many rows.
    pub(super) fn wanted(&self, count: usize, known: impl Fn(usize) -> bool) -> Option<Range<usize>> {
        let height = self.height.max(1);
        let around = |margin: usize| {
            self.top.saturating_sub(margin).min(count)..(self.top + height + margin).min(count)
        };
        let is_known = |rows: Range<usize>| rows.into_iter().all(&known);
        if !is_known(around(0)) {
            Some(around(0))
        } else if !is_known(around(MARGIN / 2)) {
            Some(around(MARGIN))
        } else {
            None
        }
    }
}
