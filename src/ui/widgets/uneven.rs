//! Clusters of several characters: a tone of skin, a joined family, a flag, letters of scripts that join them. Terminals
//! disagree about their columns, and what one draws too far to the right stays there as a ghost unless the rest of its row
//! is written again.

use std::collections::BTreeSet;

use ratatui::buffer::{Buffer, CellDiffOption};

/// Bytes that one character has at most: a longer symbol has several.
const CHARACTER: usize = 4;

/// Has the rows that hold such clusters, and those that did before, written whole. Says which hold some now.
#[must_use]
pub fn write_whole(buffer: &mut Buffer, before: &BTreeSet<u16>) -> BTreeSet<u16> {
    let area = buffer.area;
    let is_uneven = |buffer: &Buffer, y: u16| {
        (area.left()..area.right())
            .any(|x| buffer.cell((x, y)).is_some_and(|cell| cell.symbol().len() > CHARACTER))
    };
    let now: BTreeSet<u16> = (area.top()..area.bottom()).filter(|y| is_uneven(buffer, *y)).collect();
    for y in now.union(before) {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, *y)) {
                cell.set_diff_option(CellDiffOption::AlwaysUpdate);
            }
        }
    }
    now
}
