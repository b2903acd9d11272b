//! A grid of braille dots, two across and four down in each cell. Knows nothing of series.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Dots across and down in one cell.
pub const ACROSS: usize = 2;
pub const DOWN: usize = 4;

/// Dots before they are painted. A brighter layer takes a cell over from a fainter one; on one layer dots add up and
/// the last style stays.
#[derive(Debug, Clone)]
pub struct Grid {
    columns: usize,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    bits: u8,
    layer: GridLayer,
    style: Style,
    /// A character that stands instead of the dots.
    mark: Option<char>,
}

/// What lies over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum GridLayer {
    #[default]
    Faint,
    Line,
    Mark,
}

impl Grid {
    /// A grid for so many cells.
    #[must_use]
    pub fn new(columns: u16, rows: u16) -> Self {
        let cells = vec![Cell::default(); usize::from(columns) * usize::from(rows)];
        Self { columns: usize::from(columns), cells }
    }

    /// Sets a dot; what lies outside is left out.
    pub fn dot(&mut self, x: i64, y: i64, layer: GridLayer, style: Style) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        let bit = BITS.get(y % DOWN).and_then(|row| row.get(x % ACROSS)).copied().unwrap_or_default();
        let Some(cell) = self.cell(x / ACROSS, y / DOWN) else { return };
        if cell.layer < layer {
            *cell = Cell { layer, ..Cell::default() };
        }
        if cell.layer == layer {
            cell.bits |= bit;
            cell.style = style;
        }
    }

    /// A straight line, both ends included (Bresenham); `dash` says which of its dots are set.
    pub fn line(&mut self, from: (i64, i64), to: (i64, i64), layer: GridLayer, style: Style, dash: Dash) {
        let (dx, dy) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
        let (sx, sy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let (mut x, mut y, mut error) = (from.0, from.1, dx + dy);
        loop {
            if dash.shows(x) {
                self.dot(x, y, layer, style);
            }
            if (x, y) == to {
                return;
            }
            let twice = 2 * error;
            if twice >= dy {
                error += dy;
                x += sx;
            }
            if twice <= dx {
                error += dx;
                y += sy;
            }
        }
    }

    /// Puts a character into the cell of a dot, over all dots.
    pub fn mark(&mut self, x: i64, y: i64, mark: char, style: Style) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if let Some(cell) = self.cell(x / ACROSS, y / DOWN) {
            *cell = Cell { bits: 0, layer: GridLayer::Mark, style, mark: Some(mark) };
        }
    }

    /// Paints what is set; other cells of the buffer stay as they are.
    pub fn paint(&self, buffer: &mut Buffer, area: Rect) {
        for (row, cells) in (area.top()..area.bottom()).zip(self.cells.chunks(self.columns.max(1))) {
            for (column, cell) in (area.left()..area.right()).zip(cells) {
                let symbol = match cell.mark {
                    Some(mark) => mark,
                    None if cell.bits == 0 => continue,
                    None => char::from_u32(0x2800 + u32::from(cell.bits)).unwrap_or(' '),
                };
                if let Some(target) = buffer.cell_mut((column, row)) {
                    target.set_char(symbol).set_style(cell.style);
                }
            }
        }
    }

    fn cell(&mut self, column: usize, row: usize) -> Option<&mut Cell> {
        if column >= self.columns {
            return None;
        }
        self.cells.get_mut(row * self.columns + column)
    }
}

/// Which dots of a line are set: tells lines apart without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dash {
    #[default]
    Solid,
    Dashed,
    Dotted,
}

impl Dash {
    const fn shows(self, x: i64) -> bool {
        match self {
            Self::Solid => true,
            Self::Dashed => x.rem_euclid(8) < 5,
            Self::Dotted => x.rem_euclid(4) < 2,
        }
    }
}

/// Unicode's braille dots, by row and column.
const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
