//! Rows of data files as they are, for those who know what their columns mean. Knows no mapping.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};

use crate::data::hub;
use crate::data::rows::hive::FolderColumns;
use crate::data::rows::{self, DataFile, Parsed, TextUnit, find_files};
use crate::domain::name::one_line;
use crate::domain::record::{Fields, Provenance};

/// One row, and where it is from.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainRow {
    pub fields: Fields,
    /// The places where a text of the row is a number.
    pub numbers: Vec<String>,
    pub provenance: Provenance,
}

/// All rows of a file, a folder, or a dataset of the hub (`hf:owner/name`).
///
/// # Errors
/// Where nothing can be read there, a line is no row, or there is no row.
pub fn plain_rows(path: &Path) -> Result<Vec<PlainRow>> {
    let files = match path.to_str().filter(|_| hub::DatasetName::is_one(path)) {
        Some(name) => hub::fetch(name)?,
        None => find_files(path, None)?,
    };
    let mut all = Vec::new();
    for file in &files {
        read(file, &mut all)?;
    }
    ensure!(!all.is_empty(), "{} is empty: it holds no record", path.display());
    Ok(all)
}

fn read(file: &DataFile, all: &mut Vec<PlainRow>) -> Result<()> {
    let beside = FolderColumns::of(&file.path);
    let source = &file.source;
    let mut pieces = rows::open(&file.path, file.format, TextUnit::default(), &Arc::default())?;
    while let Some(piece) = pieces.next_piece()? {
        match piece.parse() {
            Parsed::Bad { line, reason, .. } => bail!("{source}:{line}: {}", one_line(&reason)),
            Parsed::Row { line, mut fields, numbers } => {
                if let Err(reason) = beside.put(&mut fields) {
                    bail!("{source}:{line}: {reason}");
                }
                let provenance = Provenance { source: source.clone(), line, ..Provenance::default() };
                all.push(PlainRow { fields, numbers, provenance });
            }
        }
    }
    Ok(())
}
