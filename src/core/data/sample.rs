//! The first rows of a file, by which it is planned how the others are read.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use crate::data::import::take;
use crate::data::mapping::{Mapping, MappingKind};
use crate::data::rows::hive::FolderColumns;
use crate::data::rows::{self, DataFile, Malformed, Parsed, TextUnit};
use crate::domain::name::one_line;
use crate::domain::record::Fields;

/// Rows that a mapping is found from.
const SAMPLE_ROWS: usize = 100;
/// Of the rows of a sample, about.
const SAMPLE_BYTES: usize = 16 << 20;
/// Cells of a sample, about: some tables have as many columns as others have rows.
const SAMPLE_CELLS: usize = 1 << 18;

/// The rows by which a file is planned.
pub(super) struct Sample {
    pub(super) first: Vec<Fields>,
    /// Where no mapping is in the first ones: those from the first that has one.
    pub(super) telling: Option<Vec<Fields>>,
    /// What stands where a row should be, where no row is there.
    pub(super) broken: Option<Malformed>,
}

pub(super) fn sample(file: &DataFile, unit: TextUnit, is_told: bool) -> Result<Sample> {
    let beside = FolderColumns::of(&file.path);
    let mut pieces = rows::open(&file.path, file.format, unit, &Arc::default())?;
    let (mut first, mut bytes, mut cells, mut bad) = (Vec::new(), 0, 0, None);
    while first.len() < SAMPLE_ROWS && bytes < SAMPLE_BYTES && cells < SAMPLE_CELLS {
        let Some(piece) = pieces.next_piece()? else {
            let broken = bad.filter(|_| first.is_empty());
            return Ok(Sample { first, telling: None, broken });
        };
        bytes += piece.size();
        match piece.parse() {
            Parsed::Row { mut fields, .. } => {
                // A row that contradicts its folder is refused when it is read.
                beside.put(&mut fields).ok();
                cells += fields.len();
                first.push(fields);
            }
            Parsed::Bad { line, reason, start } => {
                let source = file.source.clone();
                bad.get_or_insert(Malformed { source, line, reason: one_line(&reason), start });
            }
        }
    }
    let whole = |first, telling| Sample { first, telling, broken: None };
    if is_told || Mapping::detect(&first).kind() != MappingKind::Columns {
        return Ok(whole(first, None));
    }
    let is_mapped = |row: &Fields| Mapping::detect(std::slice::from_ref(row)).kind() != MappingKind::Columns;
    loop {
        let (taken, ended) = take(pieces.as_mut())?;
        let rows: Vec<Fields> = taken
            .into_par_iter()
            .filter_map(|piece| match piece.parse() {
                Parsed::Row { mut fields, .. } => {
                    beside.put(&mut fields).ok();
                    Some(fields)
                }
                Parsed::Bad { .. } => None,
            })
            .collect();
        if let Some(from) = rows.iter().position(is_mapped) {
            let telling = rows.into_iter().skip(from).take(SAMPLE_ROWS).collect();
            return Ok(whole(first, Some(telling)));
        }
        if ended {
            return Ok(whole(first, None));
        }
    }
}
