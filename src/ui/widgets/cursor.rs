//! Where a list's cursor is and which rows are in sight.

use std::ops::Range;

/// A cursor that keeps itself inside a list and the list's window around itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListCursor {
    row: usize,
    top: usize,
}

impl ListCursor {
    /// The row under the cursor. Below the length that the last call was given, unless that was 0.
    #[must_use]
    pub const fn row(self) -> usize {
        self.row
    }

    /// Goes to a row.
    pub fn go(&mut self, row: usize, length: usize) {
        self.row = row.min(length.saturating_sub(1));
    }

    /// Moves by some rows and stops at the ends.
    pub fn step(&mut self, by: isize, length: usize) {
        self.go(self.row.saturating_add_signed(by), length);
    }

    /// The rows in sight when `height` of them fit. Scrolls as little as it must.
    pub fn window(&mut self, length: usize, height: usize) -> Range<usize> {
        self.go(self.row, length);
        if self.row < self.top {
            self.top = self.row;
        } else if height > 0 && self.row >= self.top + height {
            self.top = self.row + 1 - height;
        }
        self.top = self.top.min(length.saturating_sub(height));
        self.top..(self.top + height).min(length)
    }

    /// The row at a line of the window that was last asked for.
    #[must_use]
    pub fn at_line(self, line: usize, length: usize) -> Option<usize> {
        Some(self.top + line).filter(|row| *row < length)
    }
}
