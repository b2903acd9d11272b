//! Tables for people: columns as wide as what is in them, the last one cut at the terminal's edge.

use std::io::IsTerminal;

use crate::ui::widgets::text;

/// How a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Align {
    Left,
    Right,
}

/// Lines of cells under a heading; an empty table is its heading alone.
pub(in crate::cli) fn table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    // Into a pipe, lines are whole.
    let shown = std::io::stdout().is_terminal();
    let room = crossterm::terminal::size()
        .ok()
        .filter(|_| shown)
        .map_or(usize::MAX, |(columns, _)| usize::from(columns).max(40));
    let width = |index: usize, title: &str| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| text::width(cell));
        cells.chain([text::width(title)]).max().unwrap_or(0).min(60)
    };
    let widths: Vec<usize> =
        columns.iter().enumerate().map(|(index, (title, _))| width(index, title)).collect();
    let heading: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let mut out = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(columns) {
            let cell = text::shorten(cell, *width);
            let space = " ".repeat(width.saturating_sub(text::width(&cell)));
            match align {
                Align::Left => line.extend([cell.as_str(), space.as_str(), "  "]),
                Align::Right => line.extend([space.as_str(), cell.as_str(), "  "]),
            }
        }
        out.push_str(text::shorten(line.trim_end(), room).trim_end());
        out.push('\n');
    }
    out
}
