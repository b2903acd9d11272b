//! Opening what is to be imported, with the mapping that was used last for files with these columns. The studio and
//! `dojo data import` both use this.

use std::path::Path;

use anyhow::{Context, Result};

use crate::data::import::{Import, ImportOptions};
use crate::data::mapping::Mapping;
use crate::session::{self, Session};

/// Whether a mapping was chosen for such files before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Remembered,
    Found,
}

/// Opens an import. What is remembered counts where nothing is said by hand.
///
/// # Errors
/// As [`Import::open`].
pub(crate) fn open(session: &Session, path: &Path, options: &ImportOptions) -> Result<(Import, Known)> {
    let source = Import::open(path, options)?;
    if !options.map.is_empty() {
        return Ok((source, Known::Found));
    }
    let Some(columns) = same_columns(&source) else { return Ok((source, Known::Found)) };
    match session.remembered_mapping(&columns)? {
        Some(mapping) => {
            let mapping: Mapping = serde_json::from_str(&mapping).context("read the remembered mapping")?;
            let options = ImportOptions { mapping: Some(mapping), ..options.clone() };
            Ok((Import::open(path, &options)?, Known::Remembered))
        }
        None => Ok((source, Known::Found)),
    }
}

/// The columns, where all files have the same.
pub(crate) fn same_columns(source: &Import) -> Option<Vec<String>> {
    let mut columns = source.files().iter().map(|file| session::columns(&file.sample));
    let first = columns.next()?;
    columns.all(|other| other == first).then_some(first)
}

/// Remembers each file's mapping for files with its columns.
///
/// # Errors
/// Where the session can't be written.
pub(crate) fn remember(session: &mut Session, source: &Import) -> Result<()> {
    for file in source.files() {
        let mapping = serde_json::to_string(&file.mapping)?;
        let columns = session::columns(&file.sample);
        if session.remembered_mapping(&columns)?.as_deref() != Some(mapping.as_str()) {
            session.remember_mapping(&columns, &mapping)?;
        }
    }
    Ok(())
}
