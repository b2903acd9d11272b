//! From a blueprint to seeds: which cell comes next, and which values each example of it gets. The same blueprint gives
//! the same seeds on every machine; the first 200 of 1,000 are the 200 that are planned alone; and what is planned for a
//! cell doesn't move when another cell comes or goes, so that nothing that was paid for loses its place.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::columns::{ColumnParent, draw};
use super::{Blueprint, Form, FormBody, template};
use crate::domain::coverage::CellName;
use crate::ground::hash::of_bytes;
use crate::ground::random::{SplitMix64, combine};

/// A cell by its places in the blueprint's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellIndex {
    pub subtopic: usize,
    pub evolution: usize,
    pub form: usize,
}

/// One example to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    pub cell: CellIndex,
    /// How many of its cell come before it.
    pub number: u32,
    /// Each column's value, in the blueprint's order.
    pub columns: Vec<String>,
    /// Which of the form's questions is asked.
    ask: usize,
}

impl Blueprint {
    /// All cells, in the blueprint's order.
    pub fn cells(&self) -> impl Iterator<Item = CellIndex> {
        let (stages, forms) = (self.evolutions.len(), self.forms.len());
        (0..self.subtopics.len()).flat_map(move |subtopic| {
            (0..stages).flat_map(move |evolution| {
                (0..forms).map(move |form| CellIndex { subtopic, evolution, form })
            })
        })
    }

    /// A cell by its names.
    #[must_use]
    pub fn cell_name(&self, cell: CellIndex) -> CellName {
        let name = |found: Option<&String>| found.cloned().unwrap_or_default();
        CellName {
            subtopic: name(self.subtopics.get(cell.subtopic).map(|one| &one.name)),
            evolution: name(self.evolutions.get(cell.evolution).map(|one| &one.name)),
            form: name(self.forms.get(cell.form).map(|one| &one.name)),
        }
    }

    /// The form of a cell.
    #[must_use]
    pub fn form(&self, cell: CellIndex) -> Option<&Form> {
        self.forms.get(cell.form)
    }

    fn weight(&self, cell: CellIndex) -> f64 {
        let subtopic = self.subtopics.get(cell.subtopic).map_or(1.0, |one| one.weight);
        let evolution = self.evolutions.get(cell.evolution).map_or(1.0, |one| one.weight);
        subtopic * evolution * self.form(cell).map_or(1.0, |form| form.weight)
    }

    /// What a template may name for a seed.
    #[must_use]
    pub fn values(&self, seed: &Seed) -> Map<String, Value> {
        let names = self.cell_name(seed.cell);
        let subtopic = self.subtopics.get(seed.cell.subtopic);
        let stage = self.evolutions.get(seed.cell.evolution);
        let about = stage.map(|one| &one.about);
        let here = subtopic.and_then(|one| one.evolutions.get(seed.cell.evolution)).or(about);
        let mut values = Map::new();
        let mut put = |name: &str, value: Value| drop(values.insert(name.to_owned(), value));
        put("domain", json!(self.domain));
        put("topic", json!(self.topic));
        put("subtopic", json!(names.subtopic));
        put("subtopic_about", json!(subtopic.map(|one| one.about.as_str()).unwrap_or_default()));
        put("evolution", json!(names.evolution));
        put("evolution_number", json!(seed.cell.evolution + 1));
        put("evolution_about", json!(about.map(String::as_str).unwrap_or_default()));
        put("evolution_here", json!(here.map(String::as_str).unwrap_or_default()));
        put("form", json!(names.form));
        for (column, value) in self.columns.iter().zip(&seed.columns) {
            put(&column.name, json!(value));
        }
        values
    }

    /// What the user asks; nothing where the teacher is to write the question.
    ///
    /// # Errors
    /// Where the form's template names what isn't there, which a checked blueprint's doesn't.
    pub fn question(&self, seed: &Seed) -> Result<Option<String>> {
        let ask = self.form(seed.cell).and_then(|form| form.ask.get(seed.ask));
        ask.map(|ask| template::fill(ask, &Value::Object(self.values(seed)))).transpose()
    }

    /// What the teacher is told to write.
    ///
    /// # Errors
    /// As [`Self::question`].
    pub fn instruction(&self, seed: &Seed) -> Result<String> {
        let write = self.form(seed.cell).map_or("", |form| form.write.as_str());
        template::fill(write, &Value::Object(self.values(seed)))
    }
}

impl FormBody {
    /// The headings of its parts; none where it has none.
    #[must_use]
    pub fn sections(&self) -> &[String] {
        match self {
            Self::Sections(sections) => sections,
            Self::Text | Self::Json(_) => &[],
        }
    }
}

/// The examples of one cell, one after another, without end.
#[derive(Debug, Clone)]
pub struct CellDraws<'b> {
    blueprint: &'b Blueprint,
    cell: CellIndex,
    /// Of the cell's names: what another cell is called changes nothing here.
    seed: u64,
    next: u32,
    /// Values that were drawn together before.
    drawn: HashSet<u64>,
}

/// Draws before values are taken that the cell has had already.
const TRIES: u64 = 64;

impl<'b> CellDraws<'b> {
    #[must_use]
    pub fn new(blueprint: &'b Blueprint, cell: CellIndex) -> Self {
        let seed = combine(&[blueprint.seed, of_bytes(blueprint.cell_name(cell).to_string().as_bytes())]);
        Self { blueprint, cell, seed, next: 0, drawn: HashSet::new() }
    }

    /// Where the cell stands in the order of all: from 0 to 1.
    fn phase(&self) -> f64 {
        f64::from(SplitMix64::new(self.seed).uniform())
    }

    fn draw(&self, number: u32, attempt: u64) -> (Seed, u64) {
        let mut random = SplitMix64::new(combine(&[self.seed, u64::from(number), attempt]));
        let names = self.blueprint.cell_name(self.cell);
        let mut columns: Vec<String> = Vec::with_capacity(self.blueprint.columns.len());
        for column in &self.blueprint.columns {
            let parent = column.parent.as_ref().and_then(|parent| match parent {
                ColumnParent::Subtopic => Some(&names.subtopic),
                ColumnParent::Evolution => Some(&names.evolution),
                ColumnParent::Form => Some(&names.form),
                ColumnParent::Column(index) => columns.get(*index),
            });
            let chosen = draw(column.choices(parent.map(String::as_str)), &mut random);
            columns.push(chosen.map(|choice| choice.value.clone()).unwrap_or_default());
        }
        let asks = self.blueprint.form(self.cell).map_or(0, |form| form.ask.len()).max(1) as u64;
        let ask = (random.next() % asks) as usize;
        let together = of_bytes(columns.join("\u{1f}").as_bytes());
        (Seed { cell: self.cell, number, columns, ask }, together)
    }
}

impl Iterator for CellDraws<'_> {
    type Item = Seed;

    fn next(&mut self) -> Option<Seed> {
        let number = self.next;
        self.next += 1;
        let (mut seed, mut together) = self.draw(number, 0);
        for attempt in 1..TRIES {
            if !self.drawn.contains(&together) {
                break;
            }
            (seed, together) = self.draw(number, attempt);
        }
        self.drawn.insert(together);
        Some(seed)
    }
}

/// Seeds of all cells in the order in which they are written: every cell has its share at every moment, and none of
/// equal weight comes twice before all have come once (stride scheduling, Waldspurger and Weihl 1995).
#[derive(Debug, Clone)]
pub struct SeedOrder<'b> {
    /// When each cell's next example is due, as the bits of a number that is not negative; then which cell.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    cells: Vec<(CellDraws<'b>, f64)>,
}

impl<'b> SeedOrder<'b> {
    #[must_use]
    pub fn new(blueprint: &'b Blueprint) -> Self {
        let weighted = blueprint.cells().map(|cell| (cell, blueprint.weight(cell)));
        let weighted = weighted.filter(|(_, weight)| *weight > 0.0);
        let cells: Vec<(CellDraws<'b>, f64)> =
            weighted.map(|(cell, weight)| (CellDraws::new(blueprint, cell), weight)).collect();
        let due = |(index, (draws, weight)): (usize, &(CellDraws<'b>, f64))| {
            Reverse(((draws.phase() / weight).to_bits(), index))
        };
        Self { due: cells.iter().enumerate().map(due).collect(), cells }
    }
}

impl Iterator for SeedOrder<'_> {
    type Item = Seed;

    fn next(&mut self) -> Option<Seed> {
        let Reverse((due, index)) = self.due.pop()?;
        let (draws, weight) = self.cells.get_mut(index)?;
        let seed = draws.next()?;
        self.due.push(Reverse(((f64::from_bits(due) + 1.0 / *weight).to_bits(), index)));
        Some(seed)
    }
}

/// How many of the first `count` seeds each cell has, in the blueprint's order.
#[must_use]
pub fn cell_counts(blueprint: &Blueprint, count: u64) -> Vec<(CellIndex, u64)> {
    let place = |cell: CellIndex| {
        (cell.subtopic * blueprint.evolutions.len() + cell.evolution) * blueprint.forms.len() + cell.form
    };
    let mut counts: Vec<(CellIndex, u64)> = blueprint.cells().map(|cell| (cell, 0)).collect();
    for seed in SeedOrder::new(blueprint).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        if let Some((_, count)) = counts.get_mut(place(seed.cell)) {
            *count += 1;
        }
    }
    counts
}
