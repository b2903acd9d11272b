//! How much of a blueprint is written: for each cell of its map, what was planned, kept, rejected and approved.

use serde::{Deserialize, Serialize};

/// One cell of a blueprint: a subtopic at one stage of its evolution, in one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CellName {
    pub subtopic: String,
    pub evolution: String,
    pub form: String,
}

impl std::fmt::Display for CellName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} / {} / {}", self.subtopic, self.evolution, self.form)
    }
}

/// What there is of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellCoverage {
    #[serde(flatten)]
    pub cell: CellName,
    pub planned: u64,
    /// Records that are in the session.
    pub kept: u64,
    /// Of those, what a person has approved and rejected.
    pub approved: u64,
    pub refused: u64,
    /// Answers that checks did not let through.
    pub rejected: u64,
}

impl CellCoverage {
    #[must_use]
    pub const fn of(cell: CellName, planned: u64) -> Self {
        Self { cell, planned, kept: 0, approved: 0, refused: 0, rejected: 0 }
    }

    /// The share of what was written that checks let through; nothing if nothing was written.
    #[must_use]
    pub fn share_kept(&self) -> Option<f64> {
        let written = self.kept + self.rejected;
        (written > 0).then(|| self.kept as f64 / written as f64)
    }

    /// Examples that are still missing.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.planned.saturating_sub(self.kept - self.refused)
    }
}

/// The filter that finds the records of a cell: they carry its names as tags.
#[must_use]
pub fn cell_filter(blueprint: &str, cell: &CellName) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let tags = [&cell.subtopic, &cell.evolution, &cell.form].map(|tag| format!("tag:{}", quoted(tag)));
    format!("source:{} {}", quoted(&format!("expand:{blueprint}")), tags.join(" "))
}

/// What there is of one blueprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlueprintCoverage {
    pub blueprint: String,
    /// In the blueprint's order.
    pub cells: Vec<CellCoverage>,
}

impl BlueprintCoverage {
    /// All cells together.
    #[must_use]
    pub fn total(&self) -> CellCoverage {
        let none = CellName { subtopic: String::new(), evolution: String::new(), form: String::new() };
        self.cells.iter().fold(CellCoverage::of(none, 0), |mut sum, cell| {
            sum.planned += cell.planned;
            sum.kept += cell.kept;
            sum.approved += cell.approved;
            sum.refused += cell.refused;
            sum.rejected += cell.rejected;
            sum
        })
    }
}
