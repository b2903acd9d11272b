//! Which seeds are still to be written.

use std::collections::HashMap;

use super::ExpandPart;
use crate::blueprint::{Blueprint, CellDraws, Seed, SeedOrder, cell_counts};
use crate::domain::coverage::CellName;
use crate::session::WrittenCell;

pub(super) fn seeds(
    blueprint: &Blueprint,
    count: u64,
    part: ExpandPart,
    written: &HashMap<CellName, WrittenCell>,
) -> Vec<Seed> {
    let planned = SeedOrder::new(blueprint).take(usize::try_from(count).unwrap_or(usize::MAX));
    let is_new = |seed: &Seed| {
        let cell = written.get(&blueprint.cell_name(seed.cell));
        cell.is_none_or(|cell| !cell.done.contains(&seed.number))
    };
    match part {
        ExpandPart::Preview(most) => planned.filter(is_new).take(most).collect(),
        ExpandPart::Plan => planned.filter(is_new).collect(),
        ExpandPart::Refill => refill(blueprint, count, written),
    }
}

/// What each cell lacks of its plan, with numbers that it has not had; those that have the smallest share of their plan
/// come first, and every weak cell gets one before any gets two.
fn refill(blueprint: &Blueprint, count: u64, written: &HashMap<CellName, WrittenCell>) -> Vec<Seed> {
    let none = WrittenCell::default();
    let mut lacking: Vec<(usize, f64, Seed)> = Vec::new();
    for (cell, planned) in cell_counts(blueprint, count) {
        let there = written.get(&blueprint.cell_name(cell)).unwrap_or(&none);
        let missing = usize::try_from(planned.saturating_sub(there.good)).unwrap_or(usize::MAX);
        let share = there.good as f64 / planned.max(1) as f64;
        let new = CellDraws::new(blueprint, cell).filter(|seed| !there.done.contains(&seed.number));
        lacking.extend(new.take(missing).enumerate().map(|(round, seed)| (round, share, seed)));
    }
    lacking.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    lacking.into_iter().map(|(.., seed)| seed).collect()
}
