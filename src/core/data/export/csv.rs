//! A table for spreadsheets: one question and answer a row.

use std::path::Path;

use anyhow::{Context, Result};

use super::file;
use super::flat::flat;
use super::{Added, Sink};
use crate::domain::record::Record;
use crate::ground::files::WholeFile;

const HEADER: [&str; 7] = ["system", "prompt", "completion", "text", "label", "split", "tags"];

pub(super) struct CsvWriter {
    writer: csv::Writer<WholeFile>,
}

impl CsvWriter {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let mut writer = csv::Writer::from_writer(file::create(path)?);
        writer.write_record(HEADER).with_context(|| format!("write {}", path.display()))?;
        Ok(Self { writer })
    }
}

impl Sink for CsvWriter {
    fn add(&mut self, record: &Record) -> Result<Added> {
        let (system, prompt, completion) = match (flat(record), &record.text) {
            (Ok(flat), _) if flat.completion.is_none() => {
                let reason = "it has no answer, and an empty cell would be read as one; export as messages";
                return Ok(Added::LeftOut(reason.into()));
            }
            (Ok(flat), _) => (flat.system, flat.prompt, flat.completion),
            (Err(_), Some(_)) if record.messages.is_empty() => (None, "", None),
            (Err(reason), _) => return Ok(Added::LeftOut(reason)),
        };
        if system == Some("") {
            let reason =
                "its system turn is empty, and an empty cell would be read as none; export as messages";
            return Ok(Added::LeftOut(reason.into()));
        }
        let tags = record.tags.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let text = record.text.as_deref().filter(|_| record.messages.is_empty()).unwrap_or_default();
        let cells = [
            system.unwrap_or_default(),
            prompt,
            completion.unwrap_or_default(),
            text,
            record.label.as_deref().unwrap_or_default(),
            record.split.as_deref().unwrap_or_default(),
            &tags,
        ];
        if cells.iter().any(|cell| cell.contains('\0')) {
            let reason = "it holds a character NUL, which no table does; export as messages";
            return Ok(Added::LeftOut(reason.into()));
        }
        self.writer
            .write_record(cells)
            .with_context(|| format!("write {}", self.writer.get_ref().path().display()))?;
        Ok(Added::Written)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let file = self
            .writer
            .into_inner()
            .map_err(|error| anyhow::anyhow!("write the table: {}", error.error()))?;
        file::finish(file)
    }
}
