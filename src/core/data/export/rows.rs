//! The rows as they were imported, one JSON object a line, their numbers as they stood in the file.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::file;
use super::{Added, Sink};
use crate::data::rows::write_row;
use crate::domain::record::Record;
use crate::ground::files::WholeFile;

pub(super) struct RowsWriter {
    file: WholeFile,
}

impl RowsWriter {
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self { file: file::create(path)? })
    }
}

impl Sink for RowsWriter {
    fn add(&mut self, record: &Record) -> Result<Added> {
        if record.fields.is_empty() {
            return Ok(Added::LeftOut("it was not imported".into()));
        }
        let row = write_row(&record.fields, &record.numbers);
        let mut line = row.with_context(|| format!("write {}", record.place()))?;
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .with_context(|| format!("write {}", self.file.path().display()))?;
        Ok(Added::Written)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        file::finish(self.file)
    }
}
