//! Where the cursor is, which rows are on the screen, which records are chosen.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::domain::protocol::data::{Found, Generation, Viewed};
use crate::domain::record::RecordId;

/// Rows beyond the screen that are read with it, above and below.
const MARGIN: usize = 50;

/// A position in the view, and the first row on the screen.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    position: usize,
    top: usize,
    height: usize,
    /// The state of the view that the position was made for.
    generation: Generation,
    /// The record made here that the cursor went to last.
    pub(super) seen_created: Option<RecordId>,
}

impl Cursor {
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    pub(super) const fn top(&self) -> usize {
        self.top
    }

    pub(super) fn go(&mut self, position: usize, count: usize) {
        self.position = position.min(count.saturating_sub(1));
        self.scroll(count);
    }

    pub(super) fn move_by(&mut self, by: isize, count: usize) {
        self.go(self.position.saturating_add_signed(by), count);
    }

    pub(super) fn page(&mut self, pages: isize, count: usize) {
        let step = self.height.saturating_sub(1).max(1) as isize;
        self.move_by(pages * step, count);
    }

    /// The table has this many rows on the screen.
    pub(super) fn resize(&mut self, height: usize, count: usize) {
        self.height = height;
        self.go(self.position, count);
    }

    /// Goes where its record has gone.
    pub(super) fn follow(&mut self, view: &Viewed) {
        if view.generation == self.generation {
            return;
        }
        self.generation = view.generation;
        let count = view.found.count();
        if let Some(position) = view.cursor {
            // The row stays where it is on the screen.
            let row = self.position - self.top.min(self.position);
            self.position = position;
            self.top = position.saturating_sub(row);
            self.scroll(count);
        } else if let Found::All(_) = view.found {
            self.go(self.position, count);
        }
    }

    fn scroll(&mut self, count: usize) {
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

/// Chosen records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen {
    Records(BTreeSet<RecordId>),
    /// All that the filter matches.
    Everything,
}

impl Default for Chosen {
    fn default() -> Self {
        Self::Records(BTreeSet::new())
    }
}

impl Chosen {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Records(records) if records.is_empty())
    }

    pub(super) fn contains(&self, id: RecordId) -> bool {
        match self {
            Self::Records(records) => records.contains(&id),
            Self::Everything => true,
        }
    }

    pub(super) fn count(&self, all: usize) -> usize {
        match self {
            Self::Records(records) => records.len(),
            Self::Everything => all,
        }
    }

    pub(super) fn toggle(&mut self, id: RecordId) {
        match self {
            Self::Records(records) => {
                if !records.remove(&id) {
                    records.insert(id);
                }
            }
            Self::Everything => *self = Self::Records(BTreeSet::from([id])),
        }
    }
}
