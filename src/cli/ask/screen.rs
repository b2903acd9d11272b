//! What is being typed, drawn below what is on the terminal already.

use unicode_segmentation::UnicodeSegmentation;

use crate::ui::widgets::text;
use crate::ui::widgets::visible::visible;

/// Where the cursor is among the rows that were drawn last.
#[derive(Default)]
pub(super) struct Screen {
    row: usize,
}

/// Rows as they are shown, and the cursor's row and column among them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LaidRows {
    pub(super) rows: Vec<String>,
    pub(super) row: usize,
    pub(super) column: usize,
}

/// Lines after their prompts, broken at `width`; `cursor` is a line and a number of characters in it.
pub(super) fn lay(lines: &[String], cursor: (usize, usize), width: usize) -> LaidRows {
    let width = width.max(4);
    let mut laid = LaidRows { rows: Vec::new(), row: 0, column: 0 };
    for (index, line) in lines.iter().enumerate() {
        let mut row = if index == 0 { "> " } else { ". " }.to_owned();
        let (mut column, mut characters) = (2, 0);
        for grapheme in line.graphemes(true) {
            if (index, characters) == cursor {
                (laid.row, laid.column) = (laid.rows.len(), column);
            }
            let shown = if grapheme == "\t" { "    ".into() } else { visible(grapheme) };
            let wide = text::width(&shown);
            if column + wide > width {
                laid.rows.push(std::mem::take(&mut row));
                column = 0;
                if (index, characters) == cursor {
                    (laid.row, laid.column) = (laid.rows.len(), 0);
                }
            }
            row.push_str(&shown);
            column += wide;
            let count = grapheme.chars().count();
            if index == cursor.0 && (characters + 1..characters + count).contains(&cursor.1) {
                // Within what is drawn as one: after it.
                (laid.row, laid.column) = (laid.rows.len(), column);
            }
            characters += count;
        }
        if index == cursor.0 && cursor.1 >= characters {
            (laid.row, laid.column) = (laid.rows.len(), column);
        }
        laid.rows.push(row);
    }
    laid
}

impl Screen {
    /// The sequence that draws it: in place of what was drawn before, and no higher than the terminal.
    pub(super) fn draw(&mut self, laid: &LaidRows, height: usize) -> String {
        let height = height.max(1);
        let first = (laid.row + 1).saturating_sub(height);
        let rows: Vec<&str> = laid.rows.iter().skip(first).take(height).map(String::as_str).collect();
        let mut out = self.begin();
        out.push_str(&rows.join("\r\n"));
        let below = rows.len().saturating_sub(laid.row - first + 1);
        out.push('\r');
        if below > 0 {
            out.push_str(&format!("\u{1b}[{below}A"));
        }
        if laid.column > 0 {
            out.push_str(&format!("\u{1b}[{}C", laid.column));
        }
        self.row = laid.row - first;
        out
    }

    /// The sequence that leaves all of it above, and the cursor below.
    pub(super) fn leave(&mut self, laid: &LaidRows) -> String {
        let out = self.begin() + &laid.rows.join("\r\n") + "\r\n";
        self.row = 0;
        out
    }

    fn begin(&self) -> String {
        let up = if self.row > 0 { format!("\u{1b}[{}A", self.row) } else { String::new() };
        format!("\r{up}\u{1b}[J")
    }
}
