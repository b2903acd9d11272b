//! Parquet files, row by row.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, bail};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;

use super::cells::{Cell, row};
use super::classes::Classes;
use super::int96::Moments;
use super::{Numbers, Parsed, RawRow, RowSource};
use crate::data::quiet::quietly;

pub(super) fn open(path: &Path, file: File, read: Arc<AtomicU64>) -> Result<Box<dyn RowSource>> {
    let name = path.display();
    let bytes = file.metadata().with_context(|| format!("read {name}"))?.len();
    let opened = guarded(|| -> Result<_> {
        let reader = SerializedFileReader::new(file)?;
        let facts = reader.metadata().file_metadata();
        let rows = facts.num_rows().max(0) as u64;
        let mut known = HashSet::new();
        let mut names = facts.schema().get_fields().iter().map(|field| field.name());
        if let Some(name) = names.find(|name| !known.insert(*name)) {
            bail!("two columns are called {name:?}, and only one of them would be kept; rename one");
        }
        let columns = Cell::of(facts.schema());
        let classes = Classes::of(facts);
        Ok((rows, columns, classes, RowIter::from_file_into(Box::new(reader))))
    });
    let (rows, columns, classes, iterator) =
        opened.and_then(|opened| opened).with_context(|| format!("read {name} as Parquet"))?;
    let moments = guarded(|| Moments::open(path))
        .and_then(|opened| opened)
        .with_context(|| format!("read {name} as Parquet"))?;
    let bytes_per_row = bytes / rows.max(1);
    Ok(Box::new(ParquetRows {
        iterator,
        columns,
        classes,
        moments,
        path: path.to_owned(),
        row: 0,
        bytes_per_row,
        read,
    }))
}

struct ParquetRows {
    iterator: RowIter<'static>,
    columns: Cell,
    classes: Option<Classes>,
    moments: Option<Moments>,
    path: PathBuf,
    row: u64,
    bytes_per_row: u64,
    read: Arc<AtomicU64>,
}

impl RowSource for ParquetRows {
    fn next_piece(&mut self) -> Result<Option<RawRow>> {
        let next = guarded(|| self.iterator.next().map(|next| next.map(|next| row(&next, &self.columns))));
        let next = next.with_context(|| format!("read {}, after row {}", self.path.display(), self.row))?;
        self.row += 1;
        self.read.fetch_add(self.bytes_per_row, Ordering::Relaxed);
        match next {
            None => Ok(None),
            Some(Ok((mut fields, bytes))) => {
                if let Some(moments) = &mut self.moments {
                    guarded(|| moments.put(&mut fields))
                        .and_then(|put| put)
                        .with_context(|| format!("read {}, row {}", self.path.display(), self.row))?;
                }
                if let Some(Err(error)) = self.classes.as_ref().map(|classes| classes.put(&mut fields)) {
                    let start = serde_json::to_vec(&fields).unwrap_or_default();
                    return Ok(Some(RawRow::bad(self.row, error.to_string(), &start)));
                }
                let parsed = Parsed::Row { line: self.row, fields, numbers: Numbers::new() };
                Ok(Some(RawRow::Done(parsed, bytes)))
            }
            Some(Err(error)) => {
                Err(error).with_context(|| format!("read {}, row {}", self.path.display(), self.row))
            }
        }
    }
}

/// The Parquet reader panics on some corrupt files; this makes an error of it.
fn guarded<T>(read: impl FnOnce() -> T) -> Result<T> {
    quietly(read).map_err(|_| anyhow!("the file is corrupt, or has a column of a kind that can't be read"))
}
